"""The certified issuer behaves as the interop tests assume: it rotates, and it punishes the reuse of an old token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.interop.oidc_issuer import OidcIssuer, oidc_issuer


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[OidcIssuer]:
    with oidc_issuer(tmp_path / "authorities.pem") as running:
        yield running


def test_msal_redeems_and_the_rotated_token_redeems_too(issuer: OidcIssuer) -> None:
    first = issuer.redeem(issuer.refresh_token)
    second = issuer.redeem(first["refresh_token"])
    assert len({issuer.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3


def test_an_old_token_is_refused_and_takes_its_whole_family_with_it(issuer: OidcIssuer) -> None:
    rotated = issuer.redeem(issuer.refresh_token)["refresh_token"]
    assert issuer.redeem(issuer.refresh_token)["error"] == "invalid_grant"
    assert issuer.redeem(rotated)["error"] == "invalid_grant"


def test_the_access_token_is_for_partner_center_and_says_whose_it_is(issuer: OidcIssuer) -> None:
    answer = issuer.redeem(issuer.refresh_token)
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["tid"]) == ("https://api.partnercenter.microsoft.com", issuer.tenant_id)
    assert (claims["sub"], claims["amr"]) == (issuer.account_id, ["pwd", "mfa"])
    assert answer["id_token_claims"]["aud"] == issuer.client_id


def test_a_wrong_client_secret_is_refused_and_costs_the_token_nothing(issuer: OidcIssuer) -> None:
    assert issuer.redeem(issuer.refresh_token, secret="a wrong made-up secret")["error"] == "invalid_client"
    assert "access_token" in issuer.redeem(issuer.refresh_token)


def test_without_node_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Node 20"), oidc_issuer(tmp_path / "authorities.pem"):
        pass
