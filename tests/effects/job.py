"""The product's run on a world of emulators, with the real adapters and a clock on which waiting costs no time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.identity import ManagedIdentityCredential

from emulators.world import World as Cloud
from rotation.entra import Entra
from rotation.federation import ManagedIdentities
from rotation.keyvault import KeyVault
from rotation.lease import ProcessLease
from rotation.outcome import Outcome
from rotation.pace import Clock
from rotation.plan import RunRequest
from rotation.ports import Issuer, Lease, Vault
from rotation.report import RunReport, Trigger
from rotation.run import Limits, Ports, run
from rotation.token import Thresholds
from rotation.token_endpoint import TokenEndpoints

SOON = 1.0
"""A read timeout in seconds for what never answers; a test that waits for it waits once."""

THRESHOLDS = Thresholds(rotate_after_days=7, inactivity_days=90, warn_before_days=30)


class TurnedClock:
    """A clock that only moves when somebody sleeps on it or turns it. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        with self._lock:
            return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._seconds += seconds

    def turn(self, seconds: float) -> None:
        """Let time pass without anybody sleeping."""
        with self._lock:
            self._seconds += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The product as `wiring` wires it, each part to be replaced by one that wraps it."""

    cloud: Cloud
    vaults: Sequence[Vault]
    issuer: Issuer
    turned: TurnedClock
    limits: Limits
    lease: Lease = field(default_factory=ProcessLease)

    def run(
        self,
        *names: str,
        trigger: Trigger = Trigger.TIMER,
        force: bool = False,
        dry_run: bool = False,
        later: timedelta = timedelta(0),
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> RunReport:
        """A run now, or in some time; it lists every token."""
        clock = Clock(monotonic=self.turned.monotonic, sleep=self.turned.sleep)
        return run(
            RunRequest(trigger=trigger, tokens=names, force=force, dry_run=dry_run, list_all=True),
            Ports(vaults=self.vaults, issuer=self.issuer, lease=self.lease, clock=clock),
            self.limits,
            run_id="11112222-3333-4444-8555-666677778888",
            now=datetime.now(UTC) + later,
            progress=progress,
        )

    def rotate(self, name: str, *, force: bool = False, later: timedelta = timedelta(0)) -> Outcome:
        """A timer's run that is asked for one token: what became of it."""
        return outcome(self.run(name, force=force, later=later), name)

    def with_limits(self, **limits: float) -> Job:
        """The same job with other limits."""
        return replace(self, limits=replace(self.limits, **limits))  # type: ignore[arg-type]


def outcome(report: RunReport, name: str) -> Outcome:
    """What a report says of one token."""
    (found,) = [each for each in report.tokens if each.name == name]
    return found


@contextmanager
def issuer_in(cloud: Cloud, *, read_seconds: float, authority: str | None = None) -> Iterator[Issuer]:
    """The issuer as a run sees it that has asked for no discovery document yet."""
    endpoints = TokenEndpoints(connections=16, connect_seconds=read_seconds, read_seconds=read_seconds)
    overrides = {"global": authority or cloud.entra_url}
    with closing(endpoints):
        yield Entra(
            endpoints,
            authority_overrides=overrides,
            identity_token=ManagedIdentities(default_client_id=None).token,
        )


@contextmanager
def job_in(
    cloud: Cloud, *, read_seconds: float = 20.0, vault_urls: Iterable[str] = (), authority: str | None = None
) -> Iterator[Job]:
    """Wire the product to a world for the length of a block: to its first vault, unless others are named."""
    turned = TurnedClock()
    clock = Clock(monotonic=turned.monotonic, sleep=turned.sleep)
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        for name, value in cloud.environment().items():
            environment.setenv(name, value)
        credential = stack.enter_context(ManagedIdentityCredential(client_id=cloud.job.client_id))
        urls = list(vault_urls) or [cloud.vault.url]
        vaults = [
            KeyVault(
                url,
                credential,
                clock=clock,
                connections=16,
                connect_seconds=read_seconds,
                read_seconds=read_seconds,
            )
            for url in urls
        ]
        for vault in vaults:
            stack.callback(vault.close)
        yield Job(
            cloud=cloud,
            vaults=vaults,
            issuer=stack.enter_context(issuer_in(cloud, read_seconds=read_seconds, authority=authority)),
            turned=turned,
            limits=Limits(
                thresholds=THRESHOLDS, concurrency=16, writes_per_second=29, start_seconds=480, finish_seconds=120
            ),
        )
