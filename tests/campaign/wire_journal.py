"""What a run asks over the wire, as a journal: each call of its ports, and who acts while it is under way.

So a run over the wire is judged by the oracles of `conduct`, as one in this process is. A call counts once, however
often its adapter sends it: what is sent is in the logs of the emulators.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from emulators.keyvault.state import VaultState
from rotation.clouds import Cloud
from rotation.ports import (
    Deadline,
    Grant,
    Issuer,
    ListedSecret,
    ListedVersion,
    NewVersion,
    Redemption,
    RedemptionError,
    SecretVersion,
    Vault,
)
from rotation.token import is_managed
from tests.campaign import journal
from tests.campaign.journal import DISABLE, LIST, LOOK, READ, REDEEM, RETAG, STORE, VERSIONS, Acted, Journal, Request
from tests.effects.partners import CREDENTIAL


@dataclass(slots=True)
class WireJournal:
    """The journal of one schedule. Safe to use from any thread: of the runs, and of the servers in which others act.

    A call is noted when it begins, an act before or after the call that it meets. So the order is that of the effects
    for one run and token; for two runs at once it is not.
    """

    journal: Journal = field(default_factory=Journal)
    _under_way: list[Request] = field(default_factory=list)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def call[T](
        self,
        request: Request,
        send: Callable[[], T],
        noting: Callable[[Request, T], Request] = lambda request, _: request,
    ) -> T:
        """Carry out a call. Raises what it raises; whether it had its effect all the same, `looked_up` says."""
        with self._writing:
            self.journal.events.append(request)
            self._under_way.append(request)
        ended = request
        try:
            answer = send()
            ended = noting(replace(request, effect=True, answered=True), answer)
        except RedemptionError as error:
            ended = replace(request, effect=True, answered=error.answered)
            raise
        finally:
            with self._writing:
                self._under_way.remove(request)
                self.journal.events[self._position(request)] = ended
        return answer

    def acted(self, act: str, name: str, *, at: str, after_effect: bool) -> None:
        """Somebody acts upon a token at a request of this kind, before or after the request has its effect."""
        with self._writing:
            before = [each for each in self._under_way if (each.kind, each.name) == (at, name) and not after_effect]
            position = self._position(before[-1]) if before else len(self.journal.events)
            self.journal.events.insert(position, Acted(act, name))

    def looked_up(self, vault: VaultState) -> Journal:
        """The journal, when all has ended: which of the stores that failed had their effect is seen in the vault.

        Of a failed change of tags it is not: it may have had one.
        """
        there = {version.value for name in vault.names() for version in vault.versions(name)}
        return Journal([
            replace(event, effect=event.effect or event.kind == RETAG or (event.kind == STORE and event.value in there))
            if isinstance(event, Request)
            else event
            for event in self.journal.events
        ])  # fmt: skip

    def _position(self, request: Request) -> int:
        return next(position for position, event in enumerate(self.journal.events) if event is request)


@dataclass(frozen=True, slots=True)
class JournalVault:
    """A vault as one run asks it; `in_hand` are the tokens that the run has redeemed."""

    vault: Vault
    noted: WireJournal
    run: int
    in_hand: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return self.vault.url

    def within(self, deadline: Deadline) -> JournalVault:
        return replace(self, vault=self.vault.within(deadline))

    def secrets(self) -> Iterator[ListedSecret]:
        def noting(request: Request, listed: list[ListedSecret]) -> Request:
            return replace(request, names=tuple(each.name for each in listed if is_managed(each.tags)))

        yield from self.noted.call(Request(run=self.run, kind=LIST), lambda: list(self.vault.secrets()), noting)

    def read(self, name: str, version: str | None = None) -> SecretVersion:
        kind = journal.CREDENTIAL if name == CREDENTIAL else LOOK if name in self.in_hand else READ
        request = Request(run=self.run, kind=kind, name=name, version=version or "")
        found = self.noted.call(request, lambda: self.vault.read(name, version))
        self.names[found.value.reveal()] = name
        return found

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        return self.noted.call(Request(run=self.run, kind=VERSIONS, name=name), lambda: self.vault.versions(name))

    def store(self, new: NewVersion) -> str:
        request = Request(run=self.run, kind=STORE, name=new.name, value=new.value.reveal())
        return self.noted.call(request, lambda: self.vault.store(new))

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        request = Request(run=self.run, kind=RETAG, name=name, version=version)
        self.noted.call(request, lambda: self.vault.retag(name, version, tags))

    def disable(self, name: str, version: str) -> None:
        request = Request(run=self.run, kind=DISABLE, name=name, version=version)
        self.noted.call(request, lambda: self.vault.disable(name, version))


@dataclass(frozen=True, slots=True)
class JournalIssuer:
    """The issuer as the run asks it that reads this vault."""

    issuer: Issuer
    vault: JournalVault

    def redeem(self, grant: Grant) -> Redemption:
        def noting(request: Request, redemption: Redemption) -> Request:
            return replace(request, value=redemption.refresh_token.reveal() if redemption.refresh_token else "")

        value = grant.refresh_token.reveal()
        name = self.vault.names[value]
        request = Request(run=self.vault.run, kind=REDEEM, name=name, redeemed=value)
        redemption = self.vault.noted.call(request, lambda: self.issuer.redeem(grant), noting)
        self.vault.in_hand.add(name)
        return redemption

    def authority(self, cloud: Cloud) -> str:
        return self.issuer.authority(cloud)
