"""One call for each key: what threads that ask at once get, what is kept, and who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from rotation.single_flight import SingleFlight

PATIENCE_SECONDS = 5.0


class Door:
    """A call that waits in front of a door; how often it was made."""

    def __init__(self, call: Callable[[], str]) -> None:
        self._call = call
        self.made = 0
        self.under_way, self.open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.made += 1
        self.under_way.set()
        assert self.open.wait(PATIENCE_SECONDS)
        return self._call()


def asked_by_many(flight: SingleFlight[str, str], door: Door) -> list[Future[str]]:
    """Eight threads ask for one key while the call of the first is under way; it ends when all have asked."""
    asking = threading.Barrier(8)

    def ask() -> str:
        asking.wait(PATIENCE_SECONDS)
        return flight.get("key", door)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
        assert door.under_way.wait(PATIENCE_SECONDS)
        door.open.set()
    return answers


def test_threads_that_ask_at_once_make_one_call_and_its_answer_is_kept() -> None:
    flight, door = SingleFlight[str, str](), Door(lambda: "answer")
    assert {answer.result() for answer in asked_by_many(flight, door)} == {"answer"}
    assert flight.get("key", lambda: "another") == "answer"
    assert door.made == 1


def test_a_call_that_takes_its_time_holds_up_no_other_key() -> None:
    flight, slow = SingleFlight[str, str](), Door(lambda: "slow")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flight.get, "slow", slow)
        assert slow.under_way.wait(PATIENCE_SECONDS)
        assert flight.get("other", lambda: "at once") == "at once"
        slow.open.set()
        assert first.result() == "slow"


def test_what_a_call_raises_is_raised_to_who_waits_for_it_and_who_asks_later_calls_again() -> None:
    def fail() -> str:
        raise ConnectionResetError

    flight, door = SingleFlight[str, str](), Door(fail)
    answers = asked_by_many(flight, door)
    assert all(isinstance(answer.exception(), ConnectionResetError) for answer in answers)
    assert flight.get("key", lambda: "later") == "later"


def test_what_does_not_last_is_an_answer_once() -> None:
    flight = SingleFlight[str, str](lasts=lambda answer: answer != "busy")
    answers = [flight.get("key", lambda said=said: said) for said in ("busy", "well", "never asked")]  # type: ignore[misc]
    assert answers == ["busy", "well", "well"]


@pytest.mark.parametrize("nothing", ["", None])
def test_an_answer_that_is_nothing_is_an_answer(nothing: str | None) -> None:
    flight = SingleFlight[str, str | None]()
    assert [flight.get("key", lambda: nothing), flight.get("key", lambda: "something")] == [nothing, nothing]
