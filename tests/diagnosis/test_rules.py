"""Every row of the classification's table is proven: a table that is wrong in any one place fails a case."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from emulators.entra.errors import REFUSALS
from rotation.aadsts import DEFAULT_OF_ERROR, REASON_OF_NUMBER, RULES, classify, inactivity_window
from rotation.reason import TRANSIENT, Reason
from tests.diagnosis import mutants
from tests.diagnosis.corpora import UNKNOWN_ERROR, Case, errors, number_of, numbers

STATUSES = [
    *(Case(Reason.ISSUER_UNAVAILABLE, "invalid_grant", (700082,), status=status) for status in (300, 302, 307, 399)),
    *(Case(Reason.ISSUER_UNAVAILABLE, "invalid_grant", (700082,), status=status) for status in (407, 408)),
    Case(Reason.THROTTLED, "invalid_grant", (700082,), "bad_token", status=429),
    *(Case(Reason.ISSUER_UNAVAILABLE, "invalid_client", (7000222,), status=status) for status in (500, 503, 599)),
    *(Case(Reason.TOKEN_EXPIRED, "invalid_grant", (700082,), status=status) for status in (200, 400, 401, 403)),
    *(Case(Reason.UNCLASSIFIED, UNKNOWN_ERROR, status=status) for status in (400, 401)),
    *(Case(Reason.ISSUER_UNAVAILABLE, UNKNOWN_ERROR, status=status) for status in (200, 402, 403, 404, 410, 600)),
]
SUBERRORS = [
    Case(Reason.TOKEN_REJECTED, "interaction_required", (), "bad_token"),
    Case(Reason.SIGN_IN_FREQUENCY, "invalid_grant", (), "token_expired"),
    Case(Reason.MFA_REQUIRED, "invalid_grant", (), "basic_action"),
    Case(Reason.BLOCKED_BY_POLICY, "invalid_grant", (), "additional_action"),
    Case(Reason.BLOCKED_BY_POLICY, "invalid_grant", (), "message_only"),
    Case(Reason.BLOCKED_BY_POLICY, "unauthorized_client", (), "protection_policy_required"),
    Case(Reason.BLOCKED_BY_POLICY, "invalid_grant", (), "device_authentication_failed"),
    Case(Reason.CONSENT_REQUIRED, "invalid_grant", (), "consent_required"),
    Case(Reason.ACCOUNT_UNUSABLE, "invalid_grant", (), "user_password_expired"),
    Case(Reason.MISCONFIGURED, "invalid_grant", (), "client_mismatch"),
    # It says more than a number that says nothing, and less than one that says something.
    Case(Reason.CONSENT_REQUIRED, "invalid_grant", (70000,), "consent_required"),
    Case(Reason.MFA_REQUIRED, "invalid_grant", (50076,), "consent_required"),
    Case(Reason.MFA_REQUIRED, "interaction_required", (50076,), "message_only"),
    # It counts inside the class of `error` alone.
    Case(Reason.CLIENT_CREDENTIAL_INVALID, "invalid_client", (), "bad_token"),
    Case(Reason.CLIENT_CREDENTIAL_INVALID, "invalid_client", (), "token_expired"),
    Case(Reason.ISSUER_UNAVAILABLE, "temporarily_unavailable", (), "consent_required"),
    Case(Reason.TOKEN_REJECTED, "invalid_grant", (), "a_word_nobody_knows"),
    Case(Reason.CONSENT_REQUIRED, UNKNOWN_ERROR, (), "consent_required"),
]
FIRST_WINS = (  # what was never judged; what must be mended before anything else can be; what says no more than `error`
    Reason.THROTTLED,
    Reason.ISSUER_UNAVAILABLE,
    Reason.CLIENT_CREDENTIAL_EXPIRED,
    Reason.APP_NOT_IN_TENANT,
    Reason.ACCOUNT_UNUSABLE,
    Reason.BLOCKED_BY_POLICY,
    Reason.REDIRECT_TYPE_SPA,
    Reason.SIGN_IN_FREQUENCY,
    Reason.TOKEN_EXPIRED,
    Reason.TOKEN_REVOKED,
    Reason.MFA_REQUIRED,
    Reason.CONSENT_REQUIRED,
    Reason.MISCONFIGURED,
    Reason.CLIENT_CREDENTIAL_INVALID,
    Reason.TOKEN_REJECTED,
)
PAIRS = [
    *(
        Case(first, UNKNOWN_ERROR, (number_of()[second], number_of()[first]))
        for first, second in itertools.combinations(FIRST_WINS, 2)
    ),
    *(
        Case(first, "invalid_grant", (9002313, number_of()[first]))
        for first in (Reason.TOKEN_EXPIRED, Reason.CONSENT_REQUIRED, Reason.MISCONFIGURED)
    ),
    Case(Reason.TOKEN_MALFORMED, "invalid_grant", (70000, 9002313)),
]
CASES = [*numbers(), *errors(), *STATUSES, *SUBERRORS, *PAIRS]


@pytest.mark.parametrize("case", dict.fromkeys(CASES), ids=str)
def test_a_case_gives_its_reason_whatever_the_order_of_its_numbers(case: Case) -> None:
    for order in itertools.permutations(case.numbers):
        assert Case(case.reason, case.error, order, case.suberror, case.status).holds()


def test_no_table_that_is_wrong_in_one_place_survives() -> None:
    """`python -m tests.diagnosis.mutants` prints how many there are."""
    made = Counter(mutant.wrong for mutant in mutants.mutants())
    assert len(made) >= 450
    assert max(made.values()) == 1
    assert mutants.survivors(CASES) == []


def test_the_mutation_run_notices_what_is_not_proven() -> None:
    without = [case for case in CASES if 50173 not in case.numbers]
    assert mutants.survivors(without) == ["no 50173 in token_revoked"]


def test_no_number_has_two_reasons() -> None:
    assert sum(len(own) for own in RULES.numbers.values()) == len(REASON_OF_NUMBER)


def test_every_refusal_of_the_emulated_issuer_is_known_by_its_number_or_its_error() -> None:
    assert REFUSALS.keys() - REASON_OF_NUMBER == set()
    assert {refusal.error for refusal in REFUSALS.values()} <= DEFAULT_OF_ERROR.keys()


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_an_emulated_refusal_gives_the_reason_of_its_number(code: int) -> None:
    refusal = REFUSALS[code]
    reason = classify(status=refusal.status, error=refusal.error, suberror=refusal.suberror, numbers=[code])
    assert code in RULES.numbers[reason] or (refusal.status > 500 and reason is Reason.ISSUER_UNAVAILABLE)


def test_nothing_unknown_is_a_dead_token() -> None:
    for status in (200, 400, 401, 403, 407, 429, 500, 502):
        assert classify(status=status, error=None) in TRANSIENT
        assert classify(status=status, error="new", suberror="new", numbers=[1, -1, 10**30]) in TRANSIENT


@pytest.mark.parametrize(
    ("description", "days"),
    [
        ("AADSTS700082: issued on 2026-05-20T16:18:37.2732417Z, unused for 90.00:00:00. Trace ID: 7-8", 90),
        ("unbenutzt seit 14.00:00:00", 14),
        ("トークンは30.00:00:00使用されていません", 30),
        ("sin uso durante\u00a090.00:00:00.\r\n", 90),
        ("7.12:30:00", 7),
        ("twice the same: 90.00:00:00 and 90.00:00:00", 90),
        ("two that differ: 90.00:00:00 and 14.00:00:00", None),
        ("no day: 0.12:00:00", None),
        ("more days than anybody waits: 9999.00:00:00", None),
        ("more digits: 12345.00:00:00", None),
        ("a part of a number: 1.90.00:00:00", None),
        ("a part of a time: 2026-05-20T16:18:37.2732417Z", None),
        ("a time: 06:00:00Z", None),
        ("a part of a value: abc90.00:00:00", None),
        ("other digits: ٩٠.00:00:00", None),
        ("", None),
        (None, None),
        (90, None),
        ({"text": "90.00:00:00"}, None),
    ],
)
def test_only_a_timespan_is_read_from_a_text_and_of_it_only_the_days(description: object, days: int | None) -> None:
    assert inactivity_window([700082], description) == days
    assert inactivity_window([70008, 50173], description) is None
