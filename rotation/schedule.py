"""Which token comes next: how the vaults share the workers, what is urgent in each, and its breakers.

The next token is of a vault whose pace has a permit to give, and of those of the one with the fewest tokens in flight:
nobody waits for the permits of one vault while another's are unused, and no vault that is slow keeps all the workers.
Within a vault the token that dies first comes first.

By the breakers one cause is found out once. A lane is all due tokens of an app behind the same client credentials of
one vault. Until the issuer has accepted one of them its tokens go one at a time, and three rejections close the lane;
until a vault has stored a version its tokens go one at a time, and a refused store closes the vault; an app that the
issuer throttles in a tenant is left in peace. Workers `take` and `give_back`; what they do in between is theirs.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rotation.credential_ref import CredentialRef
from rotation.outcome import Kind, Outcome
from rotation.policy import urgency
from rotation.reason import Reason, Unit
from rotation.token import ManagedToken

REJECTIONS_TO_CLOSE = 3
STRANDS_TO_CLOSE = 3

type _Turn = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a breaker is open: the reason and the subject of the problem that opened it."""

    reason: Reason
    subject: str


@dataclass(slots=True, eq=False)
class Lane:
    """The due tokens of an app behind the same client credentials of one vault, the most urgent last."""

    vault: str
    client_id: str
    credentials: tuple[CredentialRef, ...]
    waiting: list[tuple[_Turn, ManagedToken]] = field(default_factory=list)
    accepted: CredentialRef | None = None
    rejections: int = 0
    closed: Cause | None = None
    queued: bool = False


@dataclass(slots=True, eq=False)
class _VaultLanes:
    """The lanes of one vault that may send a token now, the most urgent first."""

    lanes: list[tuple[_Turn, Lane]] = field(default_factory=list)
    stored: bool = False
    in_flight: int = 0
    strands: int = 0
    closed: Cause | None = None

    @property
    def admits(self) -> bool:
        return bool(self.lanes) and (self.stored or self.in_flight == 0)


@dataclass(frozen=True, slots=True)
class Turn:
    """A token whose turn it is, in its lane; `closed` tells a worker to end it with the breaker's cause instead."""

    token: ManagedToken
    lane: Lane
    closed: Cause | None


class Schedule:
    """Hands out tokens to workers, as far as the breakers allow. Safe for several threads.

    `has_permit` says of a vault, by its address, whether a token could be stored there now without waiting.
    """

    def __init__(
        self, tokens: Iterable[ManagedToken], *, may_start: Callable[[], bool], has_permit: Callable[[str], bool]
    ) -> None:
        self._changed = threading.Condition()
        self._may_start = may_start
        self._has_permit = has_permit
        self._vaults: dict[str, _VaultLanes] = defaultdict(_VaultLanes)
        self._throttled: dict[tuple[str, str], Cause] = {}
        self._left = 0
        self._stopped = False
        for lane in _lanes(tokens):
            self._left += len(lane.waiting)
            self._queue(lane)

    def take(self) -> Turn | None:
        """The next token, waiting while others prove a credential or a vault; None when there is none."""
        with self._changed:
            while self._left and self._may_start() and not self._stopped:
                turn = self._next()
                if turn is not None:
                    return turn
                self._changed.wait(timeout=1.0)  # the deadline may pass while nothing changes
            return None

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def remaining(self) -> Iterator[ManagedToken]:
        """What was not started when the time was over. For after the workers have ended."""
        lanes = {id(lane): lane for vault in self._vaults.values() for _, lane in vault.lanes}
        for lane in lanes.values():
            yield from (token for _, token in reversed(lane.waiting))

    def accepted(self, lane: Lane, ref: CredentialRef) -> None:
        """The issuer accepted a credential of the lane: its tokens need not wait for each other any more."""
        with self._changed:
            lane.accepted, lane.rejections = ref, 0
            self._queue(lane)
            self._changed.notify_all()

    def stored(self, lane: Lane) -> None:
        """The vault stored a version: its tokens need not wait for each other any more."""
        with self._changed:
            self._vaults[lane.vault].stored = True
            self._vaults[lane.vault].strands = 0
            self._changed.notify_all()

    def give_back(self, turn: Turn, outcome: Outcome) -> None:
        """Say how a token ended; its outcome may open a breaker."""
        with self._changed:
            vault = self._vaults[turn.lane.vault]
            vault.in_flight -= 1
            cause = Cause(outcome.reason, outcome.subject)
            vault.strands += outcome.kind is Kind.STRANDED
            if outcome.closes_vault or vault.strands >= STRANDS_TO_CLOSE:
                vault.closed = vault.closed or cause
            elif outcome.reason.unit is Unit.CREDENTIAL and turn.closed is None:
                self._rejected(turn.lane, cause)
            elif outcome.reason is Reason.THROTTLED:
                self._throttled[turn.token.client_id, turn.token.tenant_id] = cause
            self._queue(turn.lane)
            self._changed.notify_all()

    def _rejected(self, lane: Lane, cause: Cause) -> None:
        lane.rejections += 1
        if lane.rejections >= REJECTIONS_TO_CLOSE or cause.reason is Reason.CLIENT_CREDENTIAL_MISSING:
            lane.closed = lane.closed or cause

    def _next(self) -> Turn | None:
        admitting = [url for url, vault in self._vaults.items() if vault.admits]
        if not admitting:
            return None
        vault = self._vaults[min(admitting, key=self._standing)]
        _, lane = heapq.heappop(vault.lanes)
        lane.queued = False
        _, token = lane.waiting.pop()
        self._left -= 1
        vault.in_flight += 1
        closed = vault.closed or lane.closed or self._throttled.get((token.client_id, token.tenant_id))
        if lane.accepted is not None:
            self._queue(lane)
        return Turn(token, lane, closed)

    def _standing(self, url: str) -> tuple[bool, int, _Turn]:
        """Where a vault stands among those that admit a token: the least comes next."""
        vault = self._vaults[url]
        return not self._has_permit(url), vault.in_flight, vault.lanes[0][0]

    def _queue(self, lane: Lane) -> None:
        if lane.waiting and not lane.queued:
            lane.queued = True
            heapq.heappush(self._vaults[lane.vault].lanes, (lane.waiting[-1][0], lane))


def _lanes(tokens: Iterable[ManagedToken]) -> Iterable[Lane]:
    lanes: dict[tuple[str, str, tuple[CredentialRef, ...]], Lane] = {}
    ticket = itertools.count()
    for token in sorted(tokens, key=urgency, reverse=True):
        whose = token.vault, token.client_id, token.credentials  # one managed identity may stand for several apps
        lane = lanes.setdefault(whose, Lane(*whose))
        lane.waiting.append(((urgency(token), -next(ticket)), token))
    return lanes.values()
