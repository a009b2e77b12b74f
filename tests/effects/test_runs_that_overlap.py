"""Runs that do not know of each other, through the real SDKs: however many, none costs a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from tests.effects.job import Job, outcome
from tests.effects.leases import LosableLease
from tests.effects.partners import DUE, Partner, current
from tests.effects.steps import STORE, VERSIONS, ProcessStopped, Steps, watched

SOME_SECONDS = timedelta(seconds=20)


@pytest.fixture
def due(cloud: World, partner: Partner) -> str:
    token = partner.put("contoso")
    cloud.vault.state.age(DUE)
    return token


def others_rotate(cloud: World, job: Job, *, times: int) -> Callable[[], None]:
    """So many runs that are asked for by force, one after the other, without the lease of the first."""

    def rotate() -> None:
        for number in range(times):
            cloud.vault.state.age(SOME_SECONDS)
            report = replace(job, lease=LosableLease()).run(force=True, later=timedelta(seconds=number))
            assert outcome(report, "contoso").kind is Kind.ROTATED
        cloud.vault.state.age(SOME_SECONDS)

    return rotate


def paused_while(job: Job, act: Callable[[], None]) -> Outcome:
    """What a run tells that was paused between its last look and its store."""
    holder = replace(watched(job, Steps(before={STORE: act})), lease=LosableLease())
    return outcome(holder.run(later=-timedelta(minutes=1)), "contoso")


@pytest.mark.usefixtures("due")
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_paused_holder_disables_nothing_that_is_current(cloud: World, job: Job, times: int) -> None:
    """From the second on the others have disabled the version that it had read, as an operator would have."""
    told = paused_while(job, others_rotate(cloud, job, times=times))

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.CONCURRENT_WRITE,) * (times > 1))
    assert current(cloud.vault, "contoso").enabled
    assert cloud.entra.is_redeemable(current(cloud.vault, "contoso").value)
    assert job.rotate("contoso", force=True, later=timedelta(minutes=1)).kind is Kind.ROTATED


def test_a_paused_holder_gives_way_to_what_others_redeemed_from_a_later_consent(
    cloud: World, partner: Partner, job: Job, due: str
) -> None:
    """What it holds is of the sign-in before, which is revoked; the consent itself is disabled by then."""

    def they_consent_and_others_rotate() -> None:
        cloud.vault.state.age(SOME_SECONDS)
        cloud.entra.revoke(due)
        partner.put("contoso", redeemed=None)
        others_rotate(cloud, job, times=3)()

    told = paused_while(job, they_consent_and_others_rotate)

    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert current(cloud.vault, "contoso").enabled
    assert cloud.entra.is_redeemable(current(cloud.vault, "contoso").value)


def test_a_re_consent_beneath_a_token_that_is_dead_comes_up(cloud: World, partner: Partner, job: Job, due: str) -> None:
    """A run covered it and died before it could settle."""

    def revoked_and_consented() -> None:
        cloud.entra.revoke(due)
        consented.append(partner.put("contoso", redeemed=None))

    consented: list[str] = []
    with pytest.raises(ProcessStopped):
        watched(job, Steps(before={STORE: revoked_and_consented}, after={STORE: stopped})).run()
    assert current(cloud.vault, "contoso").value != consented[0]

    told = job.rotate("contoso", later=DUE)

    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert (current(cloud.vault, "contoso").value, current(cloud.vault, "contoso").enabled) == (consented[0], True)


def stopped() -> None:
    raise ProcessStopped


def test_what_could_not_be_settled_is_due_in_the_next_run(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    vault_falls_silent = Steps(
        before={VERSIONS: lambda: cloud.vault.faults.fail_next(Answer(500), path="versions$", times=None)}
    )

    first = watched(job, vault_falls_silent).rotate("contoso")
    cloud.vault.faults.clear()
    second = job.rotate("contoso", later=timedelta(hours=6))

    assert (first.kind, first.warnings) == (Kind.ROTATED, (Reason.DISABLE_FAILED,))
    assert (second.kind, second.reason, second.warnings) == (Kind.ROTATED, Reason.RETRY, ())
