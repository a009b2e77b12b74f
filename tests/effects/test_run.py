"""A run: what it is asked for, what it leaves alone, and what stays apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.keyvault.access import DataAction
from emulators.world import World
from rotation.asked_for import AmbiguousTokenError, UnknownTokenError
from rotation.lease import ProcessLease
from rotation.outcome import Kind
from rotation.ports import LeaseHolder
from rotation.reason import Reason
from rotation.report import Status, Trigger
from tests.effects.job import Job, outcome
from tests.effects.partners import FRESH, Partner, values_of
from tests.effects.steps import REDEEM, Steps, watched

LONG_AGO = timedelta(days=89)


@pytest.fixture
def there(cloud: World) -> Partner:
    """An app in the second vault."""
    return Partner.new(cloud, vault=cloud.vaults[1])


def test_a_dry_run_redeems_nothing_and_writes_nothing(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("due")
    partner.put("fresh", redeemed=FRESH)

    report = job.run(dry_run=True)

    assert (outcome(report, "due").kind, outcome(report, "due").message) == (Kind.ROTATED, "would be redeemed")
    assert outcome(report, "fresh").kind is Kind.SKIPPED
    assert cloud.entra_log.counts() == {}
    assert {kind for kind in cloud.vault.log.counts() if kind != "challenge"} == {"list"}


def test_a_dry_run_needs_no_lease(partner: Partner, job: Job) -> None:
    partner.put("due")

    with ProcessLease().hold(job.vaults[0].url, LeaseHolder("another", "timer", job.run(dry_run=True).started_at)):
        assert job.run(dry_run=True).counts == {Kind.ROTATED: 1}


def test_force_redeems_what_is_fresh(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(3, redeemed=FRESH)

    report = job.run(force=True)

    assert {told.reason for told in report.tokens} == {Reason.FORCED}
    assert report.counts == {Kind.ROTATED: 3}
    assert cloud.entra_log.count("redeem") == 3


@pytest.mark.parametrize("trigger", [Trigger.HTTP, Trigger.CLI])
def test_by_hand_a_failure_is_tried_again_that_the_timer_leaves_until_tomorrow(
    cloud: World, partner: Partner, job: Job, trigger: Trigger
) -> None:
    partner.put("contoso")
    cloud.entra.fail_next_with(50173)
    job.run()
    assert job.run().counts == {Kind.FAILED: 1}
    assert cloud.entra_log.count("redeem") == 1

    assert job.run(trigger=trigger).counts == {Kind.ROTATED: 1}


def test_the_timer_tries_a_failure_again_on_the_next_day(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.entra.fail_next_with(50173)
    job.run()

    assert job.run(later=timedelta(days=1)).counts == {Kind.ROTATED: 1}


def test_the_timer_tries_what_passes_again_at_once(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.entra_faults.fail_next(Answer(503), method="POST")
    assert job.run().counts == {Kind.FAILED: 1}

    assert outcome(job.run(), "contoso").reason is Reason.RETRY


@pytest.mark.parametrize(
    "spelled", ["contoso", "CONTOSO", " contoso ", "{vault}/secrets/contoso", "{vault}/secrets/Contoso/0123"]
)
def test_a_partial_run_touches_what_is_named_and_nothing_else(
    cloud: World, partner: Partner, job: Job, spelled: str
) -> None:
    partner.put("contoso")
    other = partner.put("fabrikam")

    report = job.run(spelled.format(vault=cloud.vault.url))

    assert [told.name for told in report.tokens] == ["contoso"]
    assert (report.full, report.counts) == (False, {Kind.ROTATED: 1})
    assert values_of(cloud.vault, "fabrikam") == [other]


def test_an_unknown_name_is_refused_before_anything_is_redeemed(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")

    with pytest.raises(UnknownTokenError, match="fabrikam"):
        job.run("contoso", "fabrikam")

    assert cloud.entra_log.counts() == {}


def test_a_name_of_two_vaults_is_refused_with_the_ids_to_choose_from(
    cloud: World, partner: Partner, there: Partner, job_of_both: Job
) -> None:
    partner.put("contoso")
    there.put("contoso")

    with pytest.raises(AmbiguousTokenError) as raised:
        job_of_both.run("contoso")

    assert set(raised.value.candidates) == {f"{vault.url}/secrets/contoso" for vault in cloud.vaults}
    assert job_of_both.run(f"{cloud.vaults[1].url}/secrets/contoso").counts == {Kind.ROTATED: 1}


def test_a_name_may_be_in_a_vault_that_cannot_be_listed(cloud: World, partner: Partner, job_of_both: Job) -> None:
    partner.put("contoso")
    cloud.vaults[1].access.deny(cloud.job.object_id, [DataAction.READ_METADATA])

    report = job_of_both.run("fabrikam")

    assert [fault.reason for fault in report.vault_faults] == [Reason.VAULT_DENIED]


def test_a_fault_of_our_own_touches_no_other_token(partner: Partner, job: Job) -> None:
    partner.put("broken", redeemed=LONG_AGO)
    partner.put_some(5)

    def break_down() -> None:
        raise ZeroDivisionError

    report = watched(job, Steps(before={REDEEM: break_down})).run()

    told = outcome(report, "broken")
    assert (told.kind, told.reason) == (Kind.FAILED, Reason.UNCLASSIFIED)
    assert "a fault of this program (ZeroDivisionError)" in told.message
    assert report.counts == {Kind.FAILED: 1, Kind.ROTATED: 5}
    assert Reason.UNCLASSIFIED in [problem.reason for problem in report.problems]


def test_each_token_that_fails_fails_alone(cloud: World, partner: Partner, job: Job) -> None:
    names = partner.put_some(12)
    for name in names[::3]:
        cloud.entra.expire(cloud.vault.state.current(name).value)

    report = job.run()

    assert {told.name for told in report.tokens if told.kind is Kind.FAILED} == set(names[::3])
    assert report.counts == {Kind.FAILED: 4, Kind.ROTATED: 8}


def test_two_vaults_are_rotated_in_one_run(partner: Partner, there: Partner, job_of_both: Job) -> None:
    partner.put_some(3)
    there.put_some(3)

    report = job_of_both.run()

    assert report.counts == {Kind.ROTATED: 6}
    assert (report.status, report.complete, report.full) == (Status.OK, True, True)


def test_the_token_that_dies_first_comes_first(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("later")
    partner.put("first", redeemed=LONG_AGO)
    partner.put("unknown", redeemed=None)

    job.with_limits(concurrency=1).run()

    stored = [request.path for request in cloud.vault.log.requests if request.kind == "store"]
    assert stored == ["/secrets/unknown", "/secrets/first", "/secrets/later"]


def test_a_paused_token_is_left_alone_even_by_force(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | {"paused-until": "2999-12-31"})

    assert job.rotate("contoso", force=True).reason is Reason.PAUSED
    assert cloud.entra_log.counts() == {}
