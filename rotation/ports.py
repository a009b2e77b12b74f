"""What the effects need from outside, and the only errors that may come out of it: Vault, Issuer, Lease, Sink.

Each port is a small Protocol with the values and the errors that cross it. Adapters implement them; `rotate` and
`run` know nothing else of the world. Every error carries a `Reason` and words of our own: never text of others, never
a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rotation.clouds import Cloud
from rotation.events import Event
from rotation.reason import Reason
from rotation.secret_value import ClientSecret, RefreshToken, SecretValue
from rotation.token import timestamp

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

# ---- Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSecret:
    """One secret as a vault's list shows it: everything but the value and the version id."""

    name: str
    enabled: bool
    tags: Mapping[str, str]
    created_on: datetime
    expires_on: datetime | None
    holds_certificate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """One version of a secret with its value."""

    name: str
    version: str
    value: SecretValue
    enabled: bool
    tags: Mapping[str, str]
    content_type: str | None
    expires_on: datetime | None
    holds_certificate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """One version of a secret without its value. Both dates are cut to the second, and equal until it is changed."""

    version: str
    enabled: bool
    tags: Mapping[str, str]
    created_on: datetime
    updated_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """Everything that a new version of a secret is made of: a vault carries nothing over by itself."""

    name: str
    value: SecretValue
    enabled: bool
    tags: Mapping[str, str]
    content_type: str | None
    expires_on: datetime | None


class VaultError(Exception):
    """A vault refused or did not answer; `retry_after` in seconds, where the vault asked for a pause."""

    def __init__(self, reason: Reason, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class SecretDisabledError(VaultError):
    """The current version is disabled: the operator's way of saying hands off."""


class SecretNotFoundError(VaultError):
    """There is no such secret, or it is deleted."""


class Deadline(Protocol):
    """Until when something may be tried again."""

    def is_over(self) -> bool:
        """Whether it has passed."""

    def pause(self, seconds: float) -> bool:
        """Sleep that long, or say False at once when it would pass meanwhile."""


class Vault(Protocol):
    """One vault. Every method raises VaultError and nothing else, and may be called from several threads."""

    @property
    def url(self) -> str:
        """The vault's address without a trailing slash."""

    def within(self, deadline: Deadline) -> Vault:
        """The same vault, which sends nothing again and asks for no further page once the deadline is over."""

    def secrets(self) -> Iterator[ListedSecret]:
        """List every secret, page by page, without values or version ids."""

    def read(self, name: str, version: str | None = None) -> SecretVersion:
        """Read one version, the current one by default. Raises SecretDisabledError and SecretNotFoundError too."""

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        """List every version of a secret, the newest first."""

    def store(self, new: NewVersion) -> str:
        """Write a new version, sending the request once; returns its id. After an error it may be there anyway."""

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Replace all tags of exactly this version, sending the request once; before another, they are read again."""

    def disable(self, name: str, version: str) -> None:
        """Disable exactly this version."""


# ---- Issuer


def nothing() -> None:
    """For what nothing keeps from being done."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate with its private key, the leaf first; what signs a client assertion (RFC 7523 section 2.2)."""

    private_key: RSAPrivateKey = field(repr=False)
    chain: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """A managed identity whose token is the client assertion; `client_id` picks a user-assigned one."""

    client_id: str | None


type ClientProof = ClientSecret | ClientCertificate | FederatedIdentity
"""What proves to the issuer which app redeems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What is redeemed: RFC 6749 section 6, and where. `secret_id` is whose it is; no issuer is told.

    `unless` is asked right before the refresh token is sent, and raises what keeps it from being sent.
    """

    refresh_token: RefreshToken
    cloud: Cloud
    tenant_id: str
    client_id: str
    client_proof: ClientProof
    scopes: tuple[str, ...]
    secret_id: str = ""
    unless: Callable[[], None] = field(default=nothing, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The issuer's answer. What it does not say is None: unknown is not wrong."""

    refresh_token: RefreshToken | None
    account_id: str | None
    tenant_id: str | None
    audience: str | None
    authentication_methods: frozenset[str] | None


class ClientProofError(Exception):
    """What proves the app's identity cannot be had or used: missing, disabled, of another form, or no answer."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class RedemptionError(Exception):
    """The issuer refused, or gave no usable answer. `answered` is False only when nothing at all came back."""

    def __init__(self, reason: Reason, message: str, *, answered: bool = True) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.answered = answered


class Issuer(Protocol):
    """The token endpoints of every cloud."""

    def redeem(self, grant: Grant) -> Redemption:
        """Redeem a refresh token, sending the request once.

        Raises RedemptionError, ClientProofError, and what the grant's `unless` raises; no more.
        """

    def authority(self, cloud: Cloud) -> str:
        """The host that redeems for a cloud: what a problem of the issuer names."""


# ---- Lease


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds a lease: the run, what started it (a trigger, or another writer of ours), and since when."""

    run_id: str
    door: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.run_id}, by {self.door}, since {timestamp(self.since)}"


class LeaseHeldError(Exception):
    """Somebody else holds the lease of this vault; `holder` is None when it cannot be read who."""

    def __init__(self, holder: LeaseHolder | None) -> None:
        super().__init__(f"another run holds the lease ({holder or 'it did not say which'})")
        self.holder = holder


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease within its block. `is_held` answers at once and from memory: ask it before anything new is started.

    `taken_by` says who took it once it is lost, None where nobody did or nobody can say; it may take seconds. `fault`
    says why nobody could be asked for it; then it keeps the other runs of this process out, and no more.
    """

    is_held: Callable[[], bool]
    fault: str = ""
    taken_by: Callable[[], LeaseHolder | None] = lambda: None


def always() -> bool:
    """For a lease that cannot be lost, and for what may take as long as it takes."""
    return True


class Lease(Protocol):
    """One writer for one vault at a time: runs, and whatever else of ours writes tokens."""

    def hold(self, vault_url: str, holder: LeaseHolder) -> AbstractContextManager[HeldLease]:
        """Hold the vault's lease for the length of a block. Raises LeaseHeldError at once when somebody else does."""


# ---- Sink


class Sink(Protocol):
    """Where a run is told. What cannot be sent is lost, and the log says so: no method raises, none waits for ever."""

    def run(self, run_id: str) -> AbstractContextManager[None]:
        """The block is the run: whatever is sent from its beginning on belongs together."""

    def traced(self, issuer: Issuer) -> Issuer:
        """The same issuer, with every redemption told."""

    def send(self, events: Sequence[Event], *, within: float) -> None:
        """Send, in this order, and come back when it is done or so many seconds are over."""

    def add(self, events: Sequence[Event]) -> None:
        """Send as the run goes on, in no order, and come back at once; several threads may."""

    def settle(self, *, within: float) -> None:
        """Give what was added so many seconds to arrive, and give up the rest; nothing is added after that."""
