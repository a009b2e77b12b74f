"""What could not be put in order around a store is told with the token, however the rotation of it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.keyvault.access import DataAction
from emulators.world import EmulatedVault, World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job, outcome
from tests.effects.partners import DUE, Partner, current, tags_of
from tests.effects.steps import STORE, Steps, watched

NOTES = {f"operators-{number}": "kept" for number in range(11)}
"""So many that nothing of the job's fits beside them and the four that say that a token is under care."""


@pytest.fixture
def vault(cloud: World, partner: Partner) -> EmulatedVault:
    """A vault in which the token has two versions that are days old, so that one is to be disabled."""
    for _ in range(2):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
    return cloud.vault


def consents_meanwhile(partner: Partner) -> Steps:
    """Somebody signs in again between the last look and the store, so that their version has to be put back on top."""
    return Steps(before={STORE: lambda: partner.put("contoso", redeemed=None)})


def tags_meanwhile(partner: Partner, vault: EmulatedVault) -> Steps:
    """Somebody writes so many tags between the last look and the store that the job's own no longer fit."""
    before = current(vault, "contoso").version
    return Steps(before={STORE: lambda: vault.state.retag("contoso", partner.tags(redeemed=None) | NOTES, before)})


def test_what_cannot_be_disabled_is_told_of_a_token_whose_re_consent_was_put_back(
    cloud: World, partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    vault.access.deny(cloud.job.object_id, [DataAction.UPDATE])

    report = watched(job, consents_meanwhile(partner)).run()

    told = outcome(report, "contoso")
    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert told.warnings == (Reason.DISABLE_FAILED, Reason.VAULT_DENIED)
    assert {problem.reason for problem in report.problems} == {Reason.DISABLE_FAILED, Reason.VAULT_DENIED}


def test_a_list_that_fails_after_a_re_consent_was_put_back_is_told(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    vault.faults.fail_next(Answer(500), path="^/secrets/contoso/versions$", times=None, after=1)

    told = watched(job, consents_meanwhile(partner)).rotate("contoso")

    assert (told.reason, told.warnings) == (Reason.SUPERSEDED, (Reason.DISABLE_FAILED,))


def test_tags_that_do_not_fit_at_the_second_attempt_to_store_are_told(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    vault.faults.fail_next(Answer(429), method="PUT")

    told = watched(job, tags_meanwhile(partner, vault)).rotate("contoso")

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.TAGS_DROPPED,))
    assert tags_of(vault, "contoso") == partner.tags(redeemed=None) | NOTES


def test_tags_that_do_not_fit_are_told_beside_a_version_that_cannot_be_disabled(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    vault.faults.fail_next(Answer(500), method="PATCH", times=None, after=1)

    told = watched(job, tags_meanwhile(partner, vault)).rotate("contoso")

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.TAGS_DROPPED, Reason.DISABLE_FAILED))


def test_tags_that_do_not_fit_beside_a_re_consent_put_back_are_told(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    """They consent with a script that copies the job's tags, and then write many on the version on top of it."""
    steps = consents_meanwhile(partner)
    steps.before[STORE] = lambda: partner.put("contoso", redeemed=timedelta(days=1))
    steps.after[STORE] = lambda: vault.state.retag("contoso", partner.tags(redeemed=None) | NOTES)

    told = watched(job, steps).rotate("contoso")

    assert (told.reason, told.warnings) == (Reason.SUPERSEDED, (Reason.TAGS_DROPPED,))


def test_a_re_consent_with_all_the_tags_there_may_be_is_put_back_with_them_and_that_is_told(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    full = partner.tags(redeemed=None) | NOTES
    steps = Steps(before={STORE: lambda: partner.put("contoso", tags=full)})

    told = watched(job, steps).rotate("contoso")

    assert (told.reason, told.warnings) == (Reason.SUPERSEDED, (Reason.TAGS_DROPPED,))
    assert tags_of(vault, "contoso") == full


def test_what_is_told_is_told_once(partner: Partner, vault: EmulatedVault, job: Job) -> None:
    """They leave room for one of the job's before the run, and for none in its window."""
    vault.state.retag("contoso", partner.tags(redeemed=None) | dict(list(NOTES.items())[1:]))

    told = watched(job, tags_meanwhile(partner, vault)).rotate("contoso")

    assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.TAGS_DROPPED,))
