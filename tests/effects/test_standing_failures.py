"""A problem stays told until somebody mended it: not looking at its token, or failing otherwise, is no repair."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job, outcome
from tests.effects.partners import Partner, tags_of
from tests.effects.steps import REDEEM, Steps, watched

TOMORROW = timedelta(days=1)
UNAVAILABLE = Answer(503, body={"error": "temporarily_unavailable"})


@pytest.fixture
def dead(cloud: World, partner: Partner, job: Job) -> str:
    """A token that was revoked, and a run that found it out."""
    cloud.entra.revoke(partner.put("dead"))
    assert told(job.run()) == [(Reason.TOKEN_REVOKED, "dead")]
    return tags_of(partner.vault, "dead")["last-failure"]


def told(report: object) -> list[tuple[Reason, str]]:
    return [(problem.reason, problem.subject) for problem in report.problems]  # type: ignore[attr-defined]


def test_an_issuer_that_is_away_when_it_is_tried_again_ends_no_problem(
    cloud: World, partner: Partner, job: Job, dead: str
) -> None:
    cloud.entra_faults.fail_next(UNAVAILABLE, path="/token$", times=None)

    report = job.run(later=TOMORROW)

    assert told(report) == [(Reason.TOKEN_REVOKED, "dead")]
    assert outcome(report, "dead").reason is Reason.ISSUER_UNAVAILABLE
    assert tags_of(partner.vault, "dead")["last-failure"] == dead


def test_it_is_tried_in_every_run_until_the_issuer_is_back(cloud: World, job: Job, dead: str) -> None:
    assert dead
    for _ in range(2):
        cloud.entra_faults.fail_next(UNAVAILABLE, path="/token$")
        assert told(job.run(later=TOMORROW)) == [(Reason.TOKEN_REVOKED, "dead")]

    assert outcome(job.run(later=TOMORROW), "dead").reason is Reason.TOKEN_REVOKED


def test_a_client_secret_that_ends_too_is_told_beside_it(cloud: World, partner: Partner, job: Job, dead: str) -> None:
    cloud.entra.expire_client_secret(partner.client_id)

    report = job.run(later=TOMORROW)

    assert set(told(report)) == {
        (Reason.TOKEN_REVOKED, "dead"),
        (Reason.CLIENT_CREDENTIAL_EXPIRED, f"secret:{partner.credential}"),
    }
    assert tags_of(partner.vault, "dead")["last-failure"] == dead


def test_a_breaker_that_keeps_it_from_being_tried_ends_no_problem(
    cloud: World, partner: Partner, job: Job, dead: str
) -> None:
    assert dead
    cloud.entra.expire_client_secret(partner.client_id)
    partner.put_some(3, prefix="older", redeemed=timedelta(days=60))

    report = job.run(later=TOMORROW)

    assert outcome(report, "dead").kind is Kind.DEFERRED
    assert (Reason.TOKEN_REVOKED, "dead") in told(report)


def test_a_time_that_is_over_before_its_turn_ends_no_problem(partner: Partner, job: Job, dead: str) -> None:
    assert dead
    partner.put("older", redeemed=timedelta(days=60))
    short = job.with_limits(concurrency=1, start_seconds=60)

    report = short.run(later=TOMORROW, progress=lambda *_: job.turned.turn(61))

    assert (outcome(report, "older").kind, outcome(report, "dead").reason) == (Kind.ROTATED, Reason.OUT_OF_TIME)
    assert told(report) == [(Reason.TOKEN_REVOKED, "dead")]


def test_a_fault_of_this_program_ends_no_problem(job: Job, dead: str) -> None:
    assert dead

    def fault() -> None:
        raise ZeroDivisionError

    report = watched(job, Steps(before={REDEEM: fault})).run(later=TOMORROW)

    assert outcome(report, "dead").reason is Reason.UNCLASSIFIED
    assert set(told(report)) == {(Reason.UNCLASSIFIED, "dead"), (Reason.TOKEN_REVOKED, "dead")}


def test_a_vault_that_does_not_let_it_be_read_ends_no_problem(partner: Partner, job: Job, dead: str) -> None:
    assert dead
    partner.vault.faults.fail_next(Answer(500), method="GET", path="^/secrets/dead/$", times=None)

    report = job.run(later=TOMORROW)

    assert outcome(report, "dead").reason is Reason.VAULT_UNAVAILABLE
    assert (Reason.TOKEN_REVOKED, "dead") in told(report)


def test_a_re_consent_ends_it_whatever_happens_then(cloud: World, partner: Partner, job: Job, dead: str) -> None:
    assert dead
    partner.vault.state.put("dead", partner.consent(), tags=tags_of(partner.vault, "dead"))
    cloud.entra_faults.fail_next(UNAVAILABLE, path="/token$", times=None)

    assert told(job.run(later=TOMORROW)) == []
