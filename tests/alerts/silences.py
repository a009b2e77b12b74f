"""What happens in each scenario in which the job, or its telemetry, is silent or late; see `scenarios`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.alerts.timeline import Timeline
from tests.effects.partners import FRESH, Partner


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


def thirty_silent_days(days: Timeline) -> None:
    """A dead token was told; then the timer stops, and nobody looks for 30 days."""
    partner = Partner.new(days.world)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer()
    days.no_timer(30 * 4)


def a_deployment_that_never_runs(days: Timeline) -> None:
    """The deployment is there, and no run ever comes."""
    days.no_timer(3)
    days.wait(1)


def the_end_of_a_run_is_visible_before_its_problems(days: Timeline) -> None:
    """Of Tuesday's run at 06:17 the end is ingested at once, what it found three hours later, after the reminder."""
    partner = Partner.new(days.world)
    days.world.entra.revoke(partner.put("contoso"))
    days.timer(2)
    days.repeat(1)
    days.timer()
    late = timedelta(hours=3)
    days.rows = [
        {**row, "Visible": row["TimeGenerated"] + late}
        if row["Name"] == "rotation.problem" and row["TimeGenerated"] >= days.now
        else row
        for row in days.rows
    ]
    days.repeat(1)
    days.wait(5)
