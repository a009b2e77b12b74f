"""Stories that once ended badly, told as they were found and shortened: each ends well now, and has to stay so."""

from __future__ import annotations

import pytest

from rotation.outcome import Kind
from rotation.reason import Reason
from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE, CREDENTIAL, DISABLE, LIST, LOOK, READ, REDEEM, RETAG, STORE, VERSIONS
from tests.campaign.play import Play, play
from tests.campaign.story import FOR_GOOD, Act, Break, Meanwhile, Run, Stop, Story, Wait

STORIES = {
    "a run that died had covered a re-consent: it comes up at the next rotation": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Stop(STORE))),)
    ),
    "a run that died had covered a re-consent by a script that copies tags": Story(
        ("due",), (Run((Meanwhile("re-consent with copied tags", STORE), Stop(VERSIONS, BEFORE))),)
    ),
    "the run after that dies too, as it settles": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Stop(STORE))), Wait(8), Run((Stop(VERSIONS, BEFORE),)))
    ),
    "a run could not list the versions and had covered a re-consent": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Break(VERSIONS, Fault.ERROR, times=FOR_GOOD))),)
    ),
    "a token that was re-consented during the run was tagged after it: the tags stay": Story(
        ("crowd",),
        (
            Run(
                (
                    Meanwhile("re-consent with copied tags", CREDENTIAL),
                    Break(DISABLE, Fault.TIMEOUT, AFTER, times=FOR_GOOD),
                )
            ),
            Act("retag"),
        ),
    ),
    "two runs at once store over each other: neither puts the other's version on top": Story(
        ("due",), (Run(bursts=(6, 1)),)
    ),
    "two runs at once and a re-consent beneath both": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE),), bursts=(6, 6, 1, 1)),)
    ),
    "a secret that is on two pages of the list is due once": Story(
        ("due",), (Act("the list shows a secret twice"), Run())
    ),
    "two secrets on two pages, in two runs at once": Story(
        ("due", "due"), (Act("the list shows a secret twice"), Run(bursts=(1,)))
    ),
    "they consent again while their consent is put back on top": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Meanwhile("re-consent", STORE, skip=1))),)
    ),
    "they consent again after the answer to the putting back was lost": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent", STORE),
                    Break(STORE, Fault.RESET, AFTER, skip=1),
                    Meanwhile("re-consent", STORE, AFTER, skip=1),
                )
            ),
        ),
    ),
    "the putting back is not carried out, and they consent again before it is repeated": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent", STORE),
                    Meanwhile("re-consent", STORE, skip=1),
                    Break(STORE, Fault.RESET, skip=1),
                )
            ),
        ),
    ),
    "they tag the version before ours, then ours: the later tags stay": Story(
        ("due",), (Run((Meanwhile("retag", STORE), Meanwhile("retag", VERSIONS))),)
    ),
    "they release the token after it was stored over a re-consent: it stays out of care": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Meanwhile("release", STORE, AFTER))),)
    ),
    "a version that a run beside ours disabled is not what an operator disabled": Story(
        ("revoked", "revoked", "never redeemed"),
        (
            Run((Meanwhile("re-consent with copied tags", STORE, AFTER), Stop(DISABLE, BEFORE))),
            Run(
                (Break(CREDENTIAL, Fault.ERROR), Meanwhile("another app eats the creates", REDEEM, AFTER)),
                force=True,
                bursts=(5, 7, 7, 6, 1),
            ),
        ),
    ),
    "they disable a version that two runs at once wrote in one second": Story(
        ("due",), (Run(force=True, bursts=(1,)), Run((Meanwhile("disable", STORE),), force=True))
    ),
    "they tag it, the store is throttled, and then no tag can be changed: the next attempt has their tags": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("retag", STORE),
                    Break(STORE, Fault.THROTTLED_UNTIL),
                    Break(RETAG, Fault.ERROR, times=FOR_GOOD),
                )
            ),
        ),
    ),
    "they tag a version that failed, and remembering that is repeated": Story(
        ("revoked",), (Run((Meanwhile("retag", RETAG), Break(RETAG, Fault.ERROR))),)
    ),
    "they tag our version, and following an older change is repeated": Story(
        ("due",), (Run((Meanwhile("retag", STORE), Meanwhile("retag", RETAG), Break(RETAG, Fault.ERROR))),)
    ),
    "nothing can be disabled, and they consent during one run after the other: the last consent stays": Story(
        ("crowd",),
        (
            Run((Meanwhile("update is taken away", LIST, AFTER), Meanwhile("re-consent", STORE, AFTER, token=1))),
            Run((Meanwhile("re-consent", REDEEM, token=1),), force=True),
        ),
    ),
    "they consent before the run reads it, and nothing can be disabled: what the run used up stays beneath": Story(
        ("due",),
        (
            Act("update is taken away"),
            Run((Meanwhile("re-consent", READ),)),
        ),
    ),
    "their consent is put back and used up, and then no version can be listed: it is not put back again": Story(
        ("revoked", "never redeemed", "due"),
        (
            Run((Meanwhile("re-consent", STORE, token=2, skip=1),)),
            Run((Break(VERSIONS, Fault.THROTTLED_UNTIL, times=FOR_GOOD),)),
        ),
    ),
    "they tag a consent that is being put back": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Meanwhile("retag", STORE, skip=1))),)
    ),
    "a job that stands still for two weeks is told by its heartbeat, not by the tags that were lost": Story(
        ("due",), (Act("re-consent without tags"), Wait(8), Wait(8))
    ),
}


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
