"""The workers of a run: each takes the next token of the schedule, rotates it, and gives it back with its outcome.

One token's failure, a fault of our own included, ends in its own outcome and touches no other token. Which token is
next is left to `schedule`, what is done to it to `rotate`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace

from rotation.lane_credentials import ClientProofs, LaneCredentials
from rotation.outcome import Kind, Outcome, outcome_of, standing_of
from rotation.pace import Deadlines
from rotation.plan import Plan
from rotation.reason import Reason
from rotation.rotate import Context, rotate
from rotation.schedule import Cause, Lane, Schedule, Turn
from rotation.token import ManagedToken

_logger = logging.getLogger(__name__)

type Progress = Callable[[int, int], None]
"""Called with the number of due tokens that are done, and the number of all of them."""


def no_progress(_done: int, _due: int) -> None:
    """For a door that shows none."""


def act(
    plan: Plan,
    contexts: Mapping[str, Context],
    deadlines: Deadlines,
    *,
    workers: int,
    list_all: bool,
    progress: Progress,
) -> None:
    """Rotate what is due, and tell the plan every outcome; what is not started in time is deferred."""
    if not plan.due:
        return
    schedule = Schedule(plan.due, may_start=deadlines.may_start, has_permit=lambda url: contexts[url].pace.has_permit())
    crew = _Crew(plan, schedule, contexts, list_all=list_all, progress=progress)
    hands = min(workers, len(plan.due))
    with ThreadPoolExecutor(hands, thread_name_prefix="rotate") as pool:
        # In the context of the invocation: the host drops a line of the log that it cannot ascribe to one.
        working = [pool.submit(copy_context().run, crew.work) for _ in range(hands)]
        try:
            wait(working, return_when=FIRST_EXCEPTION)
        finally:  # whatever ended the wait: what is under way is finished, and nothing more is started
            schedule.stop()
    for worker in working:
        worker.result()
    for token in schedule.remaining():
        plan.tell(_nothing_learned(token, Kind.DEFERRED, Reason.OUT_OF_TIME, contexts[token.vault]), list_all=True)


class _Crew:
    def __init__(
        self, plan: Plan, schedule: Schedule, contexts: Mapping[str, Context], *, list_all: bool, progress: Progress
    ) -> None:
        self._plan = plan
        self._schedule = schedule
        self._contexts = contexts
        self._list_all = list_all
        self._progress = progress
        self._due = len(plan.due)
        self._done = 0
        self._telling = threading.Lock()
        self._lanes: dict[Lane, LaneCredentials] = {}
        self._proofs = {url: ClientProofs(context.vault) for url, context in contexts.items()}

    def work(self) -> None:
        """Until there is nothing left to take."""
        while (turn := self._schedule.take()) is not None:
            outcome = self._guarded(turn)
            self._schedule.give_back(turn, outcome)
            with self._telling:
                self._done += 1
                self._plan.tell(outcome, list_all=self._list_all)
                self._progress(self._done, self._due)

    def _guarded(self, turn: Turn) -> Outcome:
        context = self._contexts[turn.lane.vault]
        try:
            return self._outcome(turn, context)
        except Exception as fault:  # noqa: BLE001 - a fault of ours is this token's outcome; its text may hold anything
            kind = type(fault).__name__
            _logger.error("rotation.fault %s in %s", kind, turn.token.name)  # noqa: TRY400 - a traceback shows its text
            message = f"a fault of this program ({kind}): please report it"
            return _nothing_learned(turn.token, Kind.FAILED, Reason.UNCLASSIFIED, context, message)

    def _outcome(self, turn: Turn, context: Context) -> Outcome:
        if turn.closed is not None:
            return _not_tried(turn.token, turn.closed, context)
        try:
            return rotate(turn.token, context=context, credentials=self._credentials(turn.lane))
        finally:
            context.pace.end()

    def _credentials(self, lane: Lane) -> LaneCredentials:
        with self._telling:
            if lane not in self._lanes:
                proofs = self._proofs[lane.vault]
                self._lanes[lane] = LaneCredentials(lane, self._schedule, proofs, self._plan.refusals.append)
            return self._lanes[lane]


def _not_tried(token: ManagedToken, cause: Cause, context: Context) -> Outcome:
    message = f"not tried, because of {cause.reason} ({cause.subject or token.vault})"
    outcome = _nothing_learned(token, Kind.DEFERRED, Reason.BREAKER_OPEN, context, message)
    return replace(outcome, because=cause.reason, subject=cause.subject)


def _nothing_learned(token: ManagedToken, kind: Kind, reason: Reason, context: Context, message: str = "") -> Outcome:
    """The outcome of a token that was not tried, or not to the end: what failed before still stands."""
    outcome = outcome_of(token, kind, reason, now=context.now, message=message)
    return replace(outcome, standing=standing_of(token))
