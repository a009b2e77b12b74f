"""What a run is as events: names, properties and values, word for word: alert rules and people's queries read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rotation.events import Event, started, token, verdict
from rotation.outcome import Kind, Outcome
from rotation.problem import Problem, problems_of
from rotation.reason import Reason, Severity, Unit
from rotation.remembered import LastFailure
from rotation.report import RunReport, Trigger, VaultRun

VAULT, OTHER = "https://contoso-vault.vault.azure.net", "https://fabrikam-vault.vault.azure.net"
NOW = datetime(2026, 11, 21, 7, 0, 0, 1200, tzinfo=UTC)
OF_EVERY_EVENT = {"run_id": "1234", "trigger": "timer", "vault": VAULT, "started_at": "2026-11-21T07:00:00.001200Z"}
FAILURE = LastFailure(Reason.TOKEN_REVOKED, 3, date(2026, 11, 19), date(2026, 11, 21), "v1")
REVOKED = Outcome(
    vault=VAULT,
    name="contoso",
    label="Contoso Ltd",
    kind=Kind.FAILED,
    reason=Reason.TOKEN_REVOKED,
    message="the issuer refused",
    days_left=41,
    streak=FAILURE,
)
FRESH = Outcome(vault=VAULT, name="northwind", kind=Kind.SKIPPED, reason=Reason.NOT_DUE, days_left=88)
ROTATED = Outcome(
    vault=VAULT,
    name="fabrikam",
    kind=Kind.ROTATED,
    reason=Reason.DUE,
    days_left=90,
    proved=((Unit.TOKEN, "fabrikam"), (Unit.CREDENTIAL, "secret:app"), (Unit.VAULT, VAULT)),
)


def report_of(*outcomes: Outcome, problems: tuple[Problem, ...] | None = None, **more: object) -> RunReport:
    """A full run of two vaults, the second of which holds nothing."""
    share = VaultRun(url=VAULT, complete=True, counts={Kind.FAILED: 1, Kind.SKIPPED: 7}, smallest_days_left=41)
    nothing = VaultRun(url=OTHER, complete=True, counts={}, smallest_days_left=None)
    report = RunReport(
        run_id="1234",
        trigger=Trigger.TIMER,
        started_at=NOW,
        seconds=1.23456,
        dry_run=False,
        full=True,
        complete=True,
        vaults=(VAULT, OTHER),
        vault_faults=(),
        counts={},
        tokens=outcomes,
        problems=problems_of(outcomes) if problems is None else problems,
        by_vault=(share, nothing),
    )
    return replace(report, **more)  # type: ignore[arg-type]


def closed(report: RunReport) -> list[Mapping[str, str]]:
    return [event.properties for event in verdict(report) if event.properties.get("state") == "closed"]


def test_a_run_that_begins_is_one_event_a_vault() -> None:
    begun = RunReport.begun(
        run_id="1234", trigger=Trigger.TIMER, now=NOW, full=True, dry_run=False, vaults=(VAULT, OTHER)
    )
    first, second = started(begun)
    assert first == Event("rotation.started", OF_EVERY_EVENT | {"full": "true", "dry_run": "false"})
    assert (second.name, second.properties["vault"]) == ("rotation.started", OTHER)


def test_a_token_says_all_that_is_known_of_it() -> None:
    (event,) = token(report_of(), REVOKED)
    assert event.name == "rotation.token"
    assert event.properties == OF_EVERY_EVENT | {
        "name": "contoso",
        "label": "Contoso Ltd",
        "outcome": "failed",
        "reason": "token_revoked",
        "severity": "critical",
        "days_left": "41",
        "message": "the issuer refused",
        "first_seen": "2026-11-19",
    }


def test_what_is_not_known_is_empty_and_never_absent() -> None:
    (event,) = token(report_of(), replace(REVOKED, days_left=None, streak=None, label="", message=""))
    assert {name for name, value in event.properties.items() if not value} == {
        "days_left", "first_seen", "label", "message",
    }  # fmt: skip


def test_plainly_fresh_tokens_are_not_told_even_when_a_person_lists_them() -> None:
    told = [event.properties["name"] for outcome in (FRESH, REVOKED, ROTATED) for event in token(report_of(), outcome)]
    assert told == ["contoso", "fabrikam"]


def test_a_problem_says_what_an_alert_needs() -> None:
    problem, *_ = verdict(report_of(REVOKED))
    assert problem.name == "rotation.problem"
    assert problem.properties == OF_EVERY_EVENT | {
        "state": "open",
        "reason": "token_revoked",
        "severity": "critical",
        "unit": "token",
        "subject": "contoso",
        "label": "Contoso Ltd",
        "tokens": "1",
        "sample": "contoso",
        "message": "the issuer refused",
        "action": Reason.TOKEN_REVOKED.action,
        "runbook": "docs/runbook.md#token_revoked",
        "since": "2026-11-19",
        "day": "2026-11-19",
        "fold": "*",
        "who": "contoso (Contoso Ltd)",
    }


def test_a_label_stands_only_where_one_token_is_meant() -> None:
    """It is a dimension of the alert: one that is told of several tokens must not name the first."""
    refused = [
        replace(REVOKED, name=name, reason=Reason.CLIENT_CREDENTIAL_EXPIRED, subject="secret:app") for name in "ab"
    ]
    folded = [replace(REVOKED, name=f"contoso-{number}") for number in range(11)]
    found = [event.properties for event in verdict(report_of(*refused, *folded)) if event.name == "rotation.problem"]
    assert {(each["subject"], each["label"], each["tokens"]) for each in found} == {
        ("secret:app", "", "2"), ("*", "", "11"),
    }  # fmt: skip
    assert {each["fold"] for each in found} == {""}
    assert {(each["since"], each["day"]) for each in found} == {("2026-11-19", "2026-11-19"), ("", "")}
    (fold,) = (each for each in found if each["subject"] == "*")
    assert fold["sample"].count(",") == 4
    assert fold["who"].startswith("contoso-0 (Contoso Ltd), contoso-1 (Contoso Ltd), contoso-10 (")
    assert fold["who"].endswith(" and 6 more")


def test_the_end_of_a_run_is_last_and_told_for_each_vault() -> None:
    *before, run, empty = verdict(report_of(REVOKED))
    assert {event.name for event in before} == {"rotation.problem"}
    assert run == Event(
        "rotation.run",
        OF_EVERY_EVENT
        | {"full": "true", "dry_run": "false", "complete": "true", "status": "problems"}
        | {"rotated": "0", "skipped": "7", "deferred": "0", "failed": "1", "stranded": "0"}
        | {"tokens": "8", "problems": "1", "seconds": "1.235", "smallest_days_left": "41"},
    )
    assert empty.properties["vault"] == OTHER
    assert [empty.properties[name] for name in ("status", "tokens", "smallest_days_left")] == ["ok", "0", ""]


@pytest.mark.parametrize(
    ("complete", "counts", "status"),
    [
        (True, {}, "ok"),
        (False, {}, "problems"),
        (True, {Kind.FAILED: 1}, "problems"),
        (True, {Kind.STRANDED: 1}, "problems"),
    ],
)
def test_all_is_well_in_a_vault_when_nothing_is_left_undone(
    *, complete: bool, counts: Mapping[Kind, int], status: str
) -> None:
    share = VaultRun(url=VAULT, complete=complete, counts=counts, smallest_days_left=None)
    (run,) = verdict(report_of(by_vault=(share,)))
    assert (run.properties["status"], run.properties["complete"]) == (status, str(complete).lower())


def test_a_dry_run_has_its_beginning_and_its_end_and_nothing_else() -> None:
    dry = report_of(REVOKED, ROTATED, dry_run=True, full=False)
    assert token(dry, REVOKED) == ()
    assert [(event.name, event.properties["dry_run"]) for event in verdict(dry)] == [("rotation.run", "true")] * 2


def test_a_run_of_named_tokens_closes_what_a_rotation_disproves() -> None:
    told = closed(report_of(ROTATED, full=False))
    assert [(each["unit"], each["subject"]) for each in told] == [
        ("token", "fabrikam"), ("credential", "secret:app"), ("vault", VAULT),
    ]  # fmt: skip
    assert told[1] == OF_EVERY_EVENT | {
        "state": "closed",
        "unit": "credential",
        "subject": "secret:app",
        "reasons": "client_credential_expired,client_credential_invalid,client_credential_missing",
    }
    assert told[2]["reasons"].split(",") == ["stranded_token", "vault_denied", "vault_unavailable", "vault_throttled"]


def test_a_full_run_closes_nothing_one_by_one() -> None:
    assert closed(report_of(ROTATED)) == []


def test_a_token_that_is_not_due_proves_itself_and_no_more() -> None:
    (told,) = closed(report_of(FRESH, full=False))
    assert (told["unit"], told["subject"]) == ("token", "northwind")


@pytest.mark.parametrize(
    "reason", [Reason.SUPERSEDED, Reason.PAUSED, Reason.DISABLED, Reason.OUT_OF_TIME, Reason.BREAKER_OPEN]
)
def test_a_token_that_was_not_tried_proves_nothing(reason: Reason) -> None:
    assert closed(report_of(replace(FRESH, reason=reason), full=False)) == []


def test_one_unit_is_closed_once_however_many_tokens_prove_it() -> None:
    told = closed(report_of(ROTATED, replace(ROTATED, name="other"), full=False))
    assert len(told) == 3


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit is not Unit.NONE])
def test_every_reason_of_a_unit_is_closed_but_what_a_rotation_can_go_on_with(unit: Unit) -> None:
    (told,) = closed(report_of(replace(ROTATED, proved=((unit, "x"),)), full=False))
    of_unit = {reason for reason in Reason if reason.unit is unit and reason.severity is not Severity.NONE}
    assert set(told["reasons"].split(",")) == of_unit - {Reason.CLIENT_CREDENTIAL_EXPIRING, Reason.LEASE_UNAVAILABLE}


def test_every_property_is_plain_text() -> None:
    """A number or a flag would be written as the exporter likes it."""
    report = report_of(REVOKED, ROTATED, full=False)
    every = [*started(report), *token(report, REVOKED), *verdict(report)]
    assert all(isinstance(value, str) for event in every for value in event.properties.values())
