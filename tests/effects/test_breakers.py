"""One cause is found out once: a bad client credential, a vault that takes nothing, an app that is throttled."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.outcome import Kind
from rotation.ports import Grant, Redemption
from rotation.reason import Reason
from rotation.report import RunReport
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.effects.steps import Steps, WatchedIssuer


def told(report: RunReport) -> list[tuple[Reason, str, int]]:
    """The problems of a run: reason, subject, how many tokens."""
    return [(problem.reason, problem.subject, problem.tokens) for problem in report.problems]


@pytest.fixture
def bad(cloud: World) -> Partner:
    """An app whose client secret is over."""
    bad = Partner.new(cloud, credential="bad-app")
    cloud.entra.expire_client_secret(bad.client_id)
    return bad


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 60])
def test_a_bad_client_secret_is_tried_three_times_and_is_one_problem(
    cloud: World, partner: Partner, bad: Partner, job: Job, tokens: int
) -> None:
    partner.put_some(40, prefix="good")
    bad.put_some(tokens, prefix="bad")

    report = job.run()

    tried = min(tokens, 3)
    assert cloud.entra_log.count("redeem") == 40 + tried
    assert [report.counts[kind] for kind in (Kind.ROTATED, Kind.FAILED, Kind.DEFERRED)] == [40, tried, tokens - tried]
    assert told(report) == [(Reason.CLIENT_CREDENTIAL_EXPIRED, "secret:bad-app", tokens)]


def test_what_was_not_tried_says_because_of_what(bad: Partner, job: Job) -> None:
    bad.put_some(5)

    report = job.run()

    deferred = [outcome for outcome in report.tokens if outcome.kind is Kind.DEFERRED]
    assert {(each.reason, each.because) for each in deferred} == {
        (Reason.BREAKER_OPEN, Reason.CLIENT_CREDENTIAL_EXPIRED)
    }
    assert "secret:bad-app" in deferred[0].message


def test_a_mended_client_secret_is_used_by_the_very_next_run(cloud: World, bad: Partner, job: Job) -> None:
    bad.put_some(5)
    job.run()
    cloud.entra.add_client_secret(bad.client_id, "a new secret")
    cloud.vault.state.put("bad-app", "a new secret")

    assert job.run().counts == {Kind.ROTATED: 5}


def test_a_token_that_is_refused_does_not_close_its_client_secret(cloud: World, partner: Partner, job: Job) -> None:
    names = partner.put_some(10)
    for name in names[:5]:
        cloud.entra.revoke(cloud.vault.state.current(name).value)

    report = job.run()

    assert report.counts == {Kind.FAILED: 5, Kind.ROTATED: 5}
    assert cloud.entra_log.count("redeem") == 10


def test_a_client_secret_that_is_not_there_redeems_nothing(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(5)
    cloud.vault.state.delete("partner-app")

    report = job.run()

    assert cloud.entra_log.counts() == {}
    assert told(report) == [(Reason.CLIENT_CREDENTIAL_MISSING, "secret:partner-app", 5)]
    assert cloud.vault.log.count("read") == 3  # the token, its client secret, the token again to remember it


def test_a_client_secret_that_is_disabled_redeems_nothing(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(5)
    cloud.vault.state.disable("partner-app")

    report = job.run()

    assert cloud.entra_log.counts() == {}
    assert told(report) == [(Reason.CLIENT_CREDENTIAL_MISSING, "secret:partner-app", 5)]


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_a_client_secret_that_is_empty_redeems_nothing(cloud: World, partner: Partner, job: Job, value: str) -> None:
    partner.put_some(2)
    cloud.vault.state.put("partner-app", value)

    assert told(job.run()) == [(Reason.CLIENT_CREDENTIAL_MISSING, "secret:partner-app", 2)]
    assert cloud.entra_log.counts() == {}


def test_a_client_secret_that_cannot_be_read_is_the_vaults_problem(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(2)
    cloud.vault.faults.fail_next(Answer(500), path="^/secrets/partner-app/", times=None)

    assert told(job.run()) == [(Reason.VAULT_UNAVAILABLE, cloud.vault.url, 2)]
    assert cloud.entra_log.counts() == {}


def test_a_vault_that_takes_nothing_redeems_one_token_and_says_so_of_all(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(20)
    cloud.vault.faults.fail_next(Answer(403), method="PUT", times=None)

    report = job.run()

    assert report.counts == {Kind.STRANDED: 1, Kind.DEFERRED: 19}
    assert cloud.entra_log.count("redeem") == 1
    assert told(report) == [(Reason.STRANDED_TOKEN, cloud.vault.url, 20)]


def test_a_vault_that_stops_taking_anything_strands_no_more_than_was_under_way(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(60)
    cloud.vault.faults.fail_next(Answer(403), method="PUT", after=20, times=None)

    report = job.run()

    assert report.counts[Kind.ROTATED] == 20
    assert 1 <= report.counts[Kind.STRANDED] <= 16
    assert report.counts[Kind.DEFERRED] == 40 - report.counts[Kind.STRANDED]


def test_the_other_vault_goes_on(cloud: World, partner: Partner, job_of_both: Job) -> None:
    there = Partner.new(cloud, vault=cloud.vaults[1])
    partner.put_some(5)
    there.put_some(5)
    cloud.vault.faults.fail_next(Answer(500), method="PUT", times=None)

    report = job_of_both.run()

    assert report.counts == {Kind.STRANDED: 1, Kind.DEFERRED: 4, Kind.ROTATED: 5}


@pytest.mark.parametrize("code", [50196, 90055])
def test_a_throttled_app_is_left_in_peace_in_that_tenant(cloud: World, partner: Partner, job: Job, code: int) -> None:
    other = Partner.new(cloud, credential="other-app")
    partner.put_some(10, prefix="throttled")
    other.put_some(10, prefix="other")
    cloud.entra.fail_next_with(code, client_id=partner.client_id, times=10)

    report = job.with_limits(concurrency=1).run()

    assert report.counts == {Kind.FAILED: 1, Kind.DEFERRED: 9, Kind.ROTATED: 10}


def test_a_throttled_app_is_not_known_to_be_throttled_in_another_tenant(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso")
    partner.put("by-domain", tags=partner.tags() | {"tenant-id": "contoso.onmicrosoft.com"})
    cloud.entra.fail_next_with(50196)

    report = job.with_limits(concurrency=1).run()

    assert report.counts == {Kind.FAILED: 1, Kind.ROTATED: 1}


class Meeting(WatchedIssuer):
    """Every redemption but the first waits until another one is under way too."""

    both = threading.Barrier(2)
    number = itertools.count()

    def redeem(self, grant: Grant) -> Redemption:
        if next(self.number) > 0:
            self.both.wait(timeout=60)
        return WatchedIssuer.redeem(self, grant)


def test_once_one_token_is_stored_the_others_go_at_the_same_time(partner: Partner, job: Job) -> None:
    partner.put_some(9)

    report = replace(job, issuer=Meeting(job.issuer, Steps())).run()

    assert report.counts == {Kind.ROTATED: 9}


def test_an_accepted_client_secret_whose_end_comes_meanwhile_is_closed(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(30)

    report = job.with_limits(concurrency=1).run(
        progress=lambda done, _: cloud.entra.expire_client_secret(partner.client_id) if done == 10 else None
    )

    assert report.counts == {Kind.ROTATED: 10, Kind.FAILED: 3, Kind.DEFERRED: 17}


def test_a_rejection_now_and_then_closes_nothing(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(30)

    def reject_every_fifth(done: int, _: int) -> None:
        if done in (5, 10, 15, 20, 25):
            cloud.entra.fail_next_with(7000215)

    report = job.with_limits(concurrency=1).run(progress=reject_every_fifth)

    assert report.counts == {Kind.ROTATED: 25, Kind.FAILED: 5}


def test_a_client_secret_that_is_about_to_end_is_a_problem_before_it_does(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso", redeemed=timedelta(days=1))
    soon = job.run().started_at + timedelta(days=20)
    cloud.vault.state.put("partner-app", "secret", expires_on=soon)

    assert told(job.run()) == [(Reason.CLIENT_CREDENTIAL_EXPIRING, "secret:partner-app", 1)]
