"""Stories that once ended badly, told as they were found and shortened: each ends well now, and has to stay so."""

from __future__ import annotations

import pytest

from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE, LOOK, READ, STORE, VERSIONS
from tests.campaign.play import Play, play
from tests.campaign.stories import STORIES
from tests.campaign.story import FOR_GOOD, Break, Meanwhile, Run, Stop, Story


@pytest.mark.parametrize("story", STORIES)
def test_the_story_ends_well(story: str) -> None:
    play(STORIES[story])


def test_what_was_covered_and_could_not_be_put_back_is_told() -> None:
    """The run says so at once, and the next rotation mends it."""
    playing = Play(("due",))
    putting_back_fails = Break(STORE, Fault.ERROR, times=FOR_GOOD, skip=1)

    (report,) = playing.run(Run((Meanwhile("re-consent", STORE), putting_back_fails)))

    assert report is not None
    assert [(told.kind, told.reason) for told in report.tokens] == [(Kind.STRANDED, Reason.STRANDED_TOKEN)]
    assert "a re-consent made meanwhile lies under the new version" in report.tokens[0].message
    playing.finish()


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_tags_that_change_in_the_window_of_a_run_that_died_are_what_cannot_be_kept(moment: str) -> None:
    """The one promise that has an end: a vault has no compare-and-swap (docs/adr/0002)."""
    at = Meanwhile("retag", LOOK, AFTER) if moment == AFTER else Meanwhile("retag", STORE)

    playing = play(Story(("due",), (Run((at, Stop(STORE))),)))

    assert playing.cloud.ledger.tokens["contoso"].overwritten == {"tags"}


def told_by(*troubles: Meanwhile, force: bool = False, bursts: tuple[int, ...] = (), many: int = 2) -> Outcome:
    """What the run that ended last told of the token; and then the story ends well."""
    playing = Play(("due",))
    *_, report = playing.run(Run(troubles, force=force, bursts=bursts, many=many))
    playing.finish()
    assert report is not None
    return report.tokens[0]


def test_a_paused_holder_tells_that_others_wrote_meanwhile() -> None:
    told = told_by(force=True, bursts=(8, 99, 99), many=3)

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.CONCURRENT_WRITE,))


def test_consents_of_one_second_are_told_and_none_is_disabled_as_long_as_there_are_two() -> None:
    playing = Play(("due",))
    (first,) = playing.run(Run(tuple(Meanwhile("re-consent", kind, at_once=True) for kind in (READ, STORE))))
    (second,) = playing.run(Run(force=True))

    for report in (first, second):
        assert report is not None
        assert (report.tokens[0].kind, report.tokens[0].warnings) == (Kind.ROTATED, (Reason.CONCURRENT_WRITE,))
    consents = playing.cloud.ledger.tokens["contoso"].latest
    enabled = {each.value for each in playing.cloud.vault.state.versions("contoso") if each.enabled}
    assert len(consents) == 2
    assert set(consents) <= enabled
    playing.finish()


def test_tags_that_were_changed_before_a_version_that_they_then_enabled_are_told() -> None:
    told = told_by(Meanwhile("retag", STORE), Meanwhile("enable", VERSIONS, AFTER))

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.CONCURRENT_WRITE,))


@pytest.mark.parametrize(
    ("acts", "reason"),
    [
        ([Meanwhile("disable", STORE)], Reason.DISABLED),
        ([Meanwhile("disable", STORE, AFTER)], Reason.DISABLED),
        ([Meanwhile("re-consent", STORE), Meanwhile("disable", STORE)], Reason.DISABLED),
        ([Meanwhile("release", STORE)], Reason.SUPERSEDED),
        ([Meanwhile("release", STORE, AFTER)], Reason.SUPERSEDED),
        ([Meanwhile("re-consent", STORE), Meanwhile("release", STORE, AFTER)], Reason.SUPERSEDED),
    ],
)
def test_a_token_that_is_taken_away_while_it_is_stored_is_told_as_that(acts: list[Meanwhile], reason: Reason) -> None:
    assert (told_by(*acts).kind, told_by(*acts).reason) == (Kind.SKIPPED, reason)
