"""The process ends between any two calls of a rotation: what is in the vault then is good, and the next run goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job
from tests.effects.partners import DUE, Partner, current, enabled_of, tags_of, values_of
from tests.effects.steps import DISABLE, LIST, READ, REDEEM, RETAG, STORE, VERSIONS, ProcessStopped, Steps, watched

ROTATION = [LIST, READ, READ, REDEEM, READ, STORE, VERSIONS, DISABLE]
FAILURE = [LIST, READ, READ, REDEEM, VERSIONS, READ, RETAG]
A_MINUTE = timedelta(minutes=1)


pytestmark = pytest.mark.usefixtures("due")


@pytest.fixture
def due(cloud: World, partner: Partner) -> str:
    """A due token with a version of a month ago that is still enabled."""
    partner.put("contoso")
    cloud.vault.state.age(DUE)
    token = partner.put("contoso")
    cloud.vault.state.age(DUE)
    return token


def stopped(job: Job, step: int, when: str) -> Steps:
    steps = Steps(dies_at=(step, when))
    with pytest.raises(ProcessStopped):
        watched(job, steps).run()
    return steps


def moments(calls: list[str]) -> list[tuple[int, str]]:
    return [(step, when) for step in range(len(calls)) for when in ("before", "after")]


def test_these_are_all_the_calls_of_a_rotation(job: Job) -> None:
    steps = Steps()

    watched(job, steps).run()

    assert steps.made == ROTATION


@pytest.mark.parametrize(("step", "when"), moments(ROTATION))
def test_a_stopped_rotation_leaves_a_token_that_works(cloud: World, job: Job, due: str, step: int, when: str) -> None:
    steps = stopped(job, step, when)

    assert steps.made == ROTATION[: step + 1]
    assert current(cloud.vault, "contoso").enabled
    assert cloud.entra.is_redeemable(current(cloud.vault, "contoso").value)
    assert due in values_of(cloud.vault, "contoso")[-2:]


@pytest.mark.parametrize(("step", "when"), moments(ROTATION))
def test_a_run_after_a_stopped_rotation_goes_on(cloud: World, job: Job, step: int, when: str) -> None:
    stopped(job, step, when)
    was_stored = len(values_of(cloud.vault, "contoso")) == 3
    cloud.vault.state.age(A_MINUTE)

    following = job.rotate("contoso")

    assert following.kind is (Kind.SKIPPED if was_stored else Kind.ROTATED)
    assert following.reason is (Reason.NOT_DUE if was_stored else Reason.DUE)
    assert len(values_of(cloud.vault, "contoso")) == 3


@pytest.mark.parametrize(("step", "when"), moments(ROTATION)[-4:])
def test_the_next_rotation_disables_what_a_stopped_one_left(cloud: World, job: Job, step: int, when: str) -> None:
    stopped(job, step, when)
    cloud.vault.state.age(A_MINUTE)

    job.rotate("contoso", force=True)

    assert enabled_of(cloud.vault, "contoso") == [False, False, True, True]


def test_these_are_all_the_calls_of_a_failure(cloud: World, job: Job, due: str) -> None:
    cloud.entra.revoke(due)
    steps = Steps()

    watched(job, steps).run()

    assert steps.made == FAILURE


@pytest.mark.parametrize(("step", "when"), [at for at in moments(FAILURE) if at != (FAILURE.index(REDEEM), "after")])
def test_a_failure_that_is_not_remembered_is_found_again(
    cloud: World, job: Job, due: str, step: int, when: str
) -> None:
    cloud.entra.revoke(due)
    stopped(job, step, when)

    following = job.rotate("contoso")

    assert (following.kind, following.reason) == (Kind.FAILED, Reason.TOKEN_REVOKED)
    assert tags_of(cloud.vault, "contoso")["last-failure"].startswith("token_revoked;1;")
