"""The run report: what one run did, as a value and as the JSON object that HTTP and `--json` share.

Pure. The object's fields are a public contract: they are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotation.outcome import Kind, Outcome, VaultFault
from rotation.problem import Problem
from rotation.token import timestamp


class Trigger(StrEnum):
    """What started a run."""

    TIMER = "timer"
    HTTP = "http"
    CLI = "cli"


class Status(StrEnum):
    """What a run says in one word."""

    OK = "ok"
    PROBLEMS = "problems"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run. `full`: every managed token was asked for; `complete`: it got through its list of every vault in it.

    `vault_faults` are the vaults that could not be listed; `tokens` what was not plainly fresh, or everything if
    asked for.
    """

    run_id: str
    trigger: Trigger
    started_at: datetime
    seconds: float
    dry_run: bool
    full: bool
    complete: bool
    vaults: tuple[str, ...]
    vault_faults: tuple[VaultFault, ...]
    counts: Mapping[Kind, int]
    tokens: tuple[Outcome, ...]
    problems: tuple[Problem, ...]

    @property
    def status(self) -> Status:
        """`ok` when all that was asked for was done: no problem, nothing failed or stranded, nothing left over."""
        undone = self.counts.get(Kind.FAILED, 0) + self.counts.get(Kind.STRANDED, 0)
        return Status.PROBLEMS if self.problems or undone or not self.complete else Status.OK

    def to_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "run_id": self.run_id,
            "trigger": self.trigger,
            "started_at": timestamp(self.started_at),
            "seconds": round(self.seconds, 3),
            "dry_run": self.dry_run,
            "full": self.full,
            "complete": self.complete,
            "status": self.status,
            "vaults": list(self.vaults),
            "vault_faults": [{"vault": f.vault, "reason": f.reason, "message": f.message} for f in self.vault_faults],
            "counts": {str(kind): self.counts.get(kind, 0) for kind in Kind},
            "tokens": [_token(outcome) for outcome in self.tokens],
            "problems": [problem_to_json(problem) for problem in self.problems],
        }


def _token(outcome: Outcome) -> dict[str, object]:
    return {
        "vault": outcome.vault,
        "name": outcome.name,
        "label": outcome.label,
        "outcome": outcome.kind,
        "reason": outcome.reason,
        "severity": outcome.reason.severity,
        "days_left": outcome.days_left,
        "message": outcome.message,
        "action": outcome.reason.action,
        "warnings": list(outcome.warnings),
    }


def problem_to_json(problem: Problem) -> dict[str, object]:
    """One problem as a JSON object, wherever it is told."""
    return {
        "reason": problem.reason,
        "subject": problem.subject,
        "vault": problem.vault,
        "severity": problem.severity,
        "tokens": problem.tokens,
        "sample": list(problem.sample),
        "message": problem.message,
        "action": problem.action,
    }
