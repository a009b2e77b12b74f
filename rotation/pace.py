"""Time within a run: the two deadlines, and the pace at which versions are created in one vault.

Both take their clock and their sleep from outside, as one `Clock`. What is worth waiting for is decided in `storing`,
`redeeming` and `schedule`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """A monotonic clock in seconds and the sleep that belongs to it."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def never() -> bool:
    """For a run that nobody can stop early."""
    return False


@dataclass(frozen=True, slots=True)
class Deadlines:
    """No token is started after `start_until` or once `stopped`; what was started ends by `finish_until`."""

    clock: Clock
    start_until: float
    finish_until: float
    stopped: Callable[[], bool] = never

    @classmethod
    def from_now(
        cls, clock: Clock, *, start_seconds: float, finish_seconds: float, stopped: Callable[[], bool] = never
    ) -> Deadlines:
        """Deadlines counted from this moment; `finish_seconds` come on top of `start_seconds`."""
        begun = clock.monotonic()
        return cls(clock, begun + start_seconds, begun + start_seconds + finish_seconds, stopped)

    def may_start(self) -> bool:
        """Whether another token may still be started."""
        return self.clock.monotonic() < self.start_until and not self.stopped()

    def is_over(self) -> bool:
        """Whether what was started should have ended."""
        return self.clock.monotonic() >= self.finish_until

    def pause(self, seconds: float) -> bool:
        """Sleep that long, or say False at once when the finish deadline comes first."""
        if self.clock.monotonic() + seconds >= self.finish_until:
            return False
        self.clock.sleep(seconds)
        return True


class Pace:
    """A token bucket: at most `per_second` permits a second in the long run, and a burst of `burst` at once.

    Key Vault allows 300 creates in 10 seconds and vault (Azure Key Vault service limits); the bucket stays below that
    from the first second on, because a redeemed token that waits for a throttled store exists only in memory.
    """

    def __init__(self, clock: Clock, *, per_second: float, burst: int = 10) -> None:
        self._clock = clock
        self._interval = 1.0 / per_second
        self._credit = burst * self._interval
        self._lock = threading.Lock()
        self._next = clock.monotonic() - self._credit

    def take(self) -> None:
        """Wait for a permit."""
        with self._lock:
            now = self._clock.monotonic()
            self._next = max(self._next, now - self._credit) + self._interval
            wait = self._next - now
        if wait > 0:
            self._clock.sleep(wait)
