"""What a run finds out for its events: what a rotation proved, and how far it came in each vault."""

from __future__ import annotations

from datetime import timedelta

from emulators.world import TENANT_ID, World
from rotation.outcome import Kind
from rotation.reason import Reason, Unit
from tests.effects.job import Job, outcome
from tests.effects.partners import CLIENT_SECRET, FRESH, Partner


def test_a_rotation_proves_its_token_app_tenant_issuer_vault_and_the_credential_it_used(
    job: Job, partner: Partner
) -> None:
    partner.put("contoso")
    assert dict(job.rotate("contoso").proved) == {
        Unit.TOKEN: "contoso",
        Unit.CREDENTIAL: "secret:partner-app",
        Unit.CLIENT: partner.client_id,
        Unit.CLIENT_AND_TENANT: f"{partner.client_id} in {TENANT_ID}",
        Unit.ISSUER: "global",
        Unit.VAULT: partner.vault.url,
    }


def test_of_several_credentials_only_the_accepted_one_is_proved(job: Job, partner: Partner) -> None:
    partner.vault.state.put("wrong", "a secret that the app does not have")
    partner.vault.state.put("right", CLIENT_SECRET)
    tags = partner.tags() | {"client-credential": "secret:wrong,secret:right"}
    partner.put("contoso", tags=tags)
    partner.put("fabrikam", tags=tags)
    assert {dict(each.proved)[Unit.CREDENTIAL] for each in job.run().tokens} == {"secret:right"}


def test_a_failure_proves_nothing(job: Job, partner: Partner) -> None:
    partner.world.entra.revoke(partner.put("contoso"))
    assert job.rotate("contoso").proved == ()


def test_a_dry_run_proves_nothing(job: Job, partner: Partner) -> None:
    partner.put("contoso")
    assert outcome(job.run(dry_run=True), "contoso").proved == ()


def test_each_vault_has_its_own_counts_and_its_own_fewest_days(
    job_of_both: Job, world: World, partner: Partner
) -> None:
    partner.put("contoso", redeemed=timedelta(days=5))
    partner.put("northwind", redeemed=FRESH)
    other = Partner.new(world, vault=world.vaults[1])
    other.put("fabrikam")
    first, second = job_of_both.run().by_vault
    assert (first.counts, first.smallest_days_left) == ({Kind.SKIPPED: 2}, 84)
    assert (second.counts, second.smallest_days_left) == ({Kind.ROTATED: 1}, 90)


def test_a_disabled_token_does_not_count_as_the_one_with_the_fewest_days(job: Job, partner: Partner) -> None:
    partner.put("contoso", redeemed=FRESH)
    partner.vault.state.put("retired", "x", tags=partner.tags(redeemed=timedelta(days=300)), enabled=False)
    assert job.run().by_vault[0].smallest_days_left == 88


def test_a_vault_that_cannot_be_listed_leaves_the_other_one_complete(job_of_both: Job, world: World) -> None:
    world.vaults[1].access.deny(world.job.object_id)
    assert [share.complete for share in job_of_both.run().by_vault] == [True, False]


def test_a_vault_with_tokens_left_over_is_not_complete(job_of_both: Job, partner: Partner) -> None:
    partner.put_some(2)
    report = job_of_both.with_limits(concurrency=1).run(progress=lambda *_: job_of_both.turned.turn(600))
    assert sorted(each.reason for each in report.tokens) == [Reason.DUE, Reason.OUT_OF_TIME]
    assert [share.complete for share in report.by_vault] == [False, True]
