"""A thread that hands things on in chunks, so that whoever sends them waits as long as it said and no longer.

What is counted as delivered was taken, chunk by chunk, by whoever is behind `deliver`. What it is that is sent, and
where to, is left to `telemetry`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched, groupby
from queue import SimpleQueue

CHUNK = 500
"""Things in one request: about half a megabyte of events."""


@dataclass(slots=True, eq=False)
class _Parcel[T]:
    things: Sequence[T]
    given_up: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Outbox[T]:
    """Delivers from a thread of its own, in the order of sending; close it to end the thread.

    `deliver` says whether a chunk was taken. The first that was not ends its parcel: what comes after says that
    everything before it is there. A chunk may be taken in part, so what `stands_apart` shares none with the rest. The
    thread never keeps a process alive; `ended` is the last that it calls.
    """

    def __init__(
        self,
        deliver: Callable[[Sequence[T]], bool],
        *,
        ended: Callable[[], None],
        stands_apart: Callable[[T], bool] = lambda _: False,
    ) -> None:
        self._deliver = deliver
        self._stands_apart = stands_apart
        self._ended = ended
        self._parcels: SimpleQueue[_Parcel[T] | None] = SimpleQueue()
        self._given_up = False
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self.sent = 0
        self.delivered = 0
        self._thread.start()

    def send(self, things: Sequence[T], *, within: float) -> None:
        """Hand things over, and wait until they are delivered, given up, or so many seconds are over.

        With seconds given, what has not begun to leave by then stays here; with none it leaves when it can.
        """
        if not things:
            return
        self.sent += len(things)
        parcel = _Parcel(things)
        self._parcels.put(parcel)
        if within and not parcel.done.wait(within):
            parcel.given_up = True

    def close(self, *, within: float) -> None:
        """Wait so many seconds for what is still to be delivered, then give it up."""
        self._parcels.put(None)
        self._thread.join(within)
        self._given_up = True

    @property
    def lost(self) -> int:
        """How many things were sent and, as far as is known, did not arrive."""
        return self.sent - self.delivered

    def _chunks(self, things: Sequence[T]) -> Iterator[Sequence[T]]:
        for _, alike in groupby(things, key=self._stands_apart):
            yield from batched(alike, CHUNK, strict=False)

    def _work(self) -> None:
        while (parcel := self._parcels.get()) is not None:
            for chunk in self._chunks(parcel.things):
                if parcel.given_up or self._given_up or not self._deliver(chunk):
                    break
                self.delivered += len(chunk)
            parcel.done.set()
        self._ended()


class Gathering[T]:
    """Gathers things as they come, from any thread, and sends each full chunk without anybody waiting for it.

    To one outbox after the other: with several of them as many requests are under way at a time, in no order.
    """

    def __init__(self, *outboxes: Outbox[T]) -> None:
        self._outboxes = outboxes
        self._turns = itertools.cycle(outboxes)
        self._gathered: list[T] = []
        self._adding = threading.Lock()

    def add(self, thing: T) -> None:
        """Keep it until the chunk is full."""
        with self._adding:
            self._gathered.append(thing)
            if len(self._gathered) >= CHUNK:
                self._hand_on()

    def close(self, *, within: float) -> None:
        """Hand on the rest, give all that is on its way so many seconds, and give up what has not left by then."""
        with self._adding:
            self._hand_on()
        until = time.monotonic() + within
        for outbox in self._outboxes:
            outbox.close(within=max(0.0, until - time.monotonic()))

    @property
    def sent(self) -> int:
        """How many things were handed on."""
        return sum(outbox.sent for outbox in self._outboxes)

    @property
    def lost(self) -> int:
        """How many of them, as far as is known, did not arrive."""
        return sum(outbox.lost for outbox in self._outboxes)

    def _hand_on(self) -> None:
        next(self._turns).send(self._gathered, within=0)
        self._gathered = []
