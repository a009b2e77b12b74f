"""What happens in each scenario, on a timeline. What must be mailed for it is the table of `test_scenarios`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

from emulators.faults import Answer
from tests.alerts import silences
from tests.alerts.timeline import Timeline
from tests.effects.partners import CREDENTIAL, FRESH, Partner, tags_of

type Scenario = Callable[[Timeline], None]

_POLICY = 53003
_DUE_IN_TWO_HOURS = timedelta(days=6, hours=22)  # at the timer's second run of Monday, at 18:17
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
    """A Conditional Access policy blocks 400 accounts at once: more than there are mails in an hour."""
    partner = Partner.new(days.world)
    for number in range(400):
        days.world.entra.block(partner.put(f"contoso-{number:03}"), _POLICY)
    days.timer()
    days.repeat(7)
    days.wait(5)


def an_app_disabled_at_home(days: Timeline) -> None:
    """One app redeems in 120 partners' tenants, and is disabled in its own."""
    partner = Partner.new(days.world)
    for number in range(120):
        tenant = str(uuid.UUID(int=number + 1))
        days.world.entra.add_tenant(tenant)
        days.world.entra.add_to_tenant(tenant, partner.client_id)
        user = days.world.entra.add_user(tenant, "partner-service-account")
        token = days.world.entra.consent(tenant_id=tenant, client_id=partner.client_id, user=user)
        partner.put(f"contoso-{number:03}", value=token, tags=partner.tags(tenant_id=tenant))
    days.world.entra.enable_app(partner.client_id, enabled=False)
    days.timer()
    days.repeat(5)
    days.wait(5)


def ten_then_eleven_then_ten(days: Timeline) -> None:
    """Ten tokens die of one cause, hours later an eleventh does, and the next day that one is mended."""
    partner = Partner.new(days.world)
    for number in range(10):
        days.world.entra.revoke(partner.put(f"contoso-{number}"))
    eleventh = partner.put("contoso-10", redeemed=_DUE_IN_TWO_HOURS)
    days.timer()
    days.world.entra.revoke(eleventh)
    days.timer()
    days.repeat(1)
    partner.put("contoso-10", redeemed=FRESH)
    days.timer()
    days.repeat(3)
    days.wait(5)


def one_more_on_another_day(days: Timeline) -> None:
    """Two tokens die on Monday and a third on Tuesday; on Wednesday that one is mended, then one of the first two."""
    partner = Partner.new(days.world)
    for name in ("contoso", "fabrikam"):
        days.world.entra.revoke(partner.put(name))
    third = partner.put("litware", redeemed=_DUE_IN_TWO_HOURS - timedelta(hours=12))
    days.timer()
    days.world.entra.revoke(third)
    days.timer(2)
    days.repeat(1)
    days.timer()
    days.repeat(1)
    partner.put("litware", redeemed=FRESH)
    days.timer()
    days.repeat(1)
    partner.put("contoso", redeemed=FRESH)
    days.timer()
    days.wait(5)


def one_of_several_tried_by_hand(days: Timeline) -> None:
    """Three tokens are dead; the operator tries one by hand, which still fails, mends another, and tries that."""
    partner = Partner.new(days.world)
    for name in ("contoso", "fabrikam", "litware"):
        days.world.entra.revoke(partner.put(name))
    days.timer()
    days.cli("contoso", hours=1)
    partner.put("fabrikam")
    days.cli("fabrikam", hours=1)
    days.timer()
    days.wait(5)


def the_tags_are_lost_for_good(days: Timeline) -> None:
    """A re-consent was stored without its tags 13 days ago, and nobody puts them back."""
    partner = Partner.new(days.world)
    partner.put("contoso")
    days.wait_for_the_timer()
    partner.vault.state.put("contoso", partner.consent())
    days.world.age(timedelta(days=13))
    days.timer()
    days.repeat(3)
    days.timer()
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
    days.wait_for_the_timer()
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


SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__.replace("_", " "): scenario
    for scenario in (
        a_death,
        a_client_secret_expires,
        a_policy_change,
        an_app_disabled_at_home,
        ten_then_eleven_then_ten,
        one_more_on_another_day,
        one_of_several_tried_by_hand,
        a_repair_by_the_job,
        a_repair_by_hand,
        a_re_consent_in_the_portal,
        deleting_and_untagging,
        a_throttled_week,
        the_tags_are_lost_for_good,
        silences.the_job_stops_for_three_days,
        silences.thirty_silent_days,
        silences.one_of_three_vaults,
        silences.runs_by_hand_while_the_timer_is_dead,
        silences.a_run_is_killed,
        silences.telemetry_is_lost_for_a_day,
        silences.the_end_of_a_run_is_visible_before_its_problems,
        silences.a_first_deployment,
        silences.a_deployment_that_never_runs,
    )
}
