"""The run report: what one run did, as a value and as the JSON object that HTTP and `--json` share.

Pure. The object's fields are a public contract: they are only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

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
class VaultRun:
    """One vault's part in a run. `smallest_days_left` is None when no token of known age was looked at."""

    url: str
    complete: bool
    counts: Mapping[Kind, int]
    smallest_days_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run. `full`: every managed token was asked for; `complete`: it got through its list of every vault in it.

    `vault_faults` are the vaults that could not be listed; `tokens` what was not plainly fresh, or everything if
    asked for; `by_vault` says for each vault how far the run came in it.
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
    by_vault: tuple[VaultRun, ...] = ()

    @classmethod
    def begun(
        cls, *, run_id: str, trigger: Trigger, now: datetime, full: bool, dry_run: bool, vaults: tuple[str, ...]
    ) -> Self:
        """The report of a run that has done nothing yet: told as it begins, and when it is not carried out at all."""
        nothing = (VaultRun(url=url, complete=False, counts={}, smallest_days_left=None) for url in vaults)
        return cls(
            run_id=run_id,
            trigger=trigger,
            started_at=now,
            seconds=0.0,
            dry_run=dry_run,
            full=full,
            complete=False,
            vaults=vaults,
            vault_faults=(),
            counts={},
            tokens=(),
            problems=(),
            by_vault=tuple(nothing),
        )

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
        "label": problem.label,
        "vault": problem.vault,
        "severity": problem.severity,
        "tokens": problem.tokens,
        "sample": list(problem.sample),
        "since": None if problem.since is None else str(problem.since),
        "message": problem.message,
        "action": problem.action,
    }
