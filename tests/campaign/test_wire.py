"""Some schedules over the wire; `make campaign` runs three hundred. A seed and a number say what happens in one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.campaign.moments import REQUESTS
from tests.campaign.wire import Wired, carry_out, never_met
from tests.campaign.wire_schedules import ACTS, SCHEDULES, Event, Schedule, cells, schedule
from tests.campaign.wire_stage import Stage

SOME = range(0, SCHEDULES, 30)


@pytest.fixture(scope="module")
def wired(world: World) -> Iterator[Wired]:
    with Wired.to(world) as both:
        yield both


@pytest.mark.parametrize("number", SOME)
def test_a_schedule_keeps_every_promise(wired: Wired, number: int) -> None:
    what = schedule(number)

    ended = carry_out(wired, what)

    assert ended.broken == (), what


def test_what_was_planned_came_to_pass_and_is_counted(wired: Wired) -> None:
    planned = (
        Event("redeem", 0, "reset", after_effect=True),
        Event("store", 1, "500", times=4),
        Event("look again", 1, "re-consent"),
        Event("list", 0, "late effect"),
    )

    ended = carry_out(wired, Schedule(0, 2, planned))

    assert ended.broken == ()
    assert ("list", "late effect", "before") not in never_met([ended])
    assert ("list", "late effect", "before") in never_met([])
    assert set(ended.met) == {planned[0], planned[2], planned[3]}, "nothing is stored under a re-consent"


@pytest.mark.parametrize(
    ("at", "after_effect", "lost"),
    [("store", False, {"tags"}), ("look again", True, {"tags"}), ("look again", False, set()), ("store", True, set())],
)
def test_only_what_happens_between_a_look_and_its_store_may_be_lost(
    wired: Wired, at: str, *, after_effect: bool, lost: set[str]
) -> None:
    """And only because the run cannot settle."""
    events = (Event(at, 0, "retag", after_effect), Event("versions", 0, "500", times=None))
    stage = Stage.set_up(wired.hurried, what := Schedule(0, 2, events))

    assert list(stage.after_disturbance(stage.disturbed(what))) == []
    assert stage.ledger.tokens["token-0"].overwritten == lost


def test_a_run_that_is_silent_about_what_it_could_not_store_is_noticed(wired: Wired) -> None:
    events = (Event("list", 0, "re-consent"), Event("store", 0, "500", times=None))
    stage = Stage.set_up(wired.hurried, what := Schedule(0, 2, events))
    (report,) = stage.disturbed(what)
    silent = tuple(replace(told, kind=Kind.SKIPPED, reason=Reason.SUPERSEDED) for told in report.tokens)

    assert list(stage.after_disturbance([report])) == []
    found = [str(each) for each in stage.after_disturbance([replace(report, tokens=silent)])]
    assert "silent: token-0: redeemed, not stored, and told as skipped (superseded)" in found


def test_the_schedules_of_a_campaign_aim_at_every_cell_and_every_act() -> None:
    planned = [event for number in range(SCHEDULES) for event in schedule(number).events]

    assert {(event.request, event.what, event.after_effect) for event in planned} >= set(cells())
    assert {event.what for event in planned} >= set(ACTS)
    assert len(cells()) == len(REQUESTS) * 16


def test_a_number_and_a_seed_say_what_happens() -> None:
    assert schedule(7) == schedule(7) != schedule(7, seed=1)


def test_a_schedule_is_shrunk_to_what_is_needed_and_tells_its_story() -> None:
    what = Schedule(3, 2, (Event("read", 0, "500"), Event("store", 1, "retag", after_effect=True)), overlapped=True)

    assert [len(smaller.events) for smaller in what.smaller()] == [1, 1, 2]
    assert str(what).splitlines() == [
        "schedule 3: 2 tokens, two runs at once without a lease, 1 tokens at a time",
        "  token 0: 500 before the effect of 'read'",
        "  token 1: retag after the effect of 'store'",
    ]
