"""The certified issuer behaves as the interop tests assume: it rotates, and it punishes the reuse of an old token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
import requests

from tests.interop.oidc_issuer import OidcIssuer, oidc_issuer

SCOPE = "https://api.partnercenter.microsoft.com/user_impersonation"


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[OidcIssuer]:
    with oidc_issuer(tmp_path / "authorities.pem") as running:
        yield running


def redeem(issuer: OidcIssuer, refresh_token: str, *, secret: str | None = None) -> dict[str, Any]:
    with requests.Session() as session:
        session.verify, session.trust_env = str(issuer.authority_file), False
        app = msal.ConfidentialClientApplication(
            issuer.client_id,
            authority=issuer.authority,
            client_credential=secret or issuer.client_secret,
            instance_discovery=False,
            http_client=session,
        )
        answer: dict[str, Any] = app.acquire_token_by_refresh_token(refresh_token, [SCOPE])
        return answer


def test_msal_redeems_and_the_rotated_token_redeems_too(issuer: OidcIssuer) -> None:
    first = redeem(issuer, issuer.refresh_token)
    second = redeem(issuer, first["refresh_token"])
    assert len({issuer.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3


def test_an_old_token_is_refused_and_takes_its_whole_family_with_it(issuer: OidcIssuer) -> None:
    rotated = redeem(issuer, issuer.refresh_token)["refresh_token"]
    assert redeem(issuer, issuer.refresh_token)["error"] == "invalid_grant"
    assert redeem(issuer, rotated)["error"] == "invalid_grant"


def test_the_access_token_is_for_partner_center_and_says_whose_it_is(issuer: OidcIssuer) -> None:
    answer = redeem(issuer, issuer.refresh_token)
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["tid"]) == ("https://api.partnercenter.microsoft.com", issuer.tenant_id)
    assert (claims["sub"], claims["amr"]) == (issuer.account_id, ["pwd", "mfa"])
    assert answer["id_token_claims"]["aud"] == issuer.client_id


def test_a_wrong_client_secret_is_refused_and_costs_the_token_nothing(issuer: OidcIssuer) -> None:
    assert redeem(issuer, issuer.refresh_token, secret="a wrong made-up secret")["error"] == "invalid_client"
    assert "access_token" in redeem(issuer, issuer.refresh_token)


def test_without_node_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Node 20"), oidc_issuer(tmp_path / "authorities.pem"):
        pass
