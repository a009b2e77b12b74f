"""Every request of every run passes here: its turn comes, somebody acts, it fails, the process stops, it is noted.

What was armed for a run is spent on the first request that fits, and counted; what no request met is dropped when the
run ends. Faults are raised as `Broken`: the clients (`state_vault`, `state_issuer`) make of it what theirs would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.campaign.faults import Broken, Cell, Fault, ProcessStopped, RunsForEver
from tests.campaign.journal import AFTER, BEFORE, Journal, Request
from tests.campaign.turned_clock import TurnedClock
from tests.campaign.turns import Turns

STOPS = "the process stops"
_REQUEST_SECONDS = 0.02
_MOST_REQUESTS = 3000


@dataclass(slots=True, kw_only=True)
class Armed:
    """What meets a request of a kind, before or after its effect: a fault, an act, or the end of the process.

    The first `skip` requests that fit pass; `times` are met.
    """

    kind: str
    moment: str
    what: Fault | str
    act: Callable[[], None] | None = None
    skip: int = 0
    times: int = 1
    was_met: bool = False


@dataclass(slots=True)
class Tally:
    """How often each thing happened; a fault that meets several requests in a row counts once."""

    faults: Counter[Cell] = field(default_factory=Counter)
    acts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    stops: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what happened elsewhere."""
        self.faults += other.faults
        self.acts += other.acts
        self.stops += other.stops


@dataclass(slots=True)
class Gate:
    """`patience` is how long a client waits for an answer before it gives up, in seconds."""

    clock: TurnedClock
    journal: Journal
    tally: Tally
    turns: Turns = field(default_factory=Turns)
    armed: list[Armed] = field(default_factory=list)
    _requests: int = 0
    _stopped: set[int] = field(default_factory=set)

    def request[T](
        self,
        request: Request,
        call: Callable[[], T],
        *,
        patience: float,
        noting: Callable[[Request, T], Request] = lambda request, _: request,
    ) -> T:
        """Carry out one request. Raises Broken, ProcessStopped, and what the call raises: the cloud's refusal."""
        if request.run in self._stopped:  # what is unwound of a process that has stopped asks for nothing any more
            raise ProcessStopped
        self.turns.pass_on(request.run)
        self.clock.turn(_REQUEST_SECONDS)
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise RunsForEver
        try:
            self._meet(request, BEFORE, patience)
        finally:  # in the journal, what happens after the effect comes after the request
            position = len(self.journal.events)
            self.journal.events.append(request)
        answer = call()
        done = self.journal.events[position] = noting(replace(request, effect=True), answer)
        self._meet(request, AFTER, patience)
        self.journal.events[position] = replace(done, answered=True)
        return answer

    def _meet(self, request: Request, moment: str, patience: float) -> None:
        for armed in list(self.armed):
            if (armed.kind, armed.moment) == (request.kind, moment) and self._is_met(armed):
                self._happen(armed, request.run, patience)

    def _is_met(self, armed: Armed) -> bool:
        if armed.skip:
            armed.skip -= 1
            return False
        armed.times -= 1
        if not armed.times:
            self.armed.remove(armed)
        return True

    def _happen(self, armed: Armed, run: int, patience: float) -> None:
        first, armed.was_met = not armed.was_met, True
        if armed.act is not None:
            self.tally.acts[str(armed.what), armed.kind, armed.moment] += 1
            armed.act()
        elif isinstance(armed.what, Fault):
            self.tally.faults[armed.kind, armed.what, armed.moment] += first
            self._break(armed.what, patience)
        else:
            self.tally.stops[armed.kind, armed.moment] += 1
            self._stopped.add(run)
            raise ProcessStopped

    def _break(self, fault: Fault, patience: float) -> None:
        if fault is Fault.SLOW:
            self.clock.turn(patience - 1)
            return
        if fault is Fault.TIMEOUT:
            self.clock.turn(patience)
        raise Broken(fault)
