"""A seeded part of the campaign, and what the campaign itself promises: the same stories again, a whole table.

`make campaign` plays ten thousand stories.
"""

from __future__ import annotations

import pytest

from tests.campaign.cloud import CLIENT_SECRET
from tests.campaign.faults import IMPOSSIBLE, Fault, cells
from tests.campaign.gate import Tally
from tests.campaign.invariants import unseen
from tests.campaign.journal import AFTER, BEFORE, KINDS, REDEEM, STORE
from tests.campaign.ledger import Ledger
from tests.campaign.machine import search
from tests.campaign.play import Play, PromiseBroken, play
from tests.campaign.shortening import shortened
from tests.campaign.story import Act, Break, Meanwhile, Run, Stop, Story
from tests.campaign.table import table, thin, wanting
from tests.campaign.turns import Turns


def test_a_part_of_the_campaign_keeps_every_promise() -> None:
    told = search(20261121, stories=50)

    assert (told.stories, told.found, told.broken) == (50, "", None)


def test_the_same_seed_makes_up_the_same_stories() -> None:
    once, again = search(7, stories=8), search(7, stories=8)

    assert once.tally == again.tally
    assert once.tally.faults.total() > 0


def test_every_fault_at_every_request_is_a_cell_but_for_what_cannot_be() -> None:
    possible = set(cells())

    assert len(possible) == len(KINDS) * (2 * len(Fault) - len(IMPOSSIBLE))
    assert not [cell for cell in possible if cell[1:] in IMPOSSIBLE]
    assert (STORE, Fault.TIMEOUT, AFTER) in possible


def test_the_table_shows_each_cell_and_names_the_thin_ones() -> None:
    tally = Tally()
    tally.faults.update(dict.fromkeys(cells(), 20))
    tally.faults[STORE, Fault.ERROR, BEFORE] = 19

    lines = list(table(tally))

    assert thin(tally, least=20) == ((STORE, Fault.ERROR, BEFORE),)
    assert next(line for line in lines if line.startswith(STORE)).split().count("19") == 1
    assert any("a connection that is refused has carried no request" in line for line in lines)


def test_a_campaign_that_ends_early_or_leaves_a_cell_thin_is_wanting() -> None:
    tally = Tally()
    tally.faults.update(dict.fromkeys(cells(), 20))
    assert list(wanting(tally, played=100, asked=100, least=20)) == []

    tally.faults[STORE, Fault.ERROR, BEFORE] = 19

    assert list(wanting(tally, played=99, asked=100, least=20)) == [
        "too few: 99 schedules were played, 100 were asked for",
        "too thin: store, 500, before: 19 times, 20 are asked for",
    ]
    assert list(wanting(Tally(), played=100, asked=100, least=0)) == []


def test_a_fault_after_the_effect_has_had_its_effect_and_one_before_has_not() -> None:
    for moment, stored in ((BEFORE, 2), (AFTER, 3)):
        playing = Play(("due",))
        playing.run(Run((Break(STORE, Fault.RESET, moment), Stop(STORE, moment, skip=1), Stop("look again", AFTER, 1))))
        assert len(playing.cloud.vault.state.versions("contoso")) == stored


def test_two_runs_take_turns_as_the_story_says() -> None:
    said: list[int] = []
    turns = Turns((2, 1))

    def run(number: int) -> None:
        for _ in range(3):
            turns.pass_on(number)
            said.append(number)

    turns.play([lambda: run(0), lambda: run(1)], [0, 1])

    assert said == [0, 0, 1, 1, 1, 0]


def test_a_story_is_told_step_by_step() -> None:
    story = Story(
        ("due",), (Run((Break(STORE, Fault.RESET, AFTER, times=3), Meanwhile("retag", REDEEM))), Act("delete"))
    )

    assert str(story).splitlines() == [
        "tokens: due",
        "  1. a run",
        "     - the next store fails its work done: reset, 3 times",
        "     - before the next redeem: retag, token 0",
        "  2. delete, token 0",
        "then everything is well again",
    ]


def test_what_breaks_no_promise_has_nothing_to_shorten() -> None:
    assert shortened(Story(("due",), ())) is None


def test_a_token_that_is_lost_behind_the_ledger_is_noticed() -> None:
    playing = play(Story(("due",), ()))
    playing.cloud.vault.state.disable("contoso")

    with pytest.raises(PromiseBroken, match="lost: contoso: the current version is disabled, and no operator did that"):
        playing.take(Act("retag", 1))


@pytest.mark.parametrize("cut", [slice(None), slice(0, 40), slice(-30, None)])
def test_a_piece_of_a_token_is_a_leak_too(cut: slice) -> None:
    playing = Play(("due",))
    token = playing.cloud.ledger.tokens["contoso"].consents[0]

    assert len(list(unseen(["nothing", f"a text with {token[cut]} in it"], playing.cloud.ledger))) == 1
    assert list(unseen(["nothing"], playing.cloud.ledger)) == []
    assert list(unseen([f"see {CLIENT_SECRET}"], Ledger(secrets={CLIENT_SECRET}))) != []
