"""A request to store that had been given up comes through after all: its version is ours, and hides no re-consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from emulators.world import EmulatedVault, World
from rotation.outcome import Kind
from rotation.ports import NewVersion
from rotation.reason import Reason
from tests.effects.job import Job
from tests.effects.partners import Partner, current, enabled_of
from tests.effects.steps import STORE, Steps, WatchedVault, watched


def sent_again(vault: EmulatedVault) -> None:
    """A request to store that had been given up comes through after all."""
    ours = current(vault, "contoso")
    vault.state.put("contoso", ours.value, tags=ours.tags, content_type=ours.content_type, expires_on=ours.expires_on)


def test_what_a_request_that_was_given_up_stores_after_all_is_not_disabled(
    cloud: World, vault: EmulatedVault, job: Job
) -> None:
    outcome = watched(job, Steps(after={STORE: lambda: sent_again(vault)})).rotate("contoso")

    assert (outcome.kind, outcome.warnings) == (Kind.ROTATED, ())
    assert enabled_of(vault, "contoso") == [True, True, True]
    assert cloud.entra.is_redeemable(current(vault, "contoso").value)


def test_a_re_consent_beneath_a_version_and_its_double_goes_back_on_top(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    token = partner.consent()
    steps = Steps(before={STORE: lambda: partner.put("contoso", value=token)}, after={STORE: lambda: sent_again(vault)})

    told = watched(job, steps).rotate("contoso")

    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert (current(vault, "contoso").value, current(vault, "contoso").enabled) == (token, True)


class SentTwice(WatchedVault):
    """A vault to which a request to store comes twice, the one that had been given up first."""

    def store(self, new: NewVersion) -> str:
        WatchedVault.store(self, new)
        return WatchedVault.store(self, new)


def test_a_re_consent_beneath_a_double_and_its_version_goes_back_on_top(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    token = partner.consent()

    def re_consent() -> None:
        partner.put("contoso", value=token, redeemed=None)
        vault.state.age(timedelta(minutes=1))

    doubling = replace(job, vaults=[SentTwice(job.vaults[0], Steps(before={STORE: re_consent}))])
    outcome = doubling.rotate("contoso")

    assert (outcome.kind, outcome.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert (current(vault, "contoso").value, current(vault, "contoso").enabled) == (token, True)
