"""A process that is killed where it hurts most loses nothing; `make campaign` kills a hundred, at every request."""

from __future__ import annotations

from collections import Counter

import pytest

from emulators.world import World
from tests.campaign.killing import KILLS, Kill, carry_out, kills
from tests.campaign.moments import REQUESTS


@pytest.mark.parametrize(
    "kill",
    [
        Kill("redeem", after_effect=True, token=1, tokens=4),
        Kill("discovery", after_effect=True, token=0, tokens=4),
        Kill("retag", after_effect=False, token=1, tokens=4),
        Kill("store", after_effect=False, token=2, tokens=4),
    ],
    ids=lambda kill: kill.request,
)
def test_a_killed_process_leaves_every_token_alive_and_the_next_runs_finish(world: World, kill: Kill) -> None:
    left = carry_out(world, kill)

    assert left.broken == ()


def test_a_campaign_kills_at_every_request_before_and_after_its_effect() -> None:
    drawn = Counter((kill.request, kill.after_effect) for kill in kills(KILLS, seed=4711))

    assert set(drawn) == {(request, after) for request in REQUESTS for after in (False, True)}
    assert min(drawn.values()) == KILLS / len(drawn)


def test_a_seed_says_which_kills() -> None:
    assert kills(20, seed=4711) == kills(20, seed=4711) != kills(20, seed=4712)
