"""The service limits of a vault: 300 creates of secrets and 4,000 other transactions in ten seconds.

From "Azure Key Vault service limits"; a refused request does not count ("Azure Key Vault throttling guidance").
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from emulators.keyvault.errors import ThrottledError

CREATES = 300
OTHERS = 4000
WINDOW_SECONDS = 10.0


class Throttle:
    """Two sliding windows per vault. `enabled` switches the limits; `retry_after` lets refusals say how long to wait.

    Safe to use from any thread.
    """

    def __init__(
        self,
        *,
        creates: int = CREATES,
        others: int = OTHERS,
        window_seconds: float = WINDOW_SECONDS,
        enabled: bool = True,
        retry_after: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.enabled = enabled
        self.retry_after = retry_after
        self._monotonic = monotonic
        self._window_seconds = window_seconds
        self._limits = {True: creates, False: others}
        self._taken: dict[bool, deque[float]] = {True: deque(), False: deque()}
        self._lock = threading.Lock()

    def take(self, *, create: bool) -> None:
        """Count one transaction; raises ThrottledError when its window is full."""
        if not self.enabled:
            return
        now = self._monotonic()
        with self._lock:
            taken = self._taken[create]
            while taken and taken[0] <= now - self._window_seconds:
                taken.popleft()
            if len(taken) >= self._limits[create]:
                raise ThrottledError(self._seconds_left(taken, now))
            taken.append(now)

    def age(self, delta: timedelta) -> None:
        """Let time pass: what was counted, was counted `delta` earlier."""
        with self._lock:
            for create, taken in self._taken.items():
                self._taken[create] = deque(moment - delta.total_seconds() for moment in taken)

    def _seconds_left(self, taken: deque[float], now: float) -> int | None:
        if not self.retry_after:
            return None
        oldest = taken[0] if taken else now
        return max(1, math.ceil(oldest + self._window_seconds - now))
