"""One run: every due token of every vault, the most urgent of each first, within the deadlines.

Gather and decide (`plan`), act (`crew`), tell (`report`). The vaults, the issuer and the lease come in as ports, the
moment as `now`. What happens to one token is left to `rotate`, which comes next to `schedule`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from rotation.clouds import cloud_of_vault
from rotation.crew import Progress, act, no_progress
from rotation.events import Event
from rotation.outcome import Outcome, VaultFault
from rotation.pace import Clock, Deadlines, Pace, never
from rotation.plan import RunRequest, credential_problems, nobody, plan
from rotation.ports import HeldLease, Issuer, Lease, LeaseHeldError, LeaseHolder, Sink, Vault, always
from rotation.problem import Problem, problems_of
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


class NoSink:
    """The Sink port where there is none: the log is all."""

    def run(self, run_id: str) -> AbstractContextManager[None]:  # noqa: ARG002 - the port has it
        """Nothing."""
        return nullcontext()

    def traced(self, issuer: Issuer) -> Issuer:
        """The issuer as it is."""
        return issuer

    def send(self, events: Sequence[Event], *, within: float) -> None:
        """Nothing."""

    def add(self, events: Sequence[Event]) -> None:
        """Nothing."""

    def settle(self, *, within: float) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that a run touches."""

    vaults: Sequence[Vault]
    issuer: Issuer
    lease: Lease
    clock: Clock
    sink: Sink = NoSink()  # noqa: RUF009 - it has no state


class EveryVaultLeasedError(Exception):
    """Another run holds the lease of every vault; `holder` is one that is known, if any is."""

    def __init__(self, holder: LeaseHolder | None) -> None:
        super().__init__(f"another run ({holder or 'it did not say which'}) is under way; wait until it ends")
        self.holder = holder


@dataclass(slots=True)
class _Leases:
    """The leases of a run by vault, and the vaults that it has to leave to others."""

    held: dict[str, HeldLease] = field(default_factory=dict)
    left_out: list[VaultFault] = field(default_factory=list)

    def problems(self) -> list[Problem]:
        """Those that could not be had for want of their storage."""
        without = {url: lease.fault for url, lease in self.held.items() if lease.fault}
        return [Problem(Reason.LEASE_UNAVAILABLE, url, url, 0, (), fault) for url, fault in without.items()]


def run(
    request: RunRequest,
    ports: Ports,
    limits: Limits,
    *,
    run_id: str,
    now: datetime,
    progress: Progress = no_progress,
    stopped: Callable[[], bool] = never,
    tell: Callable[[Outcome], None] = nobody,
) -> RunReport:
    """Carry out one run and report it; once it is `stopped`, what is under way is finished and the rest deferred.

    Every outcome that the report will list is told as soon as it is known, from several threads.
    Raises EveryVaultLeasedError, UnknownTokenError and AmbiguousTokenError, each before anything was redeemed or
    written.
    """
    begun = ports.clock.monotonic()
    deadlines = Deadlines.from_now(
        ports.clock, start_seconds=limits.start_seconds, finish_seconds=limits.finish_seconds, stopped=stopped
    )
    with ExitStack() as stack:
        leases = _hold(request, ports, stack, LeaseHolder(run_id, request.trigger, now), deadlines)
        vaults = [vault.within(deadlines) for vault in ports.vaults if vault.url in leases.held]
        made = plan(
            request,
            vaults,
            defaults=limits.thresholds,
            now=now,
            left_out=leases.left_out,
            may_go_on=deadlines.may_start,
            tell=tell,
        )
        contexts = {
            v.url: _context(v, leases.held[v.url], request, ports, limits, deadlines, now=now, begun=begun)
            for v in vaults
        }
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
            known=leases.problems()
            + credential_problems(made, now=now, warn_before_days=limits.thresholds.warn_before_days),
        ),
    )


def _hold(request: RunRequest, ports: Ports, stack: ExitStack, holder: LeaseHolder, deadlines: Deadlines) -> _Leases:
    """Take every lease that is free, while there is time to start anything under it; a dry run needs none."""
    leases = _Leases()
    known: LeaseHolder | None = None
    for vault in ports.vaults:
        if (leases.held or leases.left_out) and not deadlines.may_start():
            leases.left_out.append(VaultFault(vault.url, Reason.OUT_OF_TIME, "the time was over before its turn"))
            continue
        try:
            lease = HeldLease(always) if request.dry_run else stack.enter_context(ports.lease.hold(vault.url, holder))
            leases.held[vault.url] = lease
        except LeaseHeldError as error:
            known = known or error.holder
            leases.left_out.append(VaultFault(vault.url, Reason.LEASE_HELD, str(error)))
    if leases.left_out and not leases.held:
        raise EveryVaultLeasedError(known)
    return leases


def _context(
    vault: Vault,
    lease: HeldLease,
    request: RunRequest,
    ports: Ports,
    limits: Limits,
    deadlines: Deadlines,
    *,
    now: datetime,
    begun: float,
) -> Context:
    return Context(
        vault=vault,
        vault_cloud=cloud_of_vault(vault.url),
        issuer=ports.issuer,
        now=now,
        begun=begun,
        defaults=limits.thresholds,
        deadlines=deadlines,
        pace=Pace(ports.clock, per_second=limits.writes_per_second),
        lease=lease,
        force=request.force,
        by_hand=request.by_hand,
    )
