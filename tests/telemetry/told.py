"""A run with the real telemetry in a world of emulators, and what of it arrived. Asserts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from azure.identity import ManagedIdentityCredential

from emulators.monitor.tables import Row
from emulators.world import World
from rotation.crew import Progress, no_progress
from rotation.lease import ProcessLease
from rotation.pace import Clock, never
from rotation.plan import RunRequest
from rotation.ports import Sink, Vault
from rotation.report import RunReport, Trigger
from rotation.run import Ports
from rotation.telemetry import READ_SECONDS, SPANS_SECONDS, Telemetry
from rotation.telling import Patience, told_run
from tests.effects.job import Job
from tests.waiting import LONG

CHECKOUT = Path(__file__).parents[2]
TIMER = "rotate_on_schedule"
RUN_ID = "99998888-7777-4666-8555-444433332222"
UNHURRIED = Patience(started=LONG, tokens=LONG, verdict=LONG)


@contextmanager
def telemetry_of(
    world: World, *, trace_parent: str = "", read_seconds: float = READ_SECONDS, spans_seconds: float = SPANS_SECONDS
) -> Iterator[Telemetry]:
    """The Sink that the settings of the world ask for. For inside `job_in`, whose environment it needs."""
    with (
        ManagedIdentityCredential(client_id=world.job.client_id) as credential,
        Telemetry(
            world.monitor.settings()["APPLICATIONINSIGHTS_CONNECTION_STRING"],
            credential,
            trace_parent=trace_parent,
            read_seconds=read_seconds,
            spans_seconds=spans_seconds,
        ) as telemetry,
    ):
        yield telemetry


def told(
    job: Job,
    sink: Sink,
    *names: str,
    vaults: Sequence[Vault] = (),
    dry_run: bool = False,
    patience: Patience = UNHURRIED,
    progress: Progress = no_progress,
) -> RunReport:
    """A timer's run, told."""
    clock = Clock(monotonic=job.turned.monotonic, sleep=job.turned.sleep)
    lease = ProcessLease()
    return told_run(
        RunRequest(trigger=Trigger.TIMER, tokens=names, dry_run=dry_run),
        Ports(vaults=vaults or job.vaults, issuer=job.issuer, lease=lease, clock=clock, sink=sink),
        job.limits,
        run_id=RUN_ID,
        now=datetime.now(UTC),
        progress=progress,
        stopped=never,
        patience=patience,
    )


def names_in_order(world: World) -> list[str]:
    """The names of the events in the order of arrival."""
    return [row["Name"] for row in world.monitor.state.rows("AppEvents")]


def only(rows: Sequence[Row]) -> Row:
    """The one row there is."""
    (row,) = rows
    return row
