"""When a run stops: deadlines, the pace of stores, the lease. No test waits: the clock is turned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emulators.faults import Answer, Meanwhile
from emulators.world import World
from rotation.asked_for import UnknownTokenError
from rotation.lease import ProcessLease
from rotation.outcome import Kind
from rotation.pace import Clock, Deadlines
from rotation.ports import LeaseHolder, VaultError
from rotation.reason import Reason
from rotation.report import Status
from rotation.run import EveryVaultLeasedError
from tests.effects.job import Job
from tests.effects.leases import SlowLease
from tests.effects.partners import Partner, tags_of, values_of
from tests.effects.steps import LIST, REDEEM, VERSIONS, Steps, watched


@pytest.fixture
def there(cloud: World) -> Partner:
    """An app in the second vault."""
    return Partner.new(cloud, vault=cloud.vaults[1])


def test_nothing_is_started_after_the_deadline_and_the_next_run_goes_on(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(10)
    short = job.with_limits(concurrency=1, start_seconds=60)

    first = short.run(progress=lambda done, _: job.turned.turn(61) if done == 4 else None)
    redeemed = cloud.entra_log.count("redeem")
    second = short.run()

    assert (first.counts, first.complete) == ({Kind.ROTATED: 4, Kind.DEFERRED: 6}, False)
    assert {told.reason for told in first.tokens if told.kind is Kind.DEFERRED} == {Reason.OUT_OF_TIME}
    assert redeemed == 4
    assert (second.counts, second.complete) == ({Kind.ROTATED: 6, Kind.SKIPPED: 4}, True)


def test_a_list_that_is_not_read_to_the_end_in_time_is_said_to_be_so(partner: Partner, job: Job) -> None:
    partner.put_some(3)
    steps = Steps(before={LIST: lambda: job.turned.turn(61)})

    report = watched(job.with_limits(start_seconds=60), steps).run()

    assert [(fault.reason, fault.message) for fault in report.vault_faults] == [
        (Reason.OUT_OF_TIME, "its list was not read to the end in time")
    ]
    assert (report.complete, report.status, report.problems) == (False, Status.PROBLEMS, ())


def test_pages_that_are_left_when_the_time_is_over_are_not_asked_for(cloud: World, partner: Partner, job: Job) -> None:
    for _ in range(30):
        partner.put("contoso")
    clock = Clock(monotonic=job.turned.monotonic, sleep=job.turned.sleep)
    vault = job.vaults[0].within(Deadlines.from_now(clock, start_seconds=60, finish_seconds=60))
    cloud.vault.faults.fail_next(Meanwhile(lambda: job.turned.turn(121)), path="/versions$", times=1)

    with pytest.raises(VaultError) as raised:
        vault.versions("contoso")

    assert raised.value.reason is Reason.OUT_OF_TIME
    assert cloud.vault.log.count("versions") == 1
    assert len(job.vaults[0].versions("contoso")) == 30


def test_superseded_versions_that_are_left_when_the_time_is_over_wait_for_the_next_rotation(
    cloud: World, partner: Partner, job: Job
) -> None:
    for _ in range(4):
        partner.put("contoso")
        cloud.vault.state.age(timedelta(days=8))
    steps = Steps(after={VERSIONS: lambda: job.turned.turn(601)})

    told = watched(job, steps).rotate("contoso")

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.DISABLE_FAILED,))
    assert cloud.vault.log.count("update") == 0


def test_a_token_that_waited_for_its_permit_until_the_deadline_is_not_redeemed(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(20)

    report = job.with_limits(concurrency=1, writes_per_second=0.1, start_seconds=5).run()

    assert report.counts == {Kind.ROTATED: 10, Kind.DEFERRED: 10}
    assert cloud.entra_log.count("redeem") == 10


def test_a_token_whose_issuer_was_discovered_until_the_deadline_is_not_redeemed(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso")
    cloud.entra_faults.fail_next(Meanwhile(lambda: job.turned.turn(61)), path="openid-configuration")

    report = job.with_limits(start_seconds=60).run()

    assert [(told.kind, told.reason) for told in report.tokens] == [(Kind.DEFERRED, Reason.OUT_OF_TIME)]
    assert cloud.entra_log.counts() == {"discovery": 1}


def test_nobody_waits_beyond_the_deadline_for_a_permit(partner: Partner, job: Job) -> None:
    partner.put_some(20)

    job.with_limits(concurrency=1, writes_per_second=0.01, start_seconds=5).run()

    assert job.turned.monotonic() == 5


def test_a_vault_whose_turn_for_a_lease_comes_after_the_deadline_is_left_to_the_next_run(
    cloud: World, partner: Partner, there: Partner, job_of_both: Job
) -> None:
    partner.put("contoso")
    there.put("fabrikam")
    slow = SlowLease(lambda: job_of_both.turned.turn(61))

    report = replace(job_of_both.with_limits(start_seconds=60), lease=slow).run()

    assert slow.asked == [cloud.vault.url]
    assert [(fault.vault, fault.reason) for fault in report.vault_faults][:1] == [
        (cloud.vaults[1].url, Reason.OUT_OF_TIME)
    ]
    assert (report.complete, cloud.entra_log.count("redeem")) == (False, 0)


def test_stores_keep_their_pace(partner: Partner, job: Job) -> None:
    partner.put_some(40)

    report = job.with_limits(writes_per_second=2).run()

    assert report.counts == {Kind.ROTATED: 40}
    assert job.turned.monotonic() >= (40 - 10) / 2


def test_what_was_redeemed_before_the_deadline_is_stored_after_it(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    steps = Steps(after={REDEEM: lambda: job.turned.turn(61)})

    report = watched(job.with_limits(start_seconds=60, finish_seconds=60), steps).run()

    assert report.counts == {Kind.ROTATED: 1}
    assert len(values_of(cloud.vault, "contoso")) == 2


def test_nothing_is_waited_for_beyond_the_last_deadline(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(429, {"Retry-After": "3600"}), method="PUT", times=None)

    report = job.with_limits(start_seconds=60, finish_seconds=60).run()

    assert report.counts == {Kind.STRANDED: 1}
    assert cloud.vault.log.count("store") > 1, "the vault may be well long before it says"
    assert max(job.turned.slept) <= 10
    assert job.turned.monotonic() < 120


def test_a_store_is_tried_until_the_last_deadline(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(503), method="PUT", times=None)

    report = job.with_limits(start_seconds=60, finish_seconds=60).run()

    assert report.counts == {Kind.STRANDED: 1}
    assert 110 <= job.turned.monotonic() < 120
    assert max(job.turned.slept) == 10


def test_whoever_interrupts_a_run_gets_what_is_under_way_finished_and_nothing_more(
    cloud: World, partner: Partner, job: Job
) -> None:
    names = partner.put_some(40)

    def interrupt(done: int, _: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.with_limits(concurrency=2).run(progress=interrupt)

    redeemed = cloud.entra_log.count("redeem")
    assert 10 <= redeemed < 40
    assert sum(len(values_of(cloud.vault, name)) == 2 for name in names) == redeemed
    assert job.run().counts == {Kind.ROTATED: 40 - redeemed, Kind.SKIPPED: redeemed}


def test_a_second_run_of_the_same_vault_is_refused(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    refused: list[EveryVaultLeasedError] = []

    def start_another() -> None:
        with pytest.raises(EveryVaultLeasedError) as raised:
            job.run()
        refused.append(raised.value)

    assert job.run(progress=lambda *_: start_another()).counts == {Kind.ROTATED: 1}

    assert [each.holder and each.holder.run_id for each in refused] == ["11112222-3333-4444-8555-666677778888"]
    assert len(values_of(cloud.vault, "contoso")) == 2


def test_a_vault_that_another_run_holds_is_left_to_it(
    cloud: World, partner: Partner, there: Partner, job_of_both: Job
) -> None:
    partner.put("contoso")
    there.put("fabrikam")

    with ProcessLease().hold(cloud.vault.url, LeaseHolder("another", "timer", datetime.now(UTC))):
        report = job_of_both.run()

    assert [(fault.vault, fault.reason) for fault in report.vault_faults] == [(cloud.vault.url, Reason.LEASE_HELD)]
    assert (report.counts, report.complete, report.problems) == ({Kind.ROTATED: 1}, False, ())
    assert "redeemed-at" in tags_of(cloud.vaults[1], "fabrikam")


def test_a_name_in_a_vault_that_another_run_holds_is_not_unknown(
    cloud: World, partner: Partner, job_of_both: Job
) -> None:
    partner.put("contoso")

    with ProcessLease().hold(cloud.vault.url, LeaseHolder("another", "timer", datetime.now(UTC))):
        report = job_of_both.run("contoso")

    assert [fault.reason for fault in report.vault_faults] == [Reason.LEASE_HELD]


def test_the_lease_is_given_back_after_an_exception(partner: Partner, job: Job) -> None:
    partner.put("contoso")
    with pytest.raises(UnknownTokenError):
        job.run("fabrikam")

    assert job.run().counts == {Kind.ROTATED: 1}
