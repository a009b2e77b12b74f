"""One run: every due token of every vault, in order of urgency, within the deadlines.

Gather and decide (`plan`), act (`crew`), tell (`report`). The vaults, the issuer and the lease come in as ports, the
moment as `now`. What happens to one token is left to `rotate`, which comes next to `schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from rotation.clouds import cloud_of_vault
from rotation.crew import Progress, act, no_progress
from rotation.outcome import VaultFault
from rotation.pace import Clock, Deadlines, Pace, never
from rotation.plan import RunRequest, credential_problems, plan
from rotation.ports import Issuer, Lease, LeaseHeldError, LeaseHolder, NoSink, Sink, Vault
from rotation.problem import problems_of
from rotation.reason import Reason
from rotation.report import RunReport
from rotation.rotate import Context
from rotation.token import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a run may go: ages in days, tokens in flight, stores a second and vault, two deadlines in seconds."""

    thresholds: Thresholds
    concurrency: int
    writes_per_second: float
    start_seconds: float
    finish_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that a run touches."""

    vaults: Sequence[Vault]
    issuer: Issuer
    lease: Lease
    clock: Clock
    sink: Sink = NoSink()  # noqa: RUF009 - it has no state


class EveryVaultLeasedError(Exception):
    """Another run holds the lease of every vault: there is nothing to do but wait for it."""

    def __init__(self, holder: LeaseHolder) -> None:
        super().__init__(
            f"another run ({holder.run_id}, since {holder.since:%H:%M:%S} UTC) is under way; wait until it ends"
        )
        self.holder = holder


def run(
    request: RunRequest,
    ports: Ports,
    limits: Limits,
    *,
    run_id: str,
    now: datetime,
    progress: Progress = no_progress,
    stopped: Callable[[], bool] = never,
) -> RunReport:
    """Carry out one run and report it; once it is `stopped`, what is under way is finished and the rest deferred.

    Raises EveryVaultLeasedError, UnknownTokenError and AmbiguousTokenError, each before anything was redeemed or
    written.
    """
    begun = ports.clock.monotonic()
    deadlines = Deadlines.from_now(
        ports.clock, start_seconds=limits.start_seconds, finish_seconds=limits.finish_seconds, stopped=stopped
    )
    with ExitStack() as stack:
        held, leased = _hold(request, ports, stack, run_id=run_id, now=now)
        made = plan(request, held, defaults=limits.thresholds, now=now, left_out=leased, may_go_on=deadlines.may_start)
        contexts = {vault.url: _context(vault, request, ports, limits, deadlines, now) for vault in held}
        act(made, contexts, deadlines, workers=limits.concurrency, list_all=request.lists_all, progress=progress)
    urls = tuple(vault.url for vault in ports.vaults)
    by_vault = made.by_vault(urls)
    return RunReport(
        run_id=run_id,
        trigger=request.trigger,
        started_at=now,
        seconds=ports.clock.monotonic() - begun,
        dry_run=request.dry_run,
        full=request.full,
        complete=all(share.complete for share in by_vault),
        vaults=urls,
        by_vault=by_vault,
        vault_faults=tuple(made.vault_faults),
        counts=made.counts,
        tokens=tuple(sorted(made.told, key=lambda outcome: (outcome.vault, outcome.name))),
        problems=problems_of(
            made.told,
            made.vault_faults,
            known=credential_problems(made, now=now, warn_before_days=limits.thresholds.warn_before_days),
        ),
    )


def _hold(
    request: RunRequest, ports: Ports, stack: ExitStack, *, run_id: str, now: datetime
) -> tuple[list[Vault], list[VaultFault]]:
    """Take every lease that is free; a dry run needs none."""
    if request.dry_run:
        return list(ports.vaults), []
    held: list[Vault] = []
    leased: list[VaultFault] = []
    for vault in ports.vaults:
        try:
            stack.enter_context(ports.lease.hold(vault.url, run_id=run_id, now=now))
            held.append(vault)
        except LeaseHeldError as error:
            if len(ports.vaults) == len(leased) + 1:
                raise EveryVaultLeasedError(error.holder) from error
            leased.append(VaultFault(vault.url, Reason.LEASE_HELD, str(error)))
    return held, leased


def _context(
    vault: Vault, request: RunRequest, ports: Ports, limits: Limits, deadlines: Deadlines, now: datetime
) -> Context:
    return Context(
        vault=vault,
        vault_cloud=cloud_of_vault(vault.url),
        issuer=ports.issuer,
        now=now,
        defaults=limits.thresholds,
        deadlines=deadlines,
        pace=Pace(ports.clock, per_second=limits.writes_per_second),
        force=request.force,
        by_hand=request.by_hand,
    )
