"""What happened in a schedule, request by request, in the one order in which it happened. Keeps, and judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LIST, READ, LOOK, CREDENTIAL, DISCOVERY = "list", "read", "look again", "client secret", "discovery"
REDEEM, STORE, VERSIONS, RETAG, DISABLE = "redeem", "store", "versions", "retag", "disable"
HOLDER, ACQUIRE, IDENTITY, RENEW, RELEASE = "lease: who", "acquire", "job's token", "renew", "release"
ROTATION = (LIST, READ, CREDENTIAL, DISCOVERY, REDEEM, LOOK, STORE, VERSIONS, DISABLE, RETAG)
"""Every kind of request that rotations are made of, in their order."""

KINDS = (HOLDER, ACQUIRE, IDENTITY, *ROTATION, RENEW, RELEASE)
"""Every kind of request that a run makes: it takes the lease by writing who it is, then asks for its own token."""

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a run. `effect`: the cloud carried it out; `answered`: the run got the answer to that.

    `redeemed` is the token that was sent to the issuer, `value` the one that was issued or stored; `names` are the
    managed tokens of a page of the list; `version` is empty for the current one. `unleased`: the run has had the lease
    of the vault, and does not have it any more.
    """

    run: int
    kind: str
    name: str = ""
    version: str = ""
    effect: bool = False
    answered: bool = False
    redeemed: str = field(default="", repr=False)
    value: str = field(default="", repr=False)
    names: tuple[str, ...] = ()
    unleased: bool = False


@dataclass(frozen=True, slots=True)
class Slept:
    """A run waited."""

    run: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Acted:
    """Somebody else did something to a token."""

    act: str
    name: str


type Event = Request | Slept | Acted


@dataclass(slots=True)
class Journal:
    """The events since the schedule began."""

    events: list[Event] = field(default_factory=list)

    def requests(self, run: int, name: str | None = None) -> Iterator[Request]:
        """The requests of one run, about one token if it is named."""
        for event in self.events:
            if isinstance(event, Request) and event.run == run and name in (None, event.name):
                yield event
