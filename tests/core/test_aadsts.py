"""What an answer of the token endpoint means, number by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.aadsts import RULES, classify
from rotation.reason import TRANSIENT, Reason

# Reason, the `error` it comes under, its numbers.
NUMBERS = [
    ("token_expired", "invalid_grant", "700082 70008"),
    ("token_revoked", "invalid_grant", "50173 50089 50132 50133 50085"),
    ("token_rejected", "invalid_grant", "70000"),
    ("token_malformed", "invalid_grant", "9002313 900144 90014"),
    ("redirect_type_spa", "invalid_grant", "700084"),
    ("sign_in_frequency", "invalid_grant", "70043"),
    ("mfa_required", "interaction_required", "50072 50074 50076 50078 50079 50158"),
    ("mfa_required", "invalid_grant", "50072 50074 50076 50078 50079 50158"),
    ("consent_required", "invalid_grant", "65001 65004 65005 90008 90094 90095 90099 1000031"),
    ("consent_required", "consent_required", "65001 65004"),
    ("consent_required", "invalid_client", "650052 650054 650056 650057 7000229"),
    ("consent_required", "invalid_resource", "500011"),
    ("app_not_in_tenant", "unauthorized_client", "700016 7000112"),
    ("blocked_by_policy", "interaction_required", "53000 53001 53002 53003 53004 53011 530003 530032 530034 530035"),
    ("blocked_by_policy", "invalid_grant", "53003 50097 50129 50131 50005 500021 500022 500212 500213"),
    ("account_unusable", "invalid_grant", "50034 50057 50053 50055 50144 50020 50014 51004 50105 50135 50177 90072"),
    ("client_credential_expired", "invalid_client", "7000222"),
    ("client_credential_invalid", "invalid_client", "7000215 70002 7000218 700024 700025 700027 700030 50012 50048"),
    ("client_credential_invalid", "invalid_client", "70021 700211 700213"),
    ("misconfigured", "invalid_request", "90002 90038 900382 900432 9001023 50194 901002"),
    ("misconfigured", "unauthorized_client", "70001"),
    ("misconfigured", "invalid_scope", "70011 28002"),
    ("issuer_unavailable", "temporarily_unavailable", "50033 50087 90006 90012 90024 90033 80002 80005"),
    ("throttled", "temporarily_unavailable", "90055"),
    ("throttled", "invalid_request", "50196"),
    ("throttled", "invalid_grant", "50196"),
]
CASES = [(reason, error, int(number)) for reason, error, numbers in NUMBERS for number in numbers.split()]
KNOWN = {number for numbers in RULES.numbers.values() for number in numbers}


@pytest.mark.parametrize(("reason", "error", "number"), CASES)
def test_a_number_gives_its_reason_under_its_natural_error(reason: str, error: str, number: int) -> None:
    assert classify(status=400, error=error, numbers=[number]) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("invalid_grant", "token_rejected"),
        ("interaction_required", "mfa_required"),
        ("consent_required", "consent_required"),
        ("unauthorized_client", "app_not_in_tenant"),
        ("invalid_client", "client_credential_invalid"),
        ("invalid_scope", "misconfigured"),
        ("invalid_request", "misconfigured"),
        ("unsupported_grant_type", "misconfigured"),
        ("invalid_resource", "consent_required"),
        ("temporarily_unavailable", "issuer_unavailable"),
        ("server_error", "issuer_unavailable"),
        ("something_new", "unclassified"),
        (None, "unclassified"),
        ("", "unclassified"),
    ],
)
def test_without_a_number_the_error_decides(error: str | None, reason: str) -> None:
    assert classify(status=400, error=error) == reason
    assert classify(status=400, error=error, numbers=[123456789]) == reason


@pytest.mark.parametrize(
    ("status", "reason"), [(429, "throttled"), (500, "issuer_unavailable"), (503, "issuer_unavailable")]
)
def test_the_status_wins_over_everything_in_the_body(status: int, reason: str) -> None:
    assert classify(status=status, error="invalid_grant", suberror="consent_required", numbers=[700082]) == reason


@pytest.mark.parametrize(
    ("error", "suberror", "numbers", "reason"),
    [
        ("invalid_grant", "consent_required", [], "consent_required"),
        ("invalid_grant", "client_mismatch", [], "misconfigured"),
        ("invalid_grant", "bad_token", [], "token_rejected"),
        ("invalid_grant", "consent_required", [70000], "consent_required"),
        ("invalid_grant", "basic_action", [50076], "mfa_required"),
        ("interaction_required", "message_only", [53003], "blocked_by_policy"),
    ],
)
def test_a_suberror_says_more_than_the_error_and_a_number_more_than_both(
    error: str, suberror: str, numbers: list[int], reason: str
) -> None:
    assert classify(status=400, error=error, suberror=suberror, numbers=numbers) == reason


@pytest.mark.parametrize("numbers", [[70000, 700082], [700082, 70000], [123, 700082], [70000, 123, 700082]])
def test_the_most_specific_number_wins_wherever_it_stands(numbers: list[int]) -> None:
    assert classify(status=400, error="invalid_grant", numbers=numbers) is Reason.TOKEN_EXPIRED


@pytest.mark.parametrize("number", [9002313, 900144, 90014])
def test_a_malformed_request_does_not_pass_for_a_malformed_token(number: int) -> None:
    assert classify(status=400, error="invalid_request", numbers=[number]) is Reason.MISCONFIGURED


@pytest.mark.parametrize("number", [50173, 700082, 50057, 53003, 50076])
def test_a_clients_fault_never_passes_for_the_tokens(number: int) -> None:
    assert classify(status=401, error="invalid_client", numbers=[number]) is Reason.CLIENT_CREDENTIAL_INVALID


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
@pytest.mark.parametrize("number", [50173, 7000222, 65001, 90002])
def test_an_issuer_that_is_unwell_never_passes_for_a_dead_token(error: str, number: int) -> None:
    assert classify(status=400, error=error, numbers=[number]) is Reason.ISSUER_UNAVAILABLE


@given(
    status=st.integers(0, 999),
    error=st.none() | st.text() | st.sampled_from(sorted(RULES.errors)),
    suberror=st.none() | st.text(),
    numbers=st.lists(st.integers() | st.sampled_from(sorted(KNOWN))),
)
def test_any_answer_has_a_reason_and_nothing_unknown_kills_a_token(
    status: int, error: str | None, suberror: str | None, numbers: list[int]
) -> None:
    reason = classify(status=status, error=error, suberror=suberror, numbers=numbers)
    said = error in RULES.errors or suberror in RULES.suberrors or not set(numbers).isdisjoint(KNOWN)
    assert said or reason in TRANSIENT
