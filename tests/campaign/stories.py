"""Stories that once ended badly, told as they were found and shortened; `test_stories` plays them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE, CREDENTIAL, DISABLE, LIST, READ, REDEEM, RETAG, STORE, VERSIONS
from tests.campaign.story import FOR_GOOD, Act, Break, Meanwhile, Run, Stop, Story, Wait

STORIES: Mapping[str, Story] = {
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
        ("due",), (Run(bursts=(8, 3)),)
    ),
    "two runs at once and a re-consent beneath both": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE),), bursts=(8, 8, 1, 1)),)
    ),
    "a secret that is on two pages of the list is due once": Story(
        ("due",), (Act("the list shows a secret twice"), Run())
    ),
    "two secrets on two pages, in two runs at once": Story(
        ("due", "due"), (Act("the list shows a secret twice"), Run(bursts=(3,)))
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
                bursts=(7, 9, 7, 6, 1),
            ),
        ),
    ),
    "they disable a version that two runs at once wrote in one second": Story(
        ("due",), (Run(force=True, bursts=(3,)), Run((Meanwhile("disable", STORE),), force=True))
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
    "a holder is paused before its store while two others rotate: it disables nothing that is current": Story(
        ("due",), (Run(force=True, bursts=(8, 99, 99), many=3),)
    ),
    "four runs, one of them paused while the others disable what it had read, and a consent beneath": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE, AFTER),), force=True, bursts=(8, 99, 99, 99), many=4),)
    ),
    "a holder is paused, they revoke and consent, and others rotate that until the consent is disabled": Story(
        ("due",),
        (
            Run(
                (Meanwhile("revoke", LIST, skip=1), Meanwhile("re-consent", LIST, skip=1)),
                force=True,
                bursts=(8, 99, 99, 99),
                many=4,
            ),
        ),
    ),
    "the token is revoked, a run covers the re-consent and dies: it comes up when the token is found dead": Story(
        ("due",), (Run((Meanwhile("revoke", STORE), Meanwhile("re-consent", STORE), Stop(STORE))),)
    ),
    "the token is revoked, a run covers the re-consent and cannot list the versions: the next run brings it up": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("revoke", STORE),
                    Meanwhile("re-consent", STORE),
                    Break(VERSIONS, Fault.ERROR, times=FOR_GOOD),
                )
            ),
        ),
    ),
    "they consent twice in one second, before the read and before the store: neither is disabled": Story(
        ("due",),
        (Run((Meanwhile("re-consent", READ, at_once=True), Meanwhile("re-consent", STORE, at_once=True))),),
    ),
    "they consent twice in one second, before the read and after the store: what is current stays enabled": Story(
        ("due",),
        (Run((Meanwhile("re-consent", READ, at_once=True), Meanwhile("re-consent", VERSIONS, at_once=True))),),
    ),
    "they consent twice in one second before the store: one goes on top, and none is disabled": Story(
        ("due",),
        (Run((Meanwhile("re-consent", STORE, at_once=True), Meanwhile("re-consent", STORE, at_once=True))),),
    ),
    "they consent twice in one second before the store, and the run dies": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent", STORE, at_once=True),
                    Meanwhile("re-consent", STORE, at_once=True),
                    Stop(STORE),
                )
            ),
        ),
    ),
    "they consent, and once more while that is put back, and the run dies: the last comes up": Story(
        ("due",),
        (Run((Meanwhile("re-consent", STORE), Meanwhile("re-consent", STORE, skip=1), Stop(STORE, skip=1))),),
    ),
    "the same, and what was put back is revoked: the last comes up": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent", STORE),
                    Meanwhile("revoke", STORE, skip=1),
                    Meanwhile("re-consent", STORE, skip=1),
                    Stop(STORE, skip=1),
                )
            ),
        ),
    ),
    "three runs of one second in a vault that takes no update, and one more": Story(
        ("crowd",),
        (
            Run((Meanwhile("update is taken away", CREDENTIAL, AFTER),), force=True, bursts=(3, 3, 1, 7, 8, 1), many=3),
            Run(force=True),
        ),
    ),
    "the sign-in is revoked and renewed while two runs take turns, and the vault cannot be read any more": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent without tags", VERSIONS, AFTER),
                    Meanwhile("get_secret is taken away", STORE, AFTER),
                    Meanwhile("revoke", CREDENTIAL, skip=1),
                ),
                bursts=(1, 8, 1),
            ),
        ),
    ),
    "they consent and disable that before the store: hands off": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Meanwhile("disable", STORE))),)
    ),
    "they disable it before the store and enable it after: it stays enabled": Story(
        ("due",), (Run((Meanwhile("disable", STORE), Meanwhile("enable", STORE, AFTER))),)
    ),
    "they tag and disable it before the store, and enable it while the tags are carried over: it stays enabled": Story(
        ("due",), (Run((Meanwhile("retag", STORE), Meanwhile("disable", STORE), Meanwhile("enable", VERSIONS, AFTER))),)
    ),
    "they release it before the store and adopt it after: it stays in care": Story(
        ("due",), (Run((Meanwhile("release", STORE), Meanwhile("adopt", STORE, AFTER))),)
    ),
    "they tag it before the store and disable it after: the tags are on what is disabled": Story(
        ("due",), (Run((Meanwhile("retag", STORE), Meanwhile("disable", STORE, AFTER))),)
    ),
    "they consent without tags, and once more while that is put back: the last is on top": Story(
        ("due",),
        (Run((Meanwhile("re-consent without tags", STORE), Meanwhile("re-consent without tags", STORE, skip=1))),),
    ),
    "the same, and the answer to the putting back is lost": Story(
        ("due",),
        (
            Run(
                (
                    Meanwhile("re-consent without tags", STORE),
                    Meanwhile("re-consent without tags", STORE, skip=1),
                    Break(STORE, Fault.RESET, skip=2),
                )
            ),
        ),
    ),
    "they tag a consent that is being put back": Story(
        ("due",), (Run((Meanwhile("re-consent", STORE), Meanwhile("retag", STORE, skip=1))),)
    ),
    "a job that stands still for two weeks is told by its heartbeat, not by the tags that were lost": Story(
        ("due",), (Act("re-consent without tags"), Wait(8), Wait(8))
    ),
}
