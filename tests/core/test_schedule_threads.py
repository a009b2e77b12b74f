"""Many workers on one schedule: every token is taken exactly once, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from rotation.schedule import Schedule, Turn
from rotation.token import ManagedToken
from tests.core.records import DAY, outcome, redeemed

WORKERS = 24
LONGEST_SECONDS = 60.0
"""Far more than they need; those who wait for ever are left behind."""

ENDINGS = [
    *[outcome(Reason.DUE, kind=Kind.ROTATED)] * 6,
    outcome(Reason.CLIENT_CREDENTIAL_INVALID),
    outcome(Reason.CLIENT_CREDENTIAL_MISSING),
    outcome(Reason.TOKEN_REVOKED),
    outcome(Reason.THROTTLED),
    replace(outcome(Reason.STRANDED_TOKEN, kind=Kind.STRANDED), closes_vault=True),
]


def tokens_of(count: int, seed: int) -> list[ManagedToken]:
    chance = random.Random(seed)  # noqa: S311 - an order, not a secret
    return [
        replace(
            redeemed(chance.randint(7, 89) * DAY, {"client-credential": f"secret:app-{number % 7}"}, name=f"t{number}"),
            vault=f"https://vault-{number % 3}.vault.azure.net",
        )
        for number in range(count)
    ]


class Crew:
    """Workers that end each turn by chance, and check that no unproven lane or vault ever had two of them."""

    def __init__(self, schedule: Schedule, seed: int) -> None:
        self.schedule = schedule
        self.taken: Counter[tuple[str, str]] = Counter()
        self.broken: list[str] = []
        self._chance = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._lanes: Counter[int] = Counter()

    def run(self, workers: int = WORKERS) -> bool:
        """Whether all of them came to an end."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + LONGEST_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _work(self) -> None:
        while (turn := self.schedule.take()) is not None:
            self._end(turn)

    def _end(self, turn: Turn) -> None:
        with self._lock:
            self.taken[turn.token.vault, turn.token.name] += 1
            self._lanes[id(turn.lane)] += 1
            if not turn.lane.accepted and self._lanes[id(turn.lane)] > 1:
                self.broken.append(turn.token.name)
            ending = self._chance.choice(ENDINGS)
        if ending.kind is Kind.ROTATED and turn.closed is None:
            self.schedule.accepted(turn.lane, turn.lane.credentials[0])
            self.schedule.stored(turn.lane)
        with self._lock:
            self._lanes[id(turn.lane)] -= 1
        self.schedule.give_back(turn, _not_tried() if turn.closed else ending)


def _not_tried() -> Outcome:
    return outcome(Reason.BREAKER_OPEN, kind=Kind.DEFERRED)


def forever() -> bool:
    return True


def until(count: int) -> Callable[[], bool]:
    """Time for about so many questions."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def by_chance(seed: int) -> Callable[[str], bool]:
    """Vaults that have a permit at one moment and none at the next."""
    chance = random.Random(seed)  # noqa: S311
    return lambda _: chance.random() < 1 / 2


@pytest.mark.parametrize("seed", range(6))
def test_every_token_is_taken_exactly_once_and_nobody_waits_for_ever(seed: int) -> None:
    tokens = tokens_of(400, seed)
    crew = Crew(Schedule(tokens, may_start=forever, has_permit=by_chance(seed)), seed)
    assert crew.run()
    assert crew.taken == Counter({(token.vault, token.name): 1 for token in tokens})
    assert crew.broken == []
    assert list(crew.schedule.remaining()) == []


@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_taken_in_time_remains_and_nothing_is_lost(seed: int) -> None:
    tokens = tokens_of(400, seed)
    crew = Crew(Schedule(tokens, may_start=until(150), has_permit=by_chance(seed)), seed)
    assert crew.run()
    left = Counter((token.vault, token.name) for token in crew.schedule.remaining())
    assert crew.taken + left == Counter({(token.vault, token.name): 1 for token in tokens})
    assert left
    assert crew.broken == []


def test_one_worker_is_enough() -> None:
    tokens = tokens_of(60, 0)
    crew = Crew(Schedule(tokens, may_start=forever, has_permit=by_chance(0)), 0)
    assert crew.run(workers=1)
    assert sum(crew.taken.values()) == 60
