"""Somebody who acts, or pulls the plug, between two steps of a rotation: decorators around the real adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rotation.clouds import Cloud
from rotation.ports import (
    Deadline,
    Grant,
    Issuer,
    ListedSecret,
    ListedVersion,
    NewVersion,
    Redemption,
    SecretVersion,
    Vault,
)
from tests.effects.job import Job

type Act = Callable[[], object]

LIST, READ, REDEEM, STORE, VERSIONS, RETAG, DISABLE = "list", "read", "redeem", "store", "versions", "retag", "disable"


@dataclass(slots=True)
class Steps:
    """What happens before and after the calls that the run makes: `before["store"]` is done once, at its first store.

    `dies_at` stops the process (as it were) at that call, counted from 0, before or after it has its effect.
    """

    before: dict[str, Act] = field(default_factory=dict)
    after: dict[str, Act] = field(default_factory=dict)
    dies_at: tuple[int, str] | None = None
    made: list[str] = field(default_factory=list)

    def call[T](self, name: str, call: Callable[[], T]) -> T:
        number = len(self.made)
        self.made.append(name)
        self._happen(self.before, name, (number, "before"))
        answer = call()
        self._happen(self.after, name, (number, "after"))
        return answer

    def _happen(self, acts: dict[str, Act], name: str, moment: tuple[int, str]) -> None:
        acts.pop(name, lambda: None)()
        if moment == self.dies_at:
            raise ProcessStopped


class ProcessStopped(BaseException):
    """The process ends here: nothing of ours may catch it."""


@dataclass(frozen=True, slots=True)
class WatchedVault:
    """A vault whose every call is a step."""

    vault: Vault
    steps: Steps

    @property
    def url(self) -> str:
        return self.vault.url

    def within(self, deadline: Deadline) -> WatchedVault:
        return replace(self, vault=self.vault.within(deadline))

    def secrets(self) -> Iterator[ListedSecret]:
        return iter(self.steps.call(LIST, lambda: list(self.vault.secrets())))

    def read(self, name: str, version: str | None = None) -> SecretVersion:
        return self.steps.call(READ, lambda: self.vault.read(name, version))

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        return self.steps.call(VERSIONS, lambda: self.vault.versions(name))

    def store(self, new: NewVersion) -> str:
        return self.steps.call(STORE, lambda: self.vault.store(new))

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        self.steps.call(RETAG, lambda: self.vault.retag(name, version, tags))

    def disable(self, name: str, version: str) -> None:
        self.steps.call(DISABLE, lambda: self.vault.disable(name, version))


@dataclass(frozen=True, slots=True)
class WatchedIssuer:
    """An issuer whose every redemption is a step."""

    issuer: Issuer
    steps: Steps

    def redeem(self, grant: Grant) -> Redemption:
        return self.steps.call(REDEEM, lambda: self.issuer.redeem(grant))

    def authority(self, cloud: Cloud) -> str:
        return self.issuer.authority(cloud)


def watched(job: Job, steps: Steps) -> Job:
    """The same job in the first vault alone, every call a step; one token at a time, so that they have an order."""
    vaults = [WatchedVault(job.vaults[0], steps)]
    limits = replace(job.limits, concurrency=1)
    return replace(job, vaults=vaults, issuer=WatchedIssuer(job.issuer, steps), limits=limits)
