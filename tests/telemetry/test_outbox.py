"""The thread that hands things on: in order, in chunks, and without keeping anybody longer than was said."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rotation.outbox import CHUNK, Gathering, Outbox
from tests.waiting import LONG


class Receiver:
    """Takes chunks, or refuses those that come at given turns, or waits at a gate; `begun` once there is a chunk."""

    def __init__(self, *, refused: Sequence[int] = (), gate: threading.Event | None = None) -> None:
        self.chunks: list[list[int]] = []
        self.begun, self.ended = threading.Event(), threading.Event()
        self._refused = refused
        self._gate = gate
        self._turn = 0

    def deliver(self, chunk: Sequence[int]) -> bool:
        self.begun.set()
        if self._gate is not None:
            self._gate.wait(LONG)
        self._turn += 1
        if self._turn in self._refused:
            return False
        self.chunks.append(list(chunk))
        return True

    def outbox(self) -> Outbox[int]:
        return Outbox(self.deliver, ended=self.ended.set)


def test_what_is_sent_is_delivered_in_order_and_in_chunks() -> None:
    receiver = Receiver()
    outbox = receiver.outbox()
    outbox.send(range(CHUNK * 2 + 1), within=LONG)
    outbox.close(within=LONG)
    assert [len(chunk) for chunk in receiver.chunks] == [CHUNK, CHUNK, 1]
    assert [number for chunk in receiver.chunks for number in chunk] == list(range(CHUNK * 2 + 1))
    assert (outbox.lost, receiver.ended.is_set()) == (0, True)


def test_nothing_is_sent_for_nothing() -> None:
    receiver = Receiver()
    outbox = receiver.outbox()
    outbox.send([], within=LONG)
    outbox.close(within=LONG)
    assert (receiver.chunks, outbox.sent) == ([], 0)


def test_a_chunk_that_was_refused_ends_its_parcel_and_no_other() -> None:
    receiver = Receiver(refused=[2])
    outbox = receiver.outbox()
    outbox.send(range(CHUNK * 3), within=LONG)
    outbox.send([1], within=LONG)
    outbox.close(within=LONG)
    assert [len(chunk) for chunk in receiver.chunks] == [CHUNK, 1]
    assert (outbox.lost, outbox.sent) == (CHUNK * 2, CHUNK * 3 + 1)


def test_who_sends_goes_on_when_the_seconds_are_over_and_the_rest_stays_here() -> None:
    gate = threading.Event()
    receiver = Receiver(gate=gate)
    outbox = receiver.outbox()
    outbox.send(range(CHUNK * 2), within=0.5)
    assert receiver.begun.is_set()
    assert outbox.lost == CHUNK * 2
    gate.set()
    outbox.close(within=LONG)
    assert [len(chunk) for chunk in receiver.chunks] == [CHUNK]  # it was on its way already
    assert outbox.lost == CHUNK


def test_without_seconds_nobody_waits_and_it_leaves_when_it_can() -> None:
    gate = threading.Event()
    receiver = Receiver(gate=gate)
    outbox = receiver.outbox()
    outbox.send([1], within=0)
    outbox.send([2], within=0)
    gate.set()
    outbox.close(within=LONG)
    assert (receiver.chunks, outbox.lost) == ([[1], [2]], 0)


def test_closing_gives_up_what_does_not_leave_in_time_and_the_thread_still_ends() -> None:
    gate = threading.Event()
    receiver = Receiver(gate=gate)
    outbox = receiver.outbox()
    outbox.send(range(CHUNK * 3), within=0)
    assert receiver.begun.wait(LONG)
    outbox.close(within=0.01)
    gate.set()
    assert receiver.ended.wait(LONG)
    assert len(receiver.chunks) == 1


def test_what_stands_apart_shares_no_chunk_with_what_it_says_is_there() -> None:
    receiver = Receiver()
    outbox: Outbox[int] = Outbox(receiver.deliver, ended=receiver.ended.set, stands_apart=lambda number: number > 6)
    outbox.send(range(9), within=LONG)
    outbox.close(within=LONG)
    assert receiver.chunks == [[0, 1, 2, 3, 4, 5, 6], [7, 8]]


def test_what_is_gathered_leaves_by_the_chunk_as_it_comes_and_the_rest_at_the_end() -> None:
    receiver = Receiver()
    gathering = Gathering(receiver.outbox())
    for number in range(CHUNK + 1):
        gathering.add(number)
    assert gathering.sent == CHUNK
    gathering.close(within=LONG)
    assert [len(chunk) for chunk in receiver.chunks] == [CHUNK, 1]
    assert (gathering.sent, gathering.lost) == (CHUNK + 1, 0)


def test_a_request_that_hangs_holds_up_none_beside_it_and_nobody_for_longer_than_was_said() -> None:
    gate = threading.Event()
    stuck, well = Receiver(gate=gate), Receiver()
    gathering = Gathering(stuck.outbox(), well.outbox())
    for number in range(CHUNK * 4):
        gathering.add(number)
    gathering.close(within=0.2)
    assert (gathering.lost, len(well.chunks)) == (CHUNK * 2, 2)
    gate.set()
    assert stuck.ended.wait(LONG)
    assert len(stuck.chunks) == 1  # the one that was on its way; the next was given up


def test_several_threads_gather_each_thing_once() -> None:
    receiver = Receiver()
    gathering = Gathering(receiver.outbox())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(gathering.add, range(CHUNK * 4 - 1)))
    gathering.close(within=LONG)
    assert sorted(number for chunk in receiver.chunks for number in chunk) == list(range(CHUNK * 4 - 1))
