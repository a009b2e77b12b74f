"""The status: how every managed token and client credential is, from the vault's list alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.inventory import ClientCredential
from rotation.outcome import VaultFault
from rotation.reason import Reason
from rotation.status_report import StatusReport, TokenStatus, token_status
from rotation.token import ManagedToken
from tests.core.records import DAY, MICROSECOND, NOW, VAULT, VERSION, failing, record_of, redeemed, token_of

REVOKED = failing(Reason.TOKEN_REVOKED)
CREDENTIAL = ClientCredential(
    vault=VAULT,
    ref=CredentialRef(CredentialKind.SECRET, "contoso-app"),
    found=True,
    enabled=True,
    expires_on=NOW + 100 * DAY,
    tokens=3,
)


def report_of(*tokens: TokenStatus, credentials: tuple[ClientCredential, ...] = (CREDENTIAL,)) -> StatusReport:
    return StatusReport(
        taken_at=NOW,
        vaults=(VAULT,),
        vault_faults=(),
        tokens=tokens,
        credentials=credentials,
        warn_before_days=30,
    )


@pytest.mark.parametrize(
    ("token", "health"),
    [
        (redeemed(DAY), None),
        (redeemed(8 * DAY), None),
        (token_of(), None),
        (redeemed(61 * DAY), Reason.EXPIRING),
        (redeemed(90 * DAY), Reason.EXPIRES_WITHIN_WEEK),
        (token_of({"paused-until": "2027-04-01"}), Reason.PAUSED),
        (token_of(enabled=False), Reason.DISABLED),
        (redeemed(61 * DAY, {"paused-until": "2027-04-01"}), Reason.EXPIRING),
        (replace(redeemed(DAY), last_failure=REVOKED), Reason.TOKEN_REVOKED),
        (replace(redeemed(DAY), last_failure=failing(Reason.THROTTLED)), None),
        (replace(redeemed(DAY), last_failure=failing(Reason.TOKEN_REJECTED)), None),
        (replace(redeemed(DAY), last_failure=failing(Reason.THROTTLED, days=2)), Reason.THROTTLED),
        (replace(redeemed(DAY), last_failure=REVOKED, enabled=False), Reason.DISABLED),
        (replace(redeemed(90 * DAY), last_failure=REVOKED), Reason.TOKEN_REVOKED),
        (replace(redeemed(90 * DAY), last_failure=failing(Reason.THROTTLED)), Reason.EXPIRES_WITHIN_WEEK),
    ],
)
def test_health_is_the_worst_that_days_failure_and_owner_say(token: ManagedToken, health: Reason | None) -> None:
    assert token_status(token, now=NOW).health is health


def test_the_status_of_a_token_has_its_dates() -> None:
    status = token_status(redeemed(2 * DAY - MICROSECOND, {"label": "Contoso"}), now=NOW)
    assert (status.name, status.label, status.vault) == ("contoso", "Contoso", VAULT)
    assert (status.age_days, status.days_left) == (1, 88)
    assert status.next_rotation == NOW + 5 * DAY + MICROSECOND


@pytest.mark.parametrize(
    ("token", "next_rotation"),
    [
        (token_of(), NOW),
        (redeemed(9 * DAY), NOW),
        (redeemed(2 * DAY), NOW + 5 * DAY),
        (redeemed(9 * DAY, {"paused-until": "2027-04-01"}), datetime(2027, 4, 1, tzinfo=UTC)),
        (token_of(enabled=False), None),
    ],
)
def test_the_next_rotation_is_when_a_run_would_redeem_it(token: ManagedToken, next_rotation: datetime | None) -> None:
    assert token_status(token, now=NOW).next_rotation == next_rotation


def test_a_token_past_its_window_is_told_so_and_not_called_dead() -> None:
    assert token_status(redeemed(91 * DAY), now=NOW).message.startswith("its 90 days without use have passed")


def test_a_disabled_record_with_faults_is_left_in_peace() -> None:
    assert token_status(record_of({"client-id": "?"}, enabled=False), now=NOW).health is Reason.DISABLED


def test_a_record_with_faults_says_all_of_them() -> None:
    status = token_status(record_of({"client-id": "?", "tenant-id": "?"}), now=NOW)
    assert status.health is Reason.INVALID_RECORD
    assert "client-id" in status.message
    assert "tenant-id" in status.message


def test_what_was_ignored_is_said() -> None:
    assert "redeemed-at" in token_status(token_of({"redeemed-at": "yesterday"}), now=NOW).message


@pytest.mark.parametrize(
    ("credential", "health"),
    [
        (CREDENTIAL, None),
        (replace(CREDENTIAL, expires_on=None), None),
        (replace(CREDENTIAL, expires_on=NOW + 30 * DAY), None),
        (replace(CREDENTIAL, expires_on=NOW + 30 * DAY - MICROSECOND), Reason.CLIENT_CREDENTIAL_EXPIRING),
        (replace(CREDENTIAL, expires_on=NOW - DAY), Reason.CLIENT_CREDENTIAL_EXPIRING),
        (replace(CREDENTIAL, enabled=False), Reason.CLIENT_CREDENTIAL_MISSING),
        (replace(CREDENTIAL, found=False, enabled=False, expires_on=None), Reason.CLIENT_CREDENTIAL_MISSING),
    ],
)
def test_a_client_credential_is_as_well_as_the_list_can_tell(
    credential: ClientCredential, health: Reason | None
) -> None:
    report = report_of(credentials=(credential,))
    assert report.health_of(credential) is health
    assert report.all_well == (health is None)


def test_all_is_well_unless_somebody_is_needed() -> None:
    paused = token_status(token_of({"paused-until": "2027-04-01"}), now=NOW)
    expiring = token_status(redeemed(61 * DAY), now=NOW)
    assert report_of(paused).all_well
    assert not report_of(paused, expiring).all_well
    assert not replace(report_of(), vault_faults=(VaultFault(VAULT, Reason.VAULT_DENIED, "no"),)).all_well


def test_the_status_as_json_says_what_the_contract_says() -> None:
    token = replace(redeemed(8 * DAY), last_failure=REVOKED)
    read = json.loads(json.dumps(report_of(token_status(token, now=NOW)).to_json()))
    assert list(read) == ["taken_at", "status", "vaults", "vault_faults", "tokens", "client_credentials"]
    (told,) = read["tokens"]
    assert told == {
        "vault": VAULT, "name": "contoso", "label": "", "health": "token_revoked", "severity": "critical",
        "age_days": 8, "days_left": 82, "redeemed_at": "2027-03-02T12:00:00Z", "next_rotation": "2027-03-10T12:00:00Z",
        "last_failure": {
            "reason": "token_revoked", "days": 1, "first_seen": "2027-03-10", "last_seen": "2027-03-10",
        },
        "message": "", "action": Reason.TOKEN_REVOKED.action,
    }  # fmt: skip
    assert VERSION not in json.dumps(told)


def test_a_client_credential_as_json_says_what_the_contract_says() -> None:
    (told,) = json.loads(json.dumps(report_of().to_json()))["client_credentials"]
    assert told == {
        "vault": VAULT, "name": "secret:contoso-app", "health": "ok", "severity": "none",
        "expires_on": "2027-06-18T12:00:00Z", "tokens": 3, "action": "",
    }  # fmt: skip


def test_an_unknown_age_is_written_as_null() -> None:
    (told,) = json.loads(json.dumps(report_of(token_status(token_of(), now=NOW)).to_json()))["tokens"]
    assert told["health"] == "ok"
    assert [told[name] for name in ("age_days", "days_left", "redeemed_at", "last_failure")] == [None] * 4


@pytest.mark.parametrize("year", [1, 999, 9999])
def test_a_date_at_the_end_of_the_calendar_can_be_told(year: int) -> None:
    token = replace(token_of(), redeemed_at=datetime(year, 6, 1, tzinfo=NOW.tzinfo))
    assert json.dumps(report_of(token_status(token, now=NOW)).to_json())
