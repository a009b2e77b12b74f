"""What a redemption answers, as the real MSAL sees it over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest

from emulators.bearer import BearerVerifier, InvalidBearer
from emulators.entra import EntraState
from tests.emulators.entra_site import SCOPE, SECRET, EntraSite, Partner, entra_site, new_partner

PARTNER_CENTER = "https://api.partnercenter.microsoft.com"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraSite]:
    with entra_site(tmp_path_factory.mktemp("entra")) as running:
        yield running


@pytest.fixture
def partner(site: EntraSite) -> Partner:
    return new_partner(site)


def claims_of(partner: Partner, token: str, audience: str = PARTNER_CENTER) -> dict[str, object]:
    return dict(BearerVerifier(partner.site.state.public_keys, audience).verify(token))


def test_msal_redeems_and_gets_a_new_refresh_token_that_redeems_too(partner: Partner) -> None:
    first = partner.redeem()
    second = partner.redeem(first["refresh_token"])
    assert len({partner.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3


def test_a_redeemed_token_stays_redeemable(partner: Partner) -> None:
    partner.redeem()
    assert "access_token" in partner.redeem(partner.refresh_token)


def test_the_access_token_is_in_v1_format_with_the_resource_as_audience_and_amr(partner: Partner) -> None:
    claims = claims_of(partner, partner.redeem()["access_token"])
    assert claims["iss"] == f"https://sts.windows.net/{partner.tenant_id}/"
    assert (claims["ver"], claims["tid"], claims["appid"]) == ("1.0", partner.tenant_id, partner.client_id)
    assert (claims["oid"], claims["scp"]) == (partner.user.object_id, "user_impersonation")
    assert claims["amr"] == ["pwd", "mfa"]


def test_a_consent_without_mfa_shows_in_amr(partner: Partner) -> None:
    token = partner.site.state.consent(
        tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user, mfa=False
    )
    assert claims_of(partner, partner.redeem(token)["access_token"])["amr"] == ["pwd"]


def test_the_id_token_is_for_the_client_and_says_nothing_of_amr(partner: Partner) -> None:
    id_token = partner.redeem()["id_token_claims"]
    assert id_token["aud"] == partner.client_id
    assert id_token["iss"] == f"{partner.site.url}/{partner.tenant_id}/v2.0"
    assert "amr" not in id_token


def test_client_info_names_the_home_account_only_when_asked(partner: Partner) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": partner.refresh_token, "client_id": partner.client_id}
    bare = partner.site.post(partner.tenant_id, **form, client_secret=SECRET, scope=SCOPE).json()
    asked = partner.site.post(partner.tenant_id, **form, client_secret=SECRET, scope=SCOPE, client_info="1").json()
    decoded = jwt.utils.base64url_decode(asked["client_info"]).decode()
    assert "client_info" not in bare
    assert partner.user.object_id in decoded
    assert partner.tenant_id in decoded


def test_without_openid_and_offline_access_in_the_request_neither_token_comes(partner: Partner) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": partner.refresh_token, "client_id": partner.client_id}
    answer = partner.site.post(partner.tenant_id, **form, client_secret=SECRET, scope=SCOPE).json()
    assert answer.keys().isdisjoint({"refresh_token", "id_token"})
    assert (answer["token_type"], answer["scope"]) == ("Bearer", SCOPE)
    assert answer["expires_in"] == answer["ext_expires_in"]


def test_without_a_grant_for_offline_access_no_refresh_token_comes(partner: Partner) -> None:
    partner.site.state.withdraw(
        tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user, scope="offline_access"
    )
    assert "refresh_token" not in partner.redeem()


def test_refresh_tokens_look_like_the_service_s(partner: Partner) -> None:
    token = partner.refresh_token
    assert token.startswith("1.A")
    assert len(token) > 1000
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_tenant_is_also_found_by_its_domain(partner: Partner) -> None:
    domain = f"{partner.tenant_id}.contoso.example"
    partner.site.state.add_tenant(partner.tenant_id, domain)
    answer = partner.redeem(tenant=domain)
    assert claims_of(partner, answer["access_token"])["tid"] == partner.tenant_id


def test_a_guid_is_the_same_in_capitals(partner: Partner) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": partner.refresh_token, "client_secret": SECRET}
    answer = partner.site.post(partner.tenant_id.upper(), **form, client_id=partner.client_id.upper(), scope=SCOPE)
    assert answer.status_code == 200


def test_one_token_redeems_in_every_tenant_that_consented(partner: Partner) -> None:
    customer = new_partner(partner.site).tenant_id
    partner.site.state.consent(tenant_id=customer, client_id=partner.client_id, user=partner.user)
    answer = partner.redeem(tenant=customer)
    assert claims_of(partner, answer["access_token"])["tid"] == customer


def test_a_token_within_its_window_lives_and_each_token_counts_from_its_own_issue(partner: Partner) -> None:
    partner.site.state.age(timedelta(days=89))
    fresh = partner.redeem()["refresh_token"]
    partner.site.state.age(timedelta(days=2))
    assert not partner.site.state.is_redeemable(partner.refresh_token)
    assert partner.redeem(partner.refresh_token)["error_codes"] == [700082]
    assert "access_token" in partner.redeem(fresh)


def test_twenty_threads_get_twenty_different_tokens(partner: Partner) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: partner.redeem(), range(20)))
    assert len({answer["refresh_token"] for answer in answers}) == 20


def test_a_verifier_refuses_another_audience_another_issuer_and_junk(partner: Partner) -> None:
    token = partner.redeem()["access_token"]
    stranger = EntraState("https://login.contoso.example")
    for verifier in (
        BearerVerifier(partner.site.state.public_keys, "https://vault.azure.net"),
        BearerVerifier(stranger.public_keys, PARTNER_CENTER),
    ):
        with pytest.raises(InvalidBearer):
            verifier.verify(token)
    with pytest.raises(InvalidBearer):
        BearerVerifier(partner.site.state.public_keys, PARTNER_CENTER).verify("no token")


def test_a_refused_bearer_is_not_in_the_message(partner: Partner) -> None:
    token = partner.redeem()["access_token"]
    with pytest.raises(InvalidBearer) as refused:
        BearerVerifier(partner.site.state.public_keys, "https://vault.azure.net").verify(token)
    assert token not in f"{refused.value!r} {refused.value.__context__!r}"
