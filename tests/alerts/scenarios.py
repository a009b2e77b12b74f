"""What happens in each scenario, on a timeline. What must be mailed for it is the table of `test_scenarios`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from emulators.faults import Answer
from tests.alerts.timeline import Timeline
from tests.effects.partners import CREDENTIAL, FRESH, Partner, tags_of

type Scenario = Callable[[Timeline], None]

_POLICY = 53003
_NEW_SECRET = "contoso's next client secret"


def a_death(days: Timeline) -> None:
    """A refresh token is revoked, and nobody does anything about it."""
    partner = Partner.new(days.world)
    partner.put("fabrikam", redeemed=FRESH)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer(2)
    days.repeat(6)
    days.wait(5)


def a_client_secret_expires(days: Timeline) -> None:
    """40 tokens behind one client secret that expired; the next day a new one is stored, and the job goes on."""
    partner = Partner.new(days.world)
    partner.put_some(40)
    days.world.entra.expire_client_secret(partner.client_id)
    days.timer(2)
    days.repeat(2)
    days.world.entra.add_client_secret(partner.client_id, _NEW_SECRET)
    partner.vault.state.put(CREDENTIAL, _NEW_SECRET)
    days.timer()
    days.repeat(1)
    days.wait(2)


def a_policy_change(days: Timeline) -> None:
    """A Conditional Access policy blocks 120 accounts at once: more than there are mails in an hour."""
    partner = Partner.new(days.world)
    for number in range(120):
        days.world.entra.block(partner.put(f"contoso-{number:03}"), _POLICY)
    days.timer()
    days.repeat(7)
    days.wait(5)


def a_repair_by_the_job(days: Timeline) -> None:
    """An account is blocked and unblocked again: the job tries it the next day."""
    partner = Partner.new(days.world)
    partner.put("contoso")
    days.world.entra.enable_user(partner.user, enabled=False)
    days.timer(2)
    days.world.entra.enable_user(partner.user)
    days.timer(1)
    days.wait(5)


def a_repair_by_hand(days: Timeline) -> None:
    """The same; but the operator does not wait, and runs the command line for that one token."""
    partner = Partner.new(days.world)
    partner.put("contoso")
    partner.put("fabrikam", redeemed=FRESH)
    days.world.entra.enable_user(partner.user, enabled=False)
    days.timer()
    days.world.entra.enable_user(partner.user)
    days.cli("contoso", hours=2)
    days.timer()
    days.wait(5)


def a_re_consent_in_the_portal(days: Timeline) -> None:
    """The operator signs in again and stores the new token in the portal, which drops the tags; then the tags."""
    partner = Partner.new(days.world)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer()
    tags = tags_of(partner.vault, "contoso")
    partner.vault.state.put("contoso", partner.consent())
    days.timer()
    partner.vault.state.retag("contoso", {tag: tags[tag] for tag in partner.tags(redeemed=None)})
    days.timer()
    days.wait(5)


def deleting_and_untagging(days: Timeline) -> None:
    """Two tokens are dead and no longer needed: one secret is deleted, the other loses its tag."""
    partner = Partner.new(days.world)
    for name in ("contoso", "fabrikam"):
        days.world.entra.revoke(partner.put(name))
    days.timer()
    partner.vault.state.delete("contoso")
    tags = tags_of(partner.vault, "fabrikam")
    partner.vault.state.retag("fabrikam", {tag: text for tag, text in tags.items() if tag != "managed-by"})
    days.timer()
    days.wait(5)


def a_throttled_week(days: Timeline) -> None:
    """The issuer answers 429 to every redemption, from Monday to the next Monday."""
    Partner.new(days.world).put_some(3)
    days.world.entra_faults.fail_next(Answer(429), times=None, path="/token$")
    days.timer(4)
    for _ in range(6):
        days.timer()
        days.repeat(3)
    days.world.entra_faults.clear()
    days.timer()
    days.wait(5)


def the_job_stops_for_three_days(days: Timeline) -> None:
    """With a dead token in the vault, the timer does not fire for three days, and then fires again."""
    partner = Partner.new(days.world)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer(2)
    days.no_timer(11)
    days.timer()
    days.wait(2)


def one_of_three_vaults(days: Timeline) -> None:
    """A vault falls out of the settings for half a day; nothing else is wrong."""
    for vault in days.world.vaults:
        Partner.new(days.world, vault=vault).put("contoso", redeemed=FRESH)
    days.timer()
    days.repeat(1)
    left = ",".join(vault.url for vault in days.world.vaults[:2])
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("KEY_VAULT_URLS", left)
        days.timer()
        days.repeat(1)
    days.timer()
    days.wait(2)


def runs_by_hand_while_the_timer_is_dead(days: Timeline) -> None:
    """After one run the timer stops; full runs by HTTP and by command line go on, and find a dead token."""
    partner = Partner.new(days.world)
    dead = partner.put("contoso", redeemed=FRESH)
    days.timer()
    days.no_timer(1)
    days.world.entra.revoke(dead)
    days.http(hours=1, force=True)
    days.cli(hours=4)
    days.wait(4)


def a_run_is_killed(days: Timeline) -> None:
    """The second run of the timer is killed while it waits for the issuer; the third one is well."""
    Partner.new(days.world).put("contoso", redeemed=timedelta(days=6, hours=22))
    days.timer()
    days.killed()
    days.timer()
    days.wait(2)


def telemetry_is_lost_for_a_day(days: Timeline) -> None:
    """A dead token was told; then four runs go by of which nothing arrives; then all is heard of again."""
    partner = Partner.new(days.world)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer()
    days.lost(4)
    days.timer()
    days.repeat(2)
    days.wait(5)


def a_first_deployment(days: Timeline) -> None:
    """Empty vaults; the first run comes three hours after the deployment."""
    days.timer()
    days.repeat(3)
    days.wait(1)


def a_deployment_that_never_runs(days: Timeline) -> None:
    """The deployment is there, and no run ever comes."""
    days.no_timer(3)
    days.wait(1)


SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__.replace("_", " "): scenario
    for scenario in (
        a_death,
        a_client_secret_expires,
        a_policy_change,
        a_repair_by_the_job,
        a_repair_by_hand,
        a_re_consent_in_the_portal,
        deleting_and_untagging,
        a_throttled_week,
        the_job_stops_for_three_days,
        one_of_three_vaults,
        runs_by_hand_while_the_timer_is_dead,
        a_run_is_killed,
        telemetry_is_lost_for_a_day,
        a_first_deployment,
        a_deployment_that_never_runs,
    )
}
