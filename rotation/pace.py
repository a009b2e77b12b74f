"""Time within a run: the two deadlines, and the pace at which versions are created in one vault.

Both take their clock and their sleep from outside, as one `Clock`. What is worth waiting for is decided in `storing`,
`redeeming` and `schedule`.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_WINDOW_SECONDS, _LEAST_WAIT_SECONDS = 10.0, 0.001


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

    @classmethod
    def none(cls, clock: Clock) -> Deadlines:
        """For what may take as long as it takes."""
        return cls(clock, math.inf, math.inf)

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
    """At most `per_second` permits a second in the long run, a burst of `burst` at once, and a window that holds.

    Key Vault allows 300 creates in 10 seconds and vault (Azure Key Vault service limits). The bucket stays below that
    from the first second on, because a redeemed token that waits for a throttled store exists only in memory. But it
    counts permits, and the vault counts stores, which may come late and together: so a permit is only given while those
    that are out and those that ended within the last ten seconds are fewer than ten seconds allow. A version that is
    stored while its permit is out is then within the limit, however long the issuer took; a store that has to be
    repeated, and a re-consent that is put back, are rare and not counted.
    """

    def __init__(
        self, clock: Clock, *, per_second: float, burst: int = 10, holder: Callable[[], int] = threading.get_ident
    ) -> None:
        self._clock = clock
        self._interval = 1.0 / per_second
        self._credit = burst * self._interval
        self._most = int(per_second * _WINDOW_SECONDS) + burst
        self._lock = threading.Lock()
        self._next = clock.monotonic() - self._credit
        self._holder = holder
        self._out: set[int] = set()
        self._ended: deque[float] = deque()

    def take(self, *, until: float) -> bool:
        """Wait for a permit, which is the thread's until `end`; False when there is none by that moment."""
        with self._lock:
            now = self._clock.monotonic()
            self._next = max(self._next, now - self._credit) + self._interval
            wait = self._next - now
        while wait > 0 or (wait := self._without_room()) > 0:
            left = until - self._clock.monotonic()
            if left > 0:
                self._clock.sleep(min(wait, left))
            if left < wait:
                return False
            wait = 0.0
        return True

    def has_permit(self) -> bool:
        """Whether `take` would not wait now."""
        with self._lock:
            now = self._clock.monotonic()
            return max(self._next, now - self._credit) + self._interval <= now and self._has_room(now)

    def end(self) -> None:
        """The thread has stored what its permit was for, or never will; nothing for a thread without one."""
        with self._lock:
            if self._holder() in self._out:
                self._out.remove(self._holder())
                self._ended.append(self._clock.monotonic())

    def _without_room(self) -> float:
        """How long to wait before there may be room; 0 once the permit is out."""
        with self._lock:
            now = self._clock.monotonic()
            if self._has_room(now):
                self._out.add(self._holder())
                return 0.0
            left = self._ended[0] + _WINDOW_SECONDS - now if self._ended else self._interval
            return max(left, _LEAST_WAIT_SECONDS)

    def _has_room(self, now: float) -> bool:
        while self._ended and self._ended[0] <= now - _WINDOW_SECONDS:
            self._ended.popleft()
        return len(self._out) + len(self._ended) < self._most
