"""What the token endpoint refuses, and how each refusal reaches the real MSAL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import jwt
import pytest
import requests

from emulators.entra import REFUSALS, EntraState
from emulators.entra.tokens import new_refresh_token
from tests.emulators.entra_site import SCOPE, SECRET, EntraSite, Partner, entra_site, new_partner


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraSite]:
    with entra_site(tmp_path_factory.mktemp("entra")) as running:
        yield running


@pytest.fixture
def partner(site: EntraSite) -> Partner:
    return new_partner(site)


@pytest.fixture
def state(partner: Partner) -> EntraState:
    return partner.site.state


def refusal(answer: dict[str, object]) -> tuple[object, object, object]:
    return answer["error"], answer["error_codes"], answer.get("suberror")


def test_an_inactive_token_is_refused_with_the_date_of_issue_and_the_window(
    partner: Partner, state: EntraState
) -> None:
    state.expire(partner.refresh_token)
    answer = partner.redeem()
    assert refusal(answer) == ("invalid_grant", [700082], "bad_token")
    assert re.search(r"90\.00:00:00 .* \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", answer["error_description"])


def test_a_shorter_window_of_a_tenant_shows_in_the_text(partner: Partner, state: EntraState) -> None:
    state.set_inactivity(timedelta(days=30))
    state.age(timedelta(days=31))
    answer = partner.redeem()
    state.set_inactivity(timedelta(days=90))
    assert "30.00:00:00" in answer["error_description"]


def test_revoking_an_account_ends_its_tokens_and_a_new_consent_is_good(partner: Partner, state: EntraState) -> None:
    rotated = partner.redeem()["refresh_token"]
    state.revoke(partner.user)
    fresh = state.consent(tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user)
    assert refusal(partner.redeem(rotated)) == ("invalid_grant", [50173], "bad_token")
    assert (state.is_redeemable(partner.refresh_token), state.is_redeemable(fresh)) == (False, True)


def test_revoking_a_token_ends_its_sign_in_and_no_other(partner: Partner, state: EntraState) -> None:
    other = state.consent(tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user)
    rotated = partner.redeem()["refresh_token"]
    state.revoke(partner.refresh_token)
    assert partner.redeem(rotated)["error_codes"] == [50173]
    assert "access_token" in partner.redeem(other)


def test_a_well_formed_token_that_was_never_issued_is_rejected(partner: Partner) -> None:
    assert refusal(partner.redeem(new_refresh_token())) == ("invalid_grant", [70000], "bad_token")


@pytest.mark.parametrize("damage", ["cut", "spaced", "joined", "placeholder"])
def test_a_damaged_token_is_malformed(partner: Partner, damage: str) -> None:
    token = partner.refresh_token
    values = {"cut": token[:-1], "spaced": f" {token}", "joined": f"{token}\n{token}", "placeholder": "to be filled in"}
    assert refusal(partner.redeem(values[damage])) == ("invalid_grant", [9002313], None)


def test_a_token_of_another_application_is_rejected(partner: Partner, state: EntraState) -> None:
    other = new_partner(partner.site)
    state.add_to_tenant(partner.tenant_id, other.client_id)
    foreign = Partner(partner.site, partner.tenant_id, other.client_id, other.user, partner.refresh_token)
    assert foreign.redeem()["error_codes"] == [70000]


def test_a_token_of_a_single_page_application_lives_one_day(partner: Partner, state: EntraState) -> None:
    state.register_app(partner.tenant_id, partner.client_id, secrets=[SECRET], redirect_type="spa")
    token = state.consent(tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user)
    state.age(timedelta(hours=20))
    rotated = partner.redeem(token)["refresh_token"]
    state.age(timedelta(hours=5))
    assert refusal(partner.redeem(rotated)) == ("invalid_grant", [700084], "bad_token")


def test_wrong_expired_and_missing_client_secrets_are_told_apart(partner: Partner, state: EntraState) -> None:
    wrong = partner.redeem(credential="another made-up secret")
    state.expire_client_secret(partner.client_id)
    expired = partner.redeem()
    missing = partner.site.post(partner.tenant_id, grant_type="client_credentials", client_id=partner.client_id)
    assert refusal(wrong) == ("invalid_client", [7000215], None)
    assert refusal(expired) == ("invalid_client", [7000222], None)
    assert (missing.status_code, missing.json()["error_codes"]) == (401, [7000218])


def test_a_client_secret_ages_and_a_new_one_helps(partner: Partner, state: EntraState) -> None:
    state.age(timedelta(days=181))
    token = state.consent(tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user)
    assert partner.redeem(token)["error_codes"] == [7000222]
    state.add_client_secret(partner.client_id, "a newer made-up secret")
    assert "access_token" in partner.redeem(token, credential="a newer made-up secret")


def test_removed_disabled_and_foreign_applications_are_told_apart(partner: Partner, state: EntraState) -> None:
    elsewhere = partner.redeem(tenant=new_partner(partner.site).tenant_id)
    state.enable_app(partner.client_id, enabled=False)
    disabled = partner.redeem()
    state.remove_from_tenant(partner.tenant_id, partner.client_id)
    removed = partner.redeem()
    assert refusal(elsewhere) == refusal(removed) == ("unauthorized_client", [700016], None)
    assert refusal(disabled) == ("unauthorized_client", [7000112], None)


def test_blocked_and_deleted_accounts_are_told_apart(partner: Partner, state: EntraState) -> None:
    state.enable_user(partner.user, enabled=False)
    assert refusal(partner.redeem()) == ("invalid_grant", [50057], None)
    state.enable_user(partner.user)
    assert "access_token" in partner.redeem()
    state.remove_user(partner.user)
    assert refusal(partner.redeem()) == ("invalid_grant", [50034], None)


def test_what_nobody_consented_to_is_refused(partner: Partner, state: EntraState) -> None:
    assert refusal(partner.redeem(scope="https://graph.microsoft.com/User.Read")) == (
        "invalid_grant",
        [65001],
        "consent_required",
    )
    state.withdraw(tenant_id=partner.tenant_id, client_id=partner.client_id, user=partner.user, scope=SCOPE)
    assert partner.redeem()["error_codes"] == [65001]


@pytest.mark.parametrize(
    ("scope", "error", "code"),
    [
        ("https://api.partnercenter.microsoft.com", "invalid_scope", 70011),
        (f"{SCOPE} https://graph.microsoft.com/User.Read", "invalid_request", 28000),
        ("https://unknown.contoso.example/user_impersonation", "invalid_resource", 500011),
    ],
)
def test_scopes_that_cannot_be_served_are_refused(partner: Partner, scope: str, error: str, code: int) -> None:
    assert refusal(partner.redeem(scope=scope)) == (error, [code], None)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_code_comes_on_demand_once_with_the_status_and_body_of_the_service(partner: Partner, code: int) -> None:
    partner.site.state.fail_next_with(code)
    form = {"grant_type": "refresh_token", "refresh_token": partner.refresh_token, "client_id": partner.client_id}
    refused = partner.site.post(partner.tenant_id, **form, client_secret=SECRET, scope=SCOPE)
    body = refused.json()
    assert (refused.status_code, body["error"]) == (REFUSALS[code].status, REFUSALS[code].error)
    assert body["error_codes"] == [code]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["trace_id"] in body["error_description"]
    assert body.get("suberror", "") == REFUSALS[code].suberror
    assert "access_token" in partner.redeem()


def test_a_code_that_is_not_in_the_table_is_a_fault_of_the_test(state: EntraState) -> None:
    with pytest.raises(KeyError):
        state.fail_next_with(1)


def test_a_planned_refusal_waits_for_its_application_and_its_grant(partner: Partner, state: EntraState) -> None:
    other = new_partner(partner.site)
    state.fail_next_with(50076, client_id=other.client_id, times=2)
    assert "access_token" in partner.redeem()
    assert [other.redeem()["error"] for _ in range(2)] == ["interaction_required"] * 2
    assert "access_token" in other.redeem()


def test_a_blocked_sign_in_stays_blocked_until_it_is_let_go(partner: Partner, state: EntraState) -> None:
    rotated = partner.redeem()["refresh_token"]
    state.block(partner.refresh_token, 53003)
    assert [partner.redeem(rotated)["error_codes"] for _ in range(2)] == [[53003]] * 2
    state.block(partner.refresh_token, None)
    assert "access_token" in partner.redeem(rotated)


def test_the_correlation_id_of_the_client_comes_back(partner: Partner) -> None:
    with partner.site.session() as session:
        url = f"{partner.site.url}/{partner.tenant_id}/oauth2/v2.0/token"
        headers = {"client-request-id": "0b1c2d3e-0000-4000-8000-00000000c0de"}
        body = session.post(url, data={}, headers=headers, timeout=60).json()
    assert (body["correlation_id"], body["error_codes"]) == (headers["client-request-id"], [900144])


@pytest.mark.parametrize("grant_type", ["password", ""])
def test_other_grants_are_not_served(partner: Partner, grant_type: str) -> None:
    answer = partner.site.post(partner.tenant_id, grant_type=grant_type, client_id=partner.client_id)
    expected = ("unsupported_grant_type", [70003]) if grant_type else ("invalid_request", [900144])
    assert (answer.json()["error"], answer.json()["error_codes"]) == expected


def deviating(partner: Partner) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(partner.redeem()["access_token"], options={"verify_signature": False})
    return claims


def test_answers_can_be_wrong_in_one_point_at_a_time_and_once(partner: Partner, state: EntraState) -> None:
    stranger = new_partner(partner.site)
    state.answer_next(tenant_id=stranger.tenant_id)
    state.answer_next(audience="https://graph.microsoft.com")
    state.answer_next(mfa=False)
    assert deviating(partner)["tid"] == stranger.tenant_id
    assert deviating(partner)["aud"] == "https://graph.microsoft.com"
    assert deviating(partner)["amr"] == ["pwd"]
    assert deviating(partner)["amr"] == ["pwd", "mfa"]


def test_an_answer_can_be_for_another_account(partner: Partner, state: EntraState) -> None:
    stranger = new_partner(partner.site)
    state.answer_next(account=stranger.user)
    answer = partner.redeem()
    assert answer["id_token_claims"]["oid"] == stranger.user.object_id
    assert partner.redeem()["id_token_claims"]["oid"] == partner.user.object_id


def test_an_answer_can_lack_its_refresh_token_or_hold_an_empty_one(partner: Partner, state: EntraState) -> None:
    state.answer_next(refresh_token="absent")
    state.answer_next(refresh_token="empty")
    assert "refresh_token" not in partner.redeem()
    assert partner.redeem()["refresh_token"] == ""


def test_an_answer_can_lack_its_client_info(partner: Partner, state: EntraState) -> None:
    state.answer_next(client_info="absent")
    form = {"grant_type": "refresh_token", "refresh_token": partner.refresh_token, "client_id": partner.client_id}
    answers = [
        partner.site.post(partner.tenant_id, **form, client_secret=SECRET, scope=SCOPE, client_info="1")
        for _ in range(2)
    ]
    assert ["client_info" in answer.json() for answer in answers] == [False, True]


def test_no_refusal_repeats_a_secret_or_a_token(partner: Partner) -> None:
    answers: list[requests.Response] = []
    form = {"grant_type": "refresh_token", "client_id": partner.client_id, "scope": SCOPE}
    for token, secret in ((partner.refresh_token[:-3], SECRET), (partner.refresh_token, "a leaked made-up secret")):
        answers.append(partner.site.post(partner.tenant_id, **form, refresh_token=token, client_secret=secret))
    text = "".join(answer.text for answer in answers)
    assert [answer.status_code for answer in answers] == [400, 401]
    assert partner.refresh_token[:40] not in text
    assert "leaked" not in text
