"""A request to store that had been given up comes through after all: its version is ours, and hides no re-consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from emulators.faults import Answer
from emulators.world import EmulatedVault, World
from rotation.outcome import Kind
from rotation.ports import ListedVersion, NewVersion
from rotation.reason import Reason
from tests.effects.job import Job
from tests.effects.partners import Partner, current, enabled_of, tags_of, values_of
from tests.effects.steps import STORE, VERSIONS, Steps, WatchedVault, watched


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


def test_a_consent_that_they_store_once_more_while_it_is_put_back_does_not_come_up_used(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    """Nothing could be disabled, so that the next rotation finds the second between the first and its copy."""
    token = partner.consent()
    steps = Steps()

    def consent() -> None:
        partner.put("contoso", value=token, redeemed=None)
        vault.state.age(timedelta(minutes=1))
        steps.before[STORE] = consent

    steps.before[STORE] = consent
    steps.after[VERSIONS] = lambda: vault.state.age(timedelta(minutes=1))
    vault.faults.fail_next(Answer(503), method="PATCH", times=None)
    assert watched(job, steps).rotate("contoso").reason is Reason.SUPERSEDED
    vault.faults.clear()
    assert [value for value in values_of(vault, "contoso") if value == token] == [token] * 3

    assert job.rotate("contoso").kind is Kind.ROTATED
    assert current(vault, "contoso").value != token


class Behind(WatchedVault):
    """A vault whose list has a new version once, and then is behind."""

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        listed = WatchedVault.versions(self, name)
        return listed if self.steps.made.count(VERSIONS) == 1 else listed[1:]


def test_tags_are_carried_over_by_the_list_that_there_was_where_the_next_is_behind(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    before = current(vault, "contoso").version
    tagged = partner.tags(redeemed=None) | {"label": "Contoso Ltd"}
    steps = Steps(before={STORE: lambda: vault.state.retag("contoso", tagged, before)})

    outcome = replace(job, vaults=[Behind(job.vaults[0], steps)]).rotate("contoso")

    assert (outcome.kind, outcome.warnings) == (Kind.ROTATED, ())
    assert tags_of(vault, "contoso")["label"] == "Contoso Ltd"
