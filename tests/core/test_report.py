"""The run report's JSON object is a public contract: its fields are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from rotation.outcome import Kind, VaultFault
from rotation.problem import problems_of
from rotation.reason import Reason
from rotation.report import RunReport, Status, Trigger
from tests.core.records import NOW, VAULT, outcome

FAILED = outcome(Reason.TOKEN_REVOKED, message="the issuer refused", days_left=41, warnings=(Reason.TAGS_DROPPED,))
REPORT = RunReport(
    run_id="11112222-3333-4444-8555-666677778888",
    trigger=Trigger.TIMER,
    started_at=NOW,
    seconds=1.23456,
    dry_run=False,
    full=True,
    complete=True,
    vaults=(VAULT,),
    vault_faults=(),
    counts={Kind.ROTATED: 3, Kind.FAILED: 1},
    tokens=(FAILED,),
    problems=problems_of([FAILED]),
)


def plain(value: object) -> bool:
    """Whether a value is of the very types that JSON knows, not of a kind of them."""
    if isinstance(value, dict):
        return type(value) is dict and all(type(key) is str and plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(plain(each) for each in value)
    return value is None or type(value) in {str, int, float, bool}


def as_read(report: RunReport) -> Mapping[str, object]:
    read: Mapping[str, object] = json.loads(json.dumps(report.to_json()))
    assert plain(read)
    return read


def test_the_report_says_what_the_contract_says() -> None:
    read = as_read(REPORT)
    assert {name: read[name] for name in read if name not in {"tokens", "problems"}} == {
        "run_id": "11112222-3333-4444-8555-666677778888",
        "trigger": "timer",
        "started_at": "2027-03-10T12:00:00Z",
        "seconds": 1.235,
        "dry_run": False,
        "full": True,
        "complete": True,
        "status": "problems",
        "vaults": [VAULT],
        "vault_faults": [],
        "counts": {"rotated": 3, "skipped": 0, "deferred": 0, "failed": 1, "stranded": 0},
    }


def test_a_token_of_the_report_says_what_the_contract_says() -> None:
    assert as_read(REPORT)["tokens"] == [
        {
            "vault": VAULT,
            "name": "contoso",
            "label": "",
            "outcome": "failed",
            "reason": "token_revoked",
            "severity": "critical",
            "days_left": 41,
            "message": "the issuer refused",
            "action": Reason.TOKEN_REVOKED.action,
            "warnings": ["tags_dropped"],
        }
    ]


def test_a_problem_of_the_report_says_what_the_contract_says() -> None:
    worst, _ = REPORT.problems
    assert worst.reason is Reason.TOKEN_REVOKED
    problems = as_read(REPORT)["problems"]
    assert isinstance(problems, list)
    assert problems[0] == {
        "reason": "token_revoked",
        "subject": "contoso",
        "label": "",
        "vault": VAULT,
        "severity": "critical",
        "tokens": 1,
        "sample": ["contoso"],
        "since": None,
        "message": "the issuer refused",
        "action": Reason.TOKEN_REVOKED.action,
    }


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("kind", Kind)
def test_every_outcome_can_be_written(kind: Kind, reason: Reason) -> None:
    told = outcome(reason, kind=kind, days_left=None, subject="x")
    written = as_read(replace(REPORT, tokens=(told,), problems=problems_of([told]), counts={kind: 1}))
    assert written["counts"] == {str(each): int(each is kind) for each in Kind}


def test_a_vault_that_was_not_looked_at_is_named_and_is_a_problem() -> None:
    report = replace(REPORT, problems=(), vault_faults=(VaultFault(VAULT, Reason.LEASE_HELD, "another run"),))
    assert report.status is Status.PROBLEMS
    assert as_read(report)["vault_faults"] == [{"vault": VAULT, "reason": "lease_held", "message": "another run"}]


def test_without_a_problem_all_is_well() -> None:
    assert replace(REPORT, problems=(), counts={Kind.ROTATED: 3, Kind.SKIPPED: 5}).status is Status.OK


@pytest.mark.parametrize(
    ("counts", "complete"), [({Kind.FAILED: 1}, True), ({Kind.STRANDED: 1}, True), ({Kind.DEFERRED: 1}, False)]
)
def test_what_was_not_done_is_not_well_even_where_it_is_no_problem_yet(counts: dict[Kind, int], complete: bool) -> None:  # noqa: FBT001 - a column of the table
    assert replace(REPORT, problems=(), counts=counts, complete=complete).status is Status.PROBLEMS


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert as_read(replace(REPORT, started_at=elsewhere))["started_at"] == "2027-03-10T12:00:00Z"


@pytest.mark.parametrize(
    ("told", "fresh"),
    [
        (outcome(Reason.NOT_DUE, kind=Kind.SKIPPED), True),
        (outcome(Reason.NOT_DUE, kind=Kind.SKIPPED, expiry=Reason.EXPIRING), False),
        (outcome(Reason.NOT_DUE, kind=Kind.SKIPPED, warnings=(Reason.TAGS_DROPPED,)), False),
        (outcome(Reason.PAUSED, kind=Kind.SKIPPED), False),
        (outcome(Reason.DUE, kind=Kind.ROTATED), False),
    ],
)
def test_plainly_fresh_is_what_there_is_nothing_to_say_of(told: object, fresh: bool) -> None:  # noqa: FBT001
    assert getattr(told, "is_plainly_fresh") is fresh  # noqa: B009 - of whichever outcome
