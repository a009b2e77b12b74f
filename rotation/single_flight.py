"""One call for each key, however many threads ask: the first makes it, the others wait for what it gets.

No key waits for another's call. What is asked for, and how long that may take, is left to the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class SingleFlight[Key: Hashable, Answer]:
    """Answers by key, each had once and kept, but for those that do not last.

    What does not last, and what a call raises, is for those alone who waited for it: who asks later calls again.
    """

    def __init__(self, *, lasts: Callable[[Answer], bool] = lambda _: True) -> None:
        self._lasts = lasts
        self._asking = threading.Lock()
        self._answers: dict[Key, Future[Answer]] = {}

    def get(self, key: Key, call: Callable[[], Answer]) -> Answer:
        """The answer that is kept, or that the call under way gets, or this one. Raises what that call raises."""
        with self._asking:
            answer = self._answers.get(key)
            first = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        if first:
            self._make(key, call, answer)
        return answer.result()

    def _make(self, key: Key, call: Callable[[], Answer], answer: Future[Answer]) -> None:
        try:
            found = call()
        except BaseException as error:  # noqa: BLE001 - the others wait for it: whatever it was, they must hear of it
            self._forget(key)
            answer.set_exception(error)
            return
        if not self._lasts(found):
            self._forget(key)
        answer.set_result(found)

    def _forget(self, key: Key) -> None:
        with self._asking:
            del self._answers[key]
