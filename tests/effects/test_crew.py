"""What a worker does for the pace of a vault, besides rotating."""

from __future__ import annotations

from datetime import UTC, datetime

from emulators.world import World
from rotation.clouds import GLOBAL
from rotation.crew import act, no_progress
from rotation.outcome import Kind
from rotation.pace import Clock, Deadlines, Pace
from rotation.plan import RunRequest, plan
from rotation.ports import HeldLease, always
from rotation.report import Trigger
from rotation.rotate import Context
from tests.effects.job import THRESHOLDS, Job
from tests.effects.partners import Partner


def test_when_a_token_has_ended_its_permit_to_store_has_too(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.entra.revoke(partner.put("fabrikam"))
    now, clock, vault = datetime.now(UTC), Clock(), job.vaults[0]
    deadlines, pace = Deadlines.from_now(clock, start_seconds=60, finish_seconds=60), Pace(clock, per_second=29)
    made = plan(RunRequest(trigger=Trigger.TIMER), [vault], defaults=THRESHOLDS, now=now)
    context = Context(
        vault=vault,
        vault_cloud=GLOBAL,
        issuer=job.issuer,
        now=now,
        begun=clock.monotonic(),
        defaults=THRESHOLDS,
        deadlines=deadlines,
        pace=pace,
        lease=HeldLease(always),
    )

    act(made, {vault.url: context}, deadlines, workers=2, list_all=True, progress=no_progress)

    assert made.counts == {Kind.ROTATED: 1, Kind.FAILED: 1}
    assert (pace._out, len(pace._ended)) == (set(), 2)
