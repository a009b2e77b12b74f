"""The reasons are a public contract: alerts, the runbook, tags and reports key on them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from rotation.reason import TOKEN_IS_DEAD, TRANSIENT, Reason, Severity, Unit

CONTRACT = {
    "critical token": "token_expired token_revoked token_rejected token_malformed sign_in_frequency mfa_required "
    "blocked_by_policy account_unusable identity_changed expires_within_week",
    "critical client": "redirect_type_spa",
    "critical client and tenant": "consent_required app_not_in_tenant",
    "critical credential": "client_credential_expired client_credential_invalid client_credential_missing",
    "critical vault": "stranded_token",
    "error client and tenant": "misconfigured",
    "error token": "no_new_token invalid_record tags_lost secret_deleted",
    "error vault": "vault_denied",
    "warning vault": "vault_unavailable vault_throttled lease_unavailable",
    "warning issuer": "issuer_unavailable",
    "warning client and tenant": "throttled",
    "warning token": "unclassified expiring mfa_missing tags_dropped concurrent_write disable_failed",
    "warning credential": "client_credential_expiring",
    "none none": "due never_redeemed forced retry not_due paused disabled superseded out_of_time lease_held "
    "breaker_open",
}
REASONS = {code: said for said, codes in CONTRACT.items() for code in codes.split()}


def test_the_list_is_closed() -> None:
    assert {str(reason) for reason in Reason} == set(REASONS)


@pytest.mark.parametrize("code", REASONS)
def test_severity_and_unit_are_constants_of_the_reason(code: str) -> None:
    reason = Reason(code)
    assert f"{reason.severity} {reason.unit.value}" == REASONS[code]


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.severity is not Severity.NONE])
def test_whatever_needs_a_person_says_what_the_person_does(reason: Reason) -> None:
    assert reason.action.endswith(".")
    assert len(reason.action) > 20


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_code_wherever_it_is_written(reason: Reason) -> None:
    assert json.loads(json.dumps({reason: reason})) == {reason.value: reason.value}
    assert f"{reason} {reason!s}" == f"{reason.value} {reason.value}"
    assert pickle.loads(pickle.dumps(reason)) is reason  # noqa: S301 - its own
    assert copy.deepcopy(reason) is reason


def test_severities_are_ordered_from_the_worst() -> None:
    assert list(Severity) == [Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.NONE]


def test_nothing_that_passes_by_itself_is_worse_than_a_warning() -> None:
    assert {reason.severity for reason in TRANSIENT} == {Severity.WARNING}
    assert {str(reason) for reason in TRANSIENT} == {
        "vault_unavailable", "vault_throttled", "issuer_unavailable", "throttled", "unclassified",
    }  # fmt: skip


def test_a_dead_token_is_one_token_that_opens_nothing() -> None:
    assert all(reason.unit is Unit.TOKEN and reason.severity is Severity.CRITICAL for reason in TOKEN_IS_DEAD)
    assert Reason.TOKEN_EXPIRED in TOKEN_IS_DEAD
    assert Reason.EXPIRES_WITHIN_WEEK not in TOKEN_IS_DEAD
