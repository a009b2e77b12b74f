"""A run that loses its lease starts nothing more, and loses nothing; one that never got it goes on and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from emulators.faults import Meanwhile
from emulators.world import World
from rotation.outcome import Kind
from rotation.ports import LeaseHolder
from rotation.reason import Reason, Severity
from rotation.report import RunReport, Status
from tests.effects.job import Job, outcome
from tests.effects.leases import LosableLease, UnavailableLease
from tests.effects.partners import DUE, Partner, values_of
from tests.effects.steps import LIST, READ, REDEEM, STORE, Steps, watched

SINCE = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Losing:
    """A job whose lease of the first vault is lost at one step."""

    job: Job
    lease: LosableLease

    def run(self, *, before: str = "", after: str = "", also: Callable[[], object] = lambda: None) -> RunReport:
        def lose() -> None:
            self.lease.lose(self.job.vaults[0].url)
            also()

        steps = Steps(before={before: lose}, after={after: lose})
        return watched(self.job, steps).run()


@pytest.fixture
def losing(job: Job) -> Losing:
    lease = LosableLease()
    return Losing(replace(job, lease=lease), lease)


def test_what_is_left_is_deferred_without_a_request_and_the_run_says_that_it_is_not_complete(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put_some(5)

    report = losing.run(before=STORE)

    assert (report.counts, report.complete, report.status) == (
        {Kind.ROTATED: 1, Kind.DEFERRED: 4}, False, Status.PROBLEMS,
    )  # fmt: skip
    left = [told for told in report.tokens if told.kind is Kind.DEFERRED]
    assert {told.reason for told in left} == {Reason.LEASE_HELD}
    assert "lost the lease" in left[0].message
    assert not report.problems
    assert cloud.entra_log.count("redeem") == 1
    assert cloud.vault.log.count("read") == 3  # the token, its client secret, the token again
    assert losing.job.run().counts == {Kind.SKIPPED: 1, Kind.DEFERRED: 4}


@pytest.mark.parametrize(
    ("taker", "to"),
    [
        (LeaseHolder("their-run", "timer", SINCE), " to another run (their-run, by timer, since 2026-11-21T07:00:00Z)"),
        (None, ", so that another may have it"),
    ],
)
def test_what_is_left_says_to_whom_the_lease_was_lost_and_since_when(
    partner: Partner, losing: Losing, taker: LeaseHolder | None, to: str
) -> None:
    partner.put("contoso")
    lease = replace(losing.lease, taker=taker)

    report = Losing(replace(losing.job, lease=lease), lease).run(after=LIST)

    told = f"this run lost the lease of the vault{to}; the next run goes on from here"
    assert outcome(report, "contoso").message == told
    assert told in json.dumps(report.to_json())


def test_nothing_is_even_read_when_the_lease_was_lost_while_the_vault_was_listed(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put_some(3)

    assert losing.run(after=LIST).counts == {Kind.DEFERRED: 3}

    assert cloud.vault.log.count("read") == 0


def test_a_token_that_was_read_before_the_lease_was_lost_is_not_redeemed(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    token = partner.put("contoso")

    report = losing.run(after=READ)

    assert outcome(report, "contoso").reason is Reason.LEASE_HELD
    assert cloud.entra_log.count("redeem") == 0
    assert values_of(cloud.vault, "contoso") == [token]


def test_a_token_whose_lease_was_lost_while_the_issuer_was_discovered_is_not_sent(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put("contoso")
    lose = partial(losing.lease.lose, cloud.vault.url)
    cloud.entra_faults.fail_next(Meanwhile(lose), path="openid-configuration")

    report = losing.run()

    assert outcome(report, "contoso").reason is Reason.LEASE_HELD
    assert cloud.entra_log.counts() == {"discovery": 1}


def test_a_token_that_was_redeemed_before_the_lease_was_lost_is_stored(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put("contoso")

    assert losing.run(after=REDEEM).counts == {Kind.ROTATED: 1}

    assert len(values_of(cloud.vault, "contoso")) == 2


@pytest.mark.parametrize(
    ("step", "reason"),
    [(REDEEM, Reason.SUPERSEDED), (STORE, Reason.DUE)],
    ids=["before it looks again: theirs stands", "before it stores: ours covers theirs"],
)
def test_whoever_took_over_and_stored_meanwhile_the_current_version_is_a_good_one(
    cloud: World, partner: Partner, losing: Losing, step: str, reason: Reason
) -> None:
    partner.put("contoso", redeemed=timedelta(0))
    cloud.vault.age(DUE)
    takes_over = partial(cloud.vault.state.put, "contoso", partner.consent(), tags=partner.tags(redeemed=timedelta(0)))

    report = losing.run(after=REDEEM, also=takes_over) if step == REDEEM else losing.run(before=STORE, also=takes_over)

    assert outcome(report, "contoso").reason is reason
    assert len(values_of(cloud.vault, "contoso")) == (2 if step == REDEEM else 3)
    again = replace(losing.job, lease=LosableLease())
    assert again.run("contoso", force=True).counts == {Kind.ROTATED: 1}


def test_an_unanswered_redemption_is_not_tried_again_without_the_lease(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put("contoso")
    lose = partial(losing.lease.lose, cloud.vault.url)
    cloud.entra_faults.fail_next(Meanwhile(lose, cut=True), method="POST", times=None)

    report = losing.run()

    assert outcome(report, "contoso").reason is Reason.ISSUER_UNAVAILABLE
    assert cloud.entra_log.count("redeem") == 1


def test_the_next_client_credential_is_not_tried_without_the_lease(
    cloud: World, partner: Partner, losing: Losing
) -> None:
    partner.put("contoso", tags=partner.tags() | {"client-credential": f"secret:old,secret:{partner.credential}"})
    cloud.vault.state.put("old", "a client secret that was taken away")
    lose = partial(losing.lease.lose, cloud.vault.url)
    cloud.entra_faults.fail_next(Meanwhile(lose, after_effect=True), method="POST")

    report = losing.run()

    assert outcome(report, "contoso").reason is Reason.LEASE_HELD
    assert cloud.entra_log.count("redeem") == 1


def test_the_other_vaults_go_on(cloud: World, partner: Partner, job_of_both: Job) -> None:
    partner.put_some(2)
    Partner.new(cloud, vault=cloud.vaults[1]).put_some(2, prefix="there")
    lease = LosableLease()
    job = replace(job_of_both, lease=lease).with_limits(concurrency=1)

    report = job.run(progress=lambda done, _: lease.lose(cloud.vault.url) if done == 1 else None)

    there = {told.kind for told in report.tokens if told.vault == cloud.vaults[1].url}
    here = [told.reason for told in report.tokens if told.vault == cloud.vault.url]
    assert there == {Kind.ROTATED}
    assert Reason.LEASE_HELD in here


def test_a_run_that_cannot_be_given_its_lease_rotates_and_says_so(
    cloud: World, partner: Partner, job_of_both: Job
) -> None:
    partner.put("contoso")
    without = replace(job_of_both, lease=UnavailableLease("the storage account did not answer"))

    report = without.run()

    assert (report.counts, report.complete, report.status) == ({Kind.ROTATED: 1}, True, Status.PROBLEMS)
    told = {(problem.reason, problem.severity, problem.subject, problem.message) for problem in report.problems}
    assert told == {
        (Reason.LEASE_UNAVAILABLE, Severity.WARNING, vault.url, "the storage account did not answer")
        for vault in cloud.vaults
    }
    assert without.run(dry_run=True).problems == ()
