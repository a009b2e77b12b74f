"""A run as events: what Azure Monitor is told of it, with constant names and flat properties that are all text.

Pure. The names and properties are a public contract: alert rules, the workbook and people's own queries read them. How
events travel is left to `telemetry`; what makes an alert of them is in `infra/alerts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC

from rotation.outcome import Kind, Outcome
from rotation.problem import Problem
from rotation.reason import Reason, Severity, Unit
from rotation.report import RunReport, Status, VaultRun

STARTED = "rotation.started"
TOKEN = "rotation.token"  # noqa: S105 - the name of an event, not a password
PROBLEM = "rotation.problem"
RUN = "rotation.run"

_STILL_POSSIBLE = frozenset({
    Reason.CLIENT_CREDENTIAL_EXPIRING,  # its end is as near as before
    Reason.LEASE_UNAVAILABLE,  # a run goes on without the lease
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One event. A value that is not known is an empty text, never a missing property."""

    name: str
    properties: Mapping[str, str]


def started(begun: RunReport) -> tuple[Event, ...]:
    """One event a vault as the run begins; whoever sees it without its `rotation.run` knows that the run was killed."""
    return tuple(Event(STARTED, _of_run(begun, vault) | _asked(begun)) for vault in begun.vaults)


def token(begun: RunReport, outcome: Outcome) -> tuple[Event, ...]:
    """One event for a token that is not plainly fresh; of a dry run none, since nothing happened."""
    if begun.dry_run or outcome.is_plainly_fresh:
        return ()
    return (Event(TOKEN, _of_run(begun, outcome.vault) | _token(outcome)),)


def verdict(report: RunReport) -> tuple[Event, ...]:
    """The run's problems, what a partial run proved to be none any more, and last of all one event a vault.

    The last says that all before it was sent. A dry run has no problems of its own.
    """
    problems: list[Event] = []
    if not report.dry_run:
        labels = {(outcome.vault, outcome.name): outcome.label for outcome in report.tokens}
        problems += [
            Event(PROBLEM, _of_run(report, problem.vault) | _open(problem, labels)) for problem in report.problems
        ]
        problems += [Event(PROBLEM, properties) for properties in _closed(report)]
    return (*problems, *(Event(RUN, _run(report, share)) for share in report.by_vault))


def _of_run(report: RunReport, vault: str) -> dict[str, str]:
    """What every event has. `started_at` sorts as text."""
    return {
        "run_id": report.run_id,
        "trigger": report.trigger,
        "vault": vault,
        "started_at": f"{report.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }


def _asked(report: RunReport) -> dict[str, str]:
    return {"full": _flag(report.full), "dry_run": _flag(report.dry_run)}


def _token(outcome: Outcome) -> dict[str, str]:
    return {
        "name": outcome.name,
        "label": outcome.label,
        "outcome": outcome.kind,
        "reason": outcome.reason,
        "severity": outcome.reason.severity,
        "days_left": _text(outcome.days_left),
        "message": outcome.message,
        "first_seen": _text(outcome.streak and outcome.streak.first_seen),
    }


def _open(problem: Problem, labels: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {
        "state": "open",
        "reason": problem.reason,
        "severity": problem.severity,
        "unit": problem.reason.unit.value,
        "subject": problem.subject,
        "label": problem.label,
        "tokens": str(problem.tokens),
        "sample": ",".join(problem.sample),
        "message": problem.message,
        "action": problem.action,
        "runbook": f"docs/runbook.md#{problem.reason}",
        "since": _text(problem.since),
        "day": _text(problem.day),
        "fold": "" if problem.subject == problem.fold else problem.fold,
        "who": _who(problem, labels),
    }


def _who(problem: Problem, labels: Mapping[tuple[str, str], str]) -> str:
    """The first of its tokens as people know them, and how many more there are."""
    known = ((name, labels.get((problem.vault, name), "")) for name in problem.sample)
    named = ", ".join(f"{name} ({label})" if label else name for name, label in known)
    more = problem.tokens - len(problem.sample)
    return f"{named} and {more} more" if named and more > 0 else named


def _closed(report: RunReport) -> Iterator[dict[str, str]]:
    """What a run of named tokens proved. A full run says it by what it does not find, wherever it was complete."""
    if report.full:
        return
    proved = dict.fromkeys((outcome.vault, *each) for outcome in report.tokens for each in _proved(outcome))
    for vault, unit, subject in proved:
        yield _of_run(report, vault) | {
            "state": "closed",
            "unit": unit.value,
            "subject": subject,
            "reasons": ",".join(_DISPROVED[unit]),
        }


def _proved(outcome: Outcome) -> tuple[tuple[Unit, str], ...]:
    """A token that is not due has no failure that stands: that much is proved without redeeming it."""
    return ((Unit.TOKEN, outcome.name),) if outcome.reason is Reason.NOT_DUE else outcome.proved


_DISPROVED: Mapping[Unit, tuple[Reason, ...]] = {
    unit: tuple(
        reason
        for reason in Reason
        if reason.unit is unit and reason.severity is not Severity.NONE and reason not in _STILL_POSSIBLE
    )
    for unit in Unit
}


def _run(report: RunReport, share: VaultRun) -> dict[str, str]:
    problems = sum(problem.vault == share.url for problem in report.problems)
    undone = share.counts.get(Kind.FAILED, 0) + share.counts.get(Kind.STRANDED, 0)
    well = share.complete and not problems and not undone
    counts = {str(kind): str(share.counts.get(kind, 0)) for kind in Kind}
    return (
        _of_run(report, share.url)
        | _asked(report)
        | {"complete": _flag(share.complete), "status": Status.OK if well else Status.PROBLEMS}
        | counts
        | {
            "tokens": str(sum(share.counts.values())),
            "problems": str(problems),
            "seconds": f"{report.seconds:.3f}",
            "smallest_days_left": _text(share.smallest_days_left),
        }
    )


def _flag(value: bool) -> str:  # noqa: FBT001 - the value itself, not an option
    return "true" if value else "false"


def _text(value: object) -> str:
    return "" if value is None else str(value)
