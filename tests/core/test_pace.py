"""The pace of a vault and the deadlines of a run, on a clock on which waiting costs no time."""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
import threading
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotation.pace import Clock, Deadlines, Pace


class TurnedClock:
    """A clock that moves when somebody sleeps on it or turns it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.seconds, sleep=self.sleep)


def permits(turned: TurnedClock, pace: Pace, count: int) -> list[float]:
    moments = []
    for _ in range(count):
        pace.take(until=math.inf)
        moments.append(turned.seconds)
    return moments


def most_within(moments: list[float], seconds: float) -> int:
    """The most permits in any span of that length, its two ends included."""
    return max(bisect.bisect_right(moments, first + seconds + 1e-9) - index for index, first in enumerate(moments))


def test_the_first_burst_waits_for_nothing_and_the_next_permit_does() -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=32, burst=10)
    permits(turned, pace, 10)
    assert turned.slept == []
    pace.take(until=math.inf)
    assert turned.slept == [1 / 32]


@pytest.mark.parametrize("idle", [0.0, 0.125, 60.0, 10_000.0])
def test_a_burst_after_a_rest_is_no_larger_than_the_first(idle: float) -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=32, burst=10)
    permits(turned, pace, 40)
    turned.seconds += idle
    moments = permits(turned, pace, 11)
    assert moments.count(moments[0]) == min(10, max(1, int(idle * 32)))


@given(st.lists(st.floats(0, 0.5) | st.floats(0, 15), min_size=1, max_size=30), st.integers(1, 60))
def test_a_vault_never_sees_more_than_its_limit_in_any_ten_seconds(rests: list[float], between: int) -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=29, burst=10)
    moments = []
    for rest in rests:
        turned.seconds += rest
        moments += permits(turned, pace, between)
    moments += permits(turned, pace, 320)
    assert most_within(moments, 10) <= 300


class Stores:
    """Workers that store a quarter of a second after each permit, but for times in which no store gets through.

    `stalls` are pairs of seconds: how long after the one before, and how long.
    """

    def __init__(self, stalls: list[tuple[float, float]], *, workers: int) -> None:
        self.seconds, self.moments = 1000.0, list[float]()
        ends = list(itertools.accumulate(itertools.chain.from_iterable(stalls), initial=self.seconds))[1:]
        self._stalls = list(itertools.batched(ends, 2, strict=True))
        self._worker = 0
        self._coming: list[tuple[float, int]] = []  # the store of a worker, at its moment
        self._free = list(range(workers))
        clock = Clock(monotonic=lambda: self.seconds, sleep=self.sleep)
        self._pace = Pace(clock, per_second=29, burst=10, holder=lambda: self._worker)

    def sleep(self, seconds: float) -> None:
        until, taking = self.seconds + seconds, self._worker
        while self._coming and self._coming[0][0] <= until:
            self._store_the_next()
        self.seconds, self._worker = until, taking

    def _store_the_next(self) -> None:
        moment, self._worker = heapq.heappop(self._coming)
        self.seconds = max(self.seconds, moment)
        self.moments.append(self.seconds)
        self._pace.end()
        self._free.append(self._worker)

    def rotate(self, tokens: int) -> list[float]:
        for _ in range(tokens):
            while not self._free:
                self._store_the_next()
            worker = self._worker = self._free.pop()
            self._pace.take(until=math.inf)
            heapq.heappush(self._coming, (self._through(self.seconds + 0.25), worker))
        while self._coming:
            self._store_the_next()
        return self.moments

    def _through(self, moment: float) -> float:
        return next((end for begin, end in self._stalls if begin <= moment < end), moment)


@example([(2.0, 3.0)], 16)
@given(st.lists(st.tuples(st.floats(0, 15), st.floats(0, 8)), max_size=5), st.sampled_from([1, 16, 64]))
def test_stores_that_come_late_and_together_are_within_the_limit_too(
    stalls: list[tuple[float, float]], workers: int
) -> None:
    assert most_within(Stores(stalls, workers=workers).rotate(700), 9.999) <= 300


def test_stores_that_take_as_long_as_ever_keep_the_pace() -> None:
    moments = Stores([], workers=16).rotate(2000)
    assert (len(moments) - 10) / (moments[-1] - moments[0]) == pytest.approx(29, rel=0.01)


def test_a_permit_that_was_never_taken_ends_nothing() -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=1, burst=1)
    for _ in range(100):
        pace.end()
    permits(turned, pace, 1)
    assert turned.slept == []


def test_nobody_waits_for_a_permit_that_comes_too_late() -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=1, burst=1)
    until = turned.seconds + 2.5
    given = [pace.take(until=until) for _ in range(5)]
    assert given == [True, True, True, False, False]
    assert turned.seconds == until


def test_a_permit_that_waits_for_stores_is_not_waited_for_too_long_either_and_what_was_not_had_does_not_end() -> None:
    turned = TurnedClock()
    holders = itertools.count()
    pace = Pace(turned.clock, per_second=1, burst=2, holder=lambda: next(holders))
    permits(turned, pace, 12)
    turned.seconds += 60
    until = turned.seconds + 7
    assert not pace.take(until=until)
    assert turned.seconds == until
    pace.end()
    assert not pace.has_permit()


def test_it_says_when_a_permit_would_have_to_be_waited_for() -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=32, burst=2)
    said = []
    for _ in range(3):
        said.append(pace.has_permit())
        pace.take(until=math.inf)
    assert said == [True, True, False]
    assert (turned.slept, pace.has_permit()) == ([1 / 32], False)
    turned.seconds += 1 / 32
    assert pace.has_permit()


def test_a_vault_whose_stores_do_not_end_has_no_permit_however_long_it_waits() -> None:
    turned = TurnedClock()
    holders = iter(range(100))
    pace = Pace(turned.clock, per_second=1, burst=2, holder=lambda: next(holders))
    permits(turned, pace, 12)
    turned.seconds += 60
    assert not pace.has_permit()


def test_in_the_long_run_the_pace_is_what_was_asked_for() -> None:
    turned = TurnedClock()
    pace = Pace(turned.clock, per_second=29)
    moments = permits(turned, pace, 1000)
    assert (len(moments) - 10) / (moments[-1] - moments[0]) == pytest.approx(29, rel=0.01)


def test_threads_that_wait_wait_beside_each_other() -> None:
    lock, waits = threading.Lock(), list[float]()

    def sleep(seconds: float) -> None:
        with lock:
            waits.append(seconds)

    pace = Pace(Clock(monotonic=lambda: 0.0, sleep=sleep), per_second=10, burst=2)
    threads = [threading.Thread(target=partial(pace.take, until=math.inf)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(waits) == [pytest.approx(tenth / 10) for tenth in range(1, 11)]


def test_the_deadlines_are_counted_from_now_and_the_second_from_the_first() -> None:
    turned = TurnedClock()
    deadlines = Deadlines.from_now(turned.clock, start_seconds=480, finish_seconds=120)
    assert (deadlines.start_until, deadlines.finish_until) == (1480.0, 1600.0)
    turned.seconds = 1479.999
    assert deadlines.may_start()
    turned.seconds = 1480.0
    assert not deadlines.may_start()


@pytest.mark.parametrize(("seconds", "slept"), [(119.999, True), (120.0, False), (1e9, False)])
def test_a_pause_that_would_end_too_late_is_not_begun(seconds: float, slept: bool) -> None:  # noqa: FBT001
    turned = TurnedClock()
    deadlines = Deadlines.from_now(turned.clock, start_seconds=0, finish_seconds=120)
    assert deadlines.pause(seconds) is slept
    assert turned.slept == ([seconds] if slept else [])
