"""An operator acts between two requests of a rotation: what they did stands, whenever they did it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.keyvault.secret import SecretVersion
from emulators.world import EmulatedVault, World
from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from rotation.tagging import operator_tags
from tests.effects.job import Job
from tests.effects.partners import FRESH, Partner, current, enabled_of, tags_of, values_of
from tests.effects.steps import REDEEM, RETAG, STORE, VERSIONS, Steps, watched

type Moment = Callable[[Callable[[], object]], Steps]

MOMENTS: dict[str, Moment] = {
    "between read and redeem": lambda act: Steps(before={REDEEM: act}),
    "between redeem and look again": lambda act: Steps(after={REDEEM: act}),
    "between look again and store": lambda act: Steps(before={STORE: act}),
    "between store and settle": lambda act: Steps(after={STORE: act}),
    "while it settles": lambda act: Steps(after={VERSIONS: act}),
}
BEFORE_THE_STORE = list(MOMENTS)[:3]
BEFORE_LOOKING_AGAIN = list(MOMENTS)[:2]
every_moment = pytest.mark.parametrize("moment", MOMENTS)


def rotated_while(job: Job, moment: str, act: Callable[[], object]) -> Outcome:
    """The outcome of a rotation during which the operator acts."""
    steps = MOMENTS[moment](act)
    outcome = watched(job, steps).rotate("contoso", force=True)
    assert {**steps.before, **steps.after} == {}, "the operator never acted"
    return outcome


@every_moment
def test_a_re_consent_is_the_current_version_afterwards(
    partner: Partner, vault: EmulatedVault, job: Job, moment: str
) -> None:
    theirs: list[str] = []

    outcome = rotated_while(job, moment, lambda: theirs.append(partner.put("contoso", redeemed=None)))

    now = current(vault, "contoso")
    assert (now.value, now.enabled) == (theirs[0], True)
    assert "redeemed-at" not in (now.tags or {})
    if moment != "while it settles":
        assert (outcome.kind, outcome.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)


@every_moment
def test_a_re_consent_is_redeemed_by_the_next_run(
    partner: Partner, vault: EmulatedVault, job: Job, moment: str
) -> None:
    rotated_while(job, moment, lambda: partner.put("contoso", redeemed=None))
    vault.state.age(FRESH)

    following = job.rotate("contoso")

    assert (following.kind, following.reason) == (Kind.ROTATED, Reason.NEVER_REDEEMED)
    assert current(vault, "contoso").enabled
    assert enabled_of(vault, "contoso").count(True) == 2


def test_a_re_consent_that_was_put_back_says_of_which_version_it_is_a_copy_until_it_is_redeemed(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    rotated_while(job, "between look again and store", lambda: partner.put("contoso", redeemed=None))
    copy = current(vault, "contoso")

    source, over = (vault.state.version("contoso", said) for said in tags_of(vault, "contoso")["put-back"].split())
    assert (source.value, source.version == copy.version) == (copy.value, False)
    assert "redeemed-at" in (over.tags or {})

    job.rotate("contoso")
    assert "put-back" not in tags_of(vault, "contoso")


@every_moment
def test_a_re_consent_without_tags_stays_without(partner: Partner, vault: EmulatedVault, job: Job, moment: str) -> None:
    token = partner.consent()

    rotated_while(job, moment, lambda: vault.state.put("contoso", token))

    assert (current(vault, "contoso").value, current(vault, "contoso").enabled) == (token, True)
    assert operator_tags(tags_of(vault, "contoso")) == {}


@every_moment
def test_tags_that_were_changed_meanwhile_are_on_the_current_version(
    partner: Partner, vault: EmulatedVault, job: Job, moment: str
) -> None:
    changed = partner.tags(label="Contoso Ltd", ticket="4711")

    rotated_while(job, moment, lambda: vault.state.retag("contoso", changed, looked_at(vault).version))

    if moment != "while it settles":
        assert {"label": "Contoso Ltd", "ticket": "4711"}.items() <= tags_of(vault, "contoso").items()


@pytest.mark.parametrize("moment", BEFORE_THE_STORE)
def test_a_token_that_is_untagged_meanwhile_is_not_managed_any_more(
    vault: EmulatedVault, job: Job, moment: str
) -> None:
    outcome = rotated_while(job, moment, lambda: vault.state.retag("contoso", {"owner": "us"}))

    assert "managed-by" not in tags_of(vault, "contoso")
    if moment in BEFORE_LOOKING_AGAIN:
        assert outcome.reason is Reason.SUPERSEDED
        assert len(values_of(vault, "contoso")) == 1


@pytest.mark.parametrize("moment", BEFORE_THE_STORE)
def test_a_token_that_is_disabled_meanwhile_stays_disabled(vault: EmulatedVault, job: Job, moment: str) -> None:
    outcome = rotated_while(job, moment, lambda: vault.state.disable("contoso"))

    assert not current(vault, "contoso").enabled
    if moment in BEFORE_LOOKING_AGAIN:
        assert (outcome.kind, outcome.reason) == (Kind.SKIPPED, Reason.DISABLED)
        assert len(values_of(vault, "contoso")) == 1


def test_the_new_version_that_an_operator_disables_at_once_stays_disabled(vault: EmulatedVault, job: Job) -> None:
    rotated_while(job, "between store and settle", lambda: vault.state.disable("contoso"))

    assert enabled_of(vault, "contoso") == [True, False]


@every_moment
def test_a_secret_that_is_deleted_meanwhile_stays_deleted(vault: EmulatedVault, job: Job, moment: str) -> None:
    outcome = rotated_while(job, moment, lambda: vault.state.delete("contoso"))

    assert vault.state.names() == ("partner-app",)
    if moment in BEFORE_THE_STORE:
        assert (outcome.kind, outcome.reason) == (Kind.FAILED, Reason.SECRET_DELETED)


def test_a_failing_token_that_is_untagged_meanwhile_is_not_written_to(
    cloud: World, vault: EmulatedVault, job: Job
) -> None:
    cloud.entra.revoke(current(vault, "contoso").value)

    rotated_while(
        job,
        "between read and redeem",
        lambda: vault.state.retag("contoso", {"owner": "us"}),
    )

    assert tags_of(vault, "contoso") == {"owner": "us"}
    assert vault.log.count("update") == 0


def test_a_failing_token_that_is_consented_meanwhile_is_not_blamed(
    cloud: World, partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    cloud.entra.revoke(current(vault, "contoso").value)

    outcome = rotated_while(job, "between read and redeem", lambda: partner.put("contoso", redeemed=None))

    assert (outcome.kind, outcome.reason, outcome.streak) == (Kind.SKIPPED, Reason.SUPERSEDED, None)
    assert outcome.days_left is None
    assert vault.log.count("update") == 0


def test_a_failure_is_never_written_to_a_version_that_did_not_fail(
    cloud: World, partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    cloud.entra.revoke(current(vault, "contoso").value)

    watched(job, Steps(before={RETAG: lambda: partner.put("contoso", redeemed=None)})).run()

    assert tags_of(vault, "contoso") == partner.tags(redeemed=None)
    assert "last-failure" in (vault.state.versions("contoso")[0].tags or {})


@pytest.mark.parametrize("act", ["re-consent", "untag"])
def test_a_store_that_failed_is_not_repeated_over_what_an_operator_did_since(
    cloud: World, partner: Partner, vault: EmulatedVault, job: Job, act: str
) -> None:
    acts = {"re-consent": lambda: partner.put("contoso"), "untag": lambda: vault.state.retag("contoso", {})}
    cloud.vault.faults.fail_next(Answer(500), method="PUT")

    told = rotated_while(job, "between look again and store", acts[act])

    assert (told.kind, told.reason) == (Kind.SKIPPED, Reason.SUPERSEDED)
    assert vault.log.count("store") == 1
    assert current(vault, "contoso").enabled


@every_moment
def test_a_token_that_was_consented_meanwhile_is_not_told_as_dying(
    cloud: World, partner: Partner, job: Job, moment: str
) -> None:
    partner.put("contoso", redeemed=timedelta(days=85))
    cloud.vault.state.age(timedelta(days=1))

    told = rotated_while(job, moment, lambda: partner.put("contoso", redeemed=None))

    assert (told.days_left, told.expiry) == (90 if told.kind is Kind.ROTATED else None, None)


def test_two_re_consents_meanwhile_leave_the_last_on_top(partner: Partner, vault: EmulatedVault, job: Job) -> None:
    steps = Steps(
        before={STORE: lambda: partner.put("contoso", redeemed=None)},
        after={STORE: lambda: partner.put("contoso", value=last, redeemed=None)},
    )
    last = partner.consent()

    watched(job, steps).rotate("contoso")

    assert (current(vault, "contoso").value, current(vault, "contoso").enabled) == (last, True)


def test_more_tags_than_fit_beside_ours_are_all_there_afterwards(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    theirs = partner.tags(redeemed=None) | {f"operators-{number}": "kept" for number in range(11)}

    outcome = rotated_while(
        job, "between look again and store", lambda: vault.state.retag("contoso", theirs, looked_at(vault).version)
    )

    assert outcome.kind is Kind.ROTATED
    assert theirs.items() <= tags_of(vault, "contoso").items()


def test_of_two_re_consents_beneath_ours_the_later_goes_back_on_top(
    partner: Partner, vault: EmulatedVault, job: Job
) -> None:
    tokens: list[str] = []

    def consent_twice() -> None:
        for _ in range(2):
            tokens.append(partner.put("contoso", redeemed=None))
            vault.state.age(timedelta(minutes=1))

    rotated_while(job, "between look again and store", consent_twice)

    assert current(vault, "contoso").value == tokens[1]


def looked_at(vault: EmulatedVault) -> SecretVersion:
    """The version before ours, which is the one that a portal's page opened before the rotation shows."""
    return vault.state.versions("contoso")[0]
