"""What a version's tags remember of the runs before: the streak of its failures, and what its rotation warned of.

Pure: two values and the form in which a tag keeps each. Which tag that is and what else a record holds is left to
`token`, what follows from it to `policy` and `problem`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from rotation.reason import TRANSIENT, Reason, Severity

_LASTING_DAYS = 2
_LEFT_BEHIND = frozenset(
    {Reason.MFA_MISSING, Reason.DISABLE_FAILED, Reason.CONCURRENT_WRITE}
)  # what no list of secrets shows by itself


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The current streak of failures of one version, as the tag `last-failure` keeps it: days count, not runs."""

    reason: Reason
    days: int
    first_seen: date
    last_seen: date
    version: str

    @property
    def lasts(self) -> bool:
        """Whether the streak is a problem: what passes by itself, or names no cause, is one when it lasts two days."""
        return self.days >= _LASTING_DAYS or self.reason not in (*TRANSIENT, Reason.TOKEN_REJECTED)

    def __str__(self) -> str:
        return ";".join((self.reason, str(self.days), str(self.first_seen), str(self.last_seen), self.version))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the tag's form. Raises ValueError when it is not of that form."""
        reason, days, first_seen, last_seen, version = text.split(";")
        if int(days) < 1:
            raise ValueError("a streak lasts a day at least")
        if Reason(reason).severity is Severity.NONE:
            raise ValueError("what needs nobody is no failure")
        return cls(Reason(reason), int(days), date.fromisoformat(first_seen), date.fromisoformat(last_seen), version)


@dataclass(frozen=True, slots=True)
class LastWarning:
    """What the last rotation warned of, as the tag `last-warning` keeps it; it stands until a rotation without it."""

    reasons: tuple[Reason, ...]
    first_seen: date

    def __str__(self) -> str:
        return f"{','.join(self.reasons)};{self.first_seen}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the tag's form. Raises ValueError when it is not of that form."""
        reasons, first_seen = text.split(";")
        found = tuple(Reason(reason) for reason in reasons.split(","))
        if not _LEFT_BEHIND.issuperset(found):
            raise ValueError("no rotation leaves that behind")
        return cls(found, date.fromisoformat(first_seen))

    @classmethod
    def after(cls, previous: Self | None, warnings: Iterable[Reason], *, today: date) -> Self | None:
        """What a rotation with these warnings leaves behind; one that the last rotation left too is as old as that."""
        reasons = tuple(reason for reason in dict.fromkeys(warnings) if reason in _LEFT_BEHIND)
        if not reasons:
            return None
        goes_on = previous is not None and not set(reasons).isdisjoint(previous.reasons)
        return cls(reasons, previous.first_seen if previous is not None and goes_on else today)
