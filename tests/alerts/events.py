"""Rows of `AppEvents` as the product's telemetry sends them, written by hand: for what no real run does on demand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulators.alerting import Row
from rotation.reason import Reason

VAULT = "https://contoso-vault.vault.azure.net"
OTHER = "https://fabrikam-vault.vault.azure.net"
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
"""A Monday morning: when the rules of a test are deployed."""

SIX_HOURS = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one vault: what it finds (reason and subject), and what it proves good (subject and reasons).

    `told` changes what it says of what it finds; `problems_late` is by how much its problems are visible after its end.
    """

    at: datetime
    vault: str = VAULT
    trigger: str = "timer"
    full: bool = True
    complete: bool = True
    dry_run: bool = False
    killed: bool = False
    found: Sequence[tuple[Reason, str]] = ()
    proved: Mapping[str, str] = field(default_factory=dict)
    tokens: int = 1
    label: str = "Contoso Ltd"
    day: str = "2026-11-02"
    told: Mapping[str, str] = field(default_factory=dict)
    problems_late: timedelta = timedelta()

    def rows(self) -> list[Row]:
        """Its events, each a second after the one before."""
        if self.killed:
            return [self._row("rotation.started", 0)]
        problems = [] if self.dry_run else [*map(self._open, self.found), *map(_closed, self.proved.items())]
        found = str(len(self.found) * (not self.dry_run))
        return [
            self._row("rotation.started", 0),
            *(self._late(number, one) for number, one in enumerate(problems, start=1)),
            self._row("rotation.run", len(problems) + 1, complete=_said(self.complete), problems=found),
        ]

    def _late(self, number: int, problem: Mapping[str, str]) -> Row:
        row = self._row("rotation.problem", number, **problem)
        return {**row, "Visible": row["TimeGenerated"] + self.problems_late}

    def _open(self, found: tuple[Reason, str]) -> dict[str, str]:
        reason, subject = found
        return {
            "state": "open",
            "reason": reason,
            "severity": reason.severity,
            "unit": reason.unit.value,
            "subject": subject,
            "label": self.label,
            "tokens": str(self.tokens),
            "sample": subject,
            "message": "the issuer refused",
            "action": reason.action,
            "runbook": f"docs/runbook.md#{reason}",
            "since": "2026-11-02",
            "day": self.day,
            "fold": "" if "*" in subject else "*",
            "who": subject,
            **self.told,
        }

    def _row(self, name: str, seconds: int, **more: str) -> Row:
        properties = {
            "run_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.at}{self.trigger}")),
            "trigger": self.trigger,
            "vault": self.vault,
            "started_at": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "full": _said(self.full),
            "dry_run": _said(self.dry_run),
        }
        return {"TimeGenerated": self.at + timedelta(seconds=seconds), "Name": name, "Properties": properties | more}


def rows_of(*runs: Run) -> list[Row]:
    """The events of several runs."""
    return [row for run in runs for row in run.rows()]


def every_six_hours(first: datetime, count: int, **run: object) -> list[Run]:
    """The runs of the timer."""
    return [Run(at=first + number * SIX_HOURS, **run) for number in range(count)]  # type: ignore[arg-type]


def _closed(proved: tuple[str, str]) -> dict[str, str]:
    subject, reasons = proved
    return {"state": "closed", "unit": "token", "subject": subject, "reasons": reasons}


def _said(value: bool) -> str:  # noqa: FBT001 - what is said is the value
    return str(value).lower()
