"""Some runs at once, in an order that the schedule says: whoever is not on turn waits before its next request.

At most one thread of all is awake, so that the same schedule is the same story every time. A run must have one worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence


class Turns:
    """Hands the turn from one run to the next after each burst of requests; a run that has ended gives it away.

    `bursts` are numbers of requests: of the first run, of the second, and after the last run of the first again. After
    the last one each goes on to its end, the one on turn first.
    """

    def __init__(self, bursts: Sequence[int] = ()) -> None:
        self._changed = threading.Condition()
        self._bursts = list(bursts)
        self._on_turn = 0
        self._left = 0
        self._running: list[int] = []

    def play(self, runs: Sequence[Callable[[], object]], numbers: Sequence[int]) -> None:
        """Carry out runs, each with the number by which it asks for its turn; returns when all have ended."""
        if len(runs) == 1:
            runs[0]()
            return
        self._running, self._on_turn = list(numbers), numbers[0]
        self._next_burst()
        threads = [
            threading.Thread(target=self._carry_out, args=(number, run))
            for number, run in zip(numbers, runs, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pass_on(self, run: int) -> None:
        """Before a request of a run: wait until it is its turn."""
        if not self._running:
            return
        with self._changed:
            if self._left == 0 and self._bursts:
                self._hand_over(run)
            self._changed.wait_for(lambda: self._on_turn == run)
            self._left -= 1

    def _carry_out(self, number: int, run: Callable[[], object]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._on_turn == number)
        try:
            run()
        finally:
            with self._changed:
                self._running.remove(number)
                if self._running:
                    self._hand_over(number)

    def _hand_over(self, run: int) -> None:
        self._on_turn = min(self._running, key=lambda other: (other <= run, other == run, other))
        self._next_burst()
        self._changed.notify_all()

    def _next_burst(self) -> None:
        self._left = self._bursts.pop(0) if self._bursts else -1
