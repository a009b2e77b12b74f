"""Wait for what another thread or process does: as long as it takes there, and never for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONG = 120.0
"""Seconds that a test waits for what must happen: far more than a busy machine needs."""


def wait_until(what: Callable[[], object]) -> None:
    """Look every few milliseconds. Raises TimeoutError."""
    pause, end = threading.Event(), time.monotonic() + LONG
    while not what():
        if time.monotonic() > end:
            raise TimeoutError(f"it was not so within {LONG:.0f} seconds")
        pause.wait(0.005)
