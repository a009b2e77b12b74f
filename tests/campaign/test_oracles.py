"""The oracles themselves: a report that is forged is noticed, whatever somebody did at another time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotation.outcome import Kind
from rotation.reason import Reason
from rotation.report import RunReport
from tests.campaign import conduct, invariants
from tests.campaign.faults import Fault
from tests.campaign.invariants import Violation
from tests.campaign.journal import LOOK, REDEEM, STORE, Acted
from tests.campaign.play import Play
from tests.campaign.story import FOR_GOOD, Act, Break, Meanwhile, Run, Step, Stop, Wait

NEVER_STORED = Run((Break(STORE, Fault.ERROR, times=FOR_GOOD),))


def played(*steps: Step) -> Play:
    playing = Play(("due",))
    for step in steps:
        playing.take(step)
    return playing


def reported_by(playing: Play, step: Run) -> RunReport:
    (report,) = playing.run(step)
    assert report is not None
    return report


def forged(report: RunReport, kind: Kind, reason: Reason) -> RunReport:
    return replace(report, tokens=tuple(replace(told, kind=kind, reason=reason) for told in report.tokens))


def conduct_of(playing: Play, report: RunReport) -> list[Violation]:
    run = int(report.run_id.removeprefix("run-"))
    return list(conduct.reported(playing.cloud.journal, run, report))


def told_of(playing: Play, report: RunReport) -> list[str]:
    cloud = playing.cloud
    return [str(each) for each in invariants.told(report, cloud.vault.state, cloud.entra, cloud.ledger)]


@pytest.mark.parametrize(
    "before",
    [(), (Act("re-consent"),), (Act("release"), Act("adopt")), (Run(), Wait(8)), (Act("delete"), Act("restore"))],
)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Kind.SKIPPED, Reason.SUPERSEDED),
        (Kind.SKIPPED, Reason.DISABLED),
        (Kind.FAILED, Reason.SECRET_DELETED),
        (Kind.ROTATED, Reason.DUE),
    ],
)
def test_what_happened_before_excuses_nothing(before: tuple[Step, ...], kind: Kind, reason: Reason) -> None:
    playing = played(*before)
    report = reported_by(playing, NEVER_STORED)

    assert conduct_of(playing, report) == []
    found = conduct_of(playing, forged(report, kind, reason))
    assert str(found[0]) == f"silent: contoso: redeemed, not stored, and told as {kind} ({reason})"


def test_nothing_is_rotated_that_was_not_stored() -> None:
    playing = played()
    report = reported_by(playing, Run((Break(REDEEM, Fault.ERROR, times=FOR_GOOD),)))

    (found,) = conduct_of(playing, forged(report, Kind.ROTATED, Reason.DUE))
    assert str(found) == "silent: contoso: told as rotated, and nothing that the run redeemed was stored"


def test_what_happens_afterwards_excuses_nothing() -> None:
    playing = played()
    report = forged(reported_by(playing, NEVER_STORED), Kind.SKIPPED, Reason.SUPERSEDED)
    playing.cloud.journal.events.append(Acted("re-consent", "contoso"))

    assert len(conduct_of(playing, report)) == 1


@pytest.mark.parametrize("act", ["retag", "adopt", "enable", "revoke"])
def test_what_leaves_the_version_where_it_is_excuses_nothing(act: str) -> None:
    playing = played()
    never_stored = replace(NEVER_STORED, troubles=(Meanwhile(act, LOOK), *NEVER_STORED.troubles))
    report = forged(reported_by(playing, never_stored), Kind.SKIPPED, Reason.SUPERSEDED)

    assert len(conduct_of(playing, report)) == 1


@pytest.mark.parametrize("act", ["re-consent", "release"])
def test_a_run_says_what_it_was_that_came_between(act: str) -> None:
    playing = played()
    report = reported_by(playing, Run((Meanwhile(act, LOOK),)))

    assert [told.reason for told in report.tokens] == [Reason.SUPERSEDED]
    assert conduct_of(playing, report) == []
    assert len(conduct_of(playing, forged(report, Kind.SKIPPED, Reason.DISABLED))) == 1


def test_what_was_lost_in_the_window_of_a_write_hides_no_silence() -> None:
    playing = played(Run((Meanwhile("retag", STORE), Stop(STORE))))
    report = reported_by(playing, Run(force=True))
    assert playing.cloud.ledger.tokens["contoso"].overwritten == {"tags"}

    assert told_of(playing, report) == []
    silent = replace(report, tokens=())
    assert told_of(playing, silent) == ["silent: contoso: a full run told 0 outcomes of it"]
    wrong = forged(report, Kind.SKIPPED, Reason.DISABLED)
    assert told_of(playing, wrong) == ["silent: contoso: skipped (disabled) is not how it is"]
