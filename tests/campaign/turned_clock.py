"""One clock for everybody in a schedule: the job, the vault, the issuer, the operators. It moves when it is turned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 11, 21, 6, 17, tzinfo=UTC)


class TurnedClock:
    """Seconds since the schedule began, and the moment that this is. Whoever runs has it to themselves (`turns`)."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._seconds

    def now(self) -> datetime:
        """The moment."""
        return _START + timedelta(seconds=self._seconds)

    def turn(self, seconds: float = 1.0, *, days: float = 0) -> None:
        """Let time pass. What is to be done meanwhile is done at its moment, and may take its own time beside."""
        until = self._seconds + (seconds if not days else timedelta(days=days).total_seconds())
        while due := sorted((alarm for alarm in self._alarms if alarm[0] <= until), key=lambda alarm: alarm[0]):
            self._alarms.remove(due[0])
            self._seconds = max(self._seconds, due[0][0])
            due[0][1]()
        self._seconds = max(self._seconds, until)

    def repeat(self, step: Callable[[], float | None], first: float, name: str) -> Callable[[float], None]:
        """A Repeat of `rotation.blob_lease` on this clock."""
        del name
        ended = threading.Event()

        def ring() -> None:
            wait = None if ended.is_set() else step()
            if wait is not None:
                self._alarms.append((self._seconds + wait, ring))

        self._alarms.append((self._seconds + first, ring))
        return lambda _: ended.set()
