"""What a rotation warned of stands until one without it: every run tells it, or its alert would close by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulators.faults import Answer
from emulators.keyvault.access import DataAction
from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from rotation.report import RunReport
from tests.effects.job import Job, outcome
from tests.effects.partners import DUE, Partner

SIX_HOURS = timedelta(hours=6)
TWO_DAYS = timedelta(days=2)
TODAY = datetime.now(UTC).date()


def found(report: RunReport) -> list[tuple[str, str]]:
    """The problems: reason, and since when."""
    return [(problem.reason, str(problem.since or "")) for problem in report.problems]


@pytest.fixture
def without_mfa(partner: Partner, job: Job) -> Partner:
    """A token whose sign-in had no MFA, rotated a week ago and again just now."""
    partner.put("contoso", value=partner.consent(mfa=False))
    assert found(job.run()) == [("mfa_missing", str(TODAY))]
    partner.world.age(DUE)
    assert outcome(job.run(), "contoso").kind is Kind.ROTATED
    return partner


@pytest.mark.usefixtures("without_mfa")
def test_a_sign_in_without_mfa_is_told_by_every_run_and_since_its_first(cloud: World, job: Job) -> None:
    cloud.vault.log.clear()

    report = job.run(later=SIX_HOURS)

    told = outcome(report, "contoso")
    assert (told.kind, told.reason, told.warnings) == (Kind.SKIPPED, Reason.NOT_DUE, (Reason.MFA_MISSING,))
    assert found(report) == [("mfa_missing", str(TODAY - DUE))]
    assert set(cloud.vault.log.counts()) == {"list"}, "a list shows it"


@pytest.mark.usefixtures("without_mfa")
def test_it_is_over_with_the_first_rotation_that_does_not_warn(cloud: World, job: Job) -> None:
    cloud.entra.answer_next(mfa=True)

    assert found(job.run("contoso", force=True)) == []
    assert found(job.run(later=SIX_HOURS)) == []
    assert "last-warning" not in (cloud.vault.state.current("contoso").tags or {})


def test_a_failure_leaves_it_standing(without_mfa: Partner, job: Job) -> None:
    without_mfa.world.entra.revoke(without_mfa.vault.state.current("contoso").value)

    for report in (job.run("contoso", force=True), job.run(later=SIX_HOURS)):
        assert [reason for reason, _ in found(report)] == ["token_revoked", "mfa_missing"]


def test_a_token_that_is_retired_or_paused_says_what_stands_of_it(without_mfa: Partner, job: Job) -> None:
    state = without_mfa.vault.state
    current = state.current("contoso")
    state.retag("contoso", {**(current.tags or {}), "paused-until": str(TODAY + DUE)}, current.version)
    assert [reason for reason, _ in found(job.run())] == ["mfa_missing"]

    state.disable("contoso", current.version)
    assert found(job.run()) == []


def test_a_version_that_could_not_be_disabled_is_told_until_the_next_rotation(
    cloud: World, partner: Partner, job: Job
) -> None:
    for _ in range(3):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
    oldest = min(cloud.vault.state.versions("contoso"), key=lambda version: version.created)
    cloud.vault.faults.fail_next(Answer(503), method="PATCH", path=oldest.version, times=None)
    assert outcome(job.run(), "contoso").warnings == (Reason.DISABLE_FAILED,)

    again = job.run(later=SIX_HOURS)
    assert (outcome(again, "contoso").reason, found(again)) == (Reason.RETRY, [("disable_failed", str(TODAY))])
    lasting = job.run(later=TWO_DAYS)
    assert (outcome(lasting, "contoso").reason, found(lasting)) == (Reason.NOT_DUE, [("disable_failed", str(TODAY))])
    cloud.vault.faults.clear()
    assert found(job.run("contoso", force=True, later=TWO_DAYS)) == []
    assert found(job.run(later=TWO_DAYS + SIX_HOURS)) == []


def test_what_the_job_may_not_write_it_does_not_try_to_remember(cloud: World, partner: Partner, job: Job) -> None:
    for _ in range(3):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
    cloud.vault.access.deny(cloud.job.object_id, [DataAction.UPDATE])

    assert Reason.VAULT_DENIED in outcome(job.run(), "contoso").warnings
    assert "last-warning" not in (cloud.vault.state.current("contoso").tags or {})


def test_tags_without_room_are_told_until_one_is_removed(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags(redeemed=None)
    tags |= {f"note-{number}": "" for number in range(14 - len(tags))}
    partner.put("contoso", tags=tags)
    assert found(job.run()) == [("tags_dropped", "")]
    assert found(job.run(later=SIX_HOURS)) == [("tags_dropped", "")]

    current = cloud.vault.state.current("contoso")
    fewer = {name: text for name, text in (current.tags or {}).items() if name != "note-0"}
    cloud.vault.state.retag("contoso", fewer, current.version)
    assert found(job.run(later=SIX_HOURS)) == []
