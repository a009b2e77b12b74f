"""One clock for everybody in a schedule: the job, the vault, the issuer, the operators. It moves when it is turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 11, 21, 6, 17, tzinfo=UTC)


class TurnedClock:
    """Seconds since the schedule began, and the moment that this is. Whoever runs has it to themselves (`turns`)."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._seconds

    def now(self) -> datetime:
        """The moment."""
        return _START + timedelta(seconds=self._seconds)

    def turn(self, seconds: float = 1.0, *, days: float = 0) -> None:
        """Let time pass."""
        self._seconds += seconds if not days else timedelta(days=days).total_seconds()
