"""The requests of a rotation as they arrive at the emulators: where each goes, and how a fault is put in its way."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from emulators.faults import Fault, Faults
from emulators.world import World
from tests.effects.partners import CREDENTIAL
from tests.waiting import LONG, wait_until


@dataclass(frozen=True, slots=True)
class At:
    """One kind of request: whom it goes to, and how many of the same address come before it for the same token.

    `{name}` in the path is the token's name. A request to the issuer names no token: there, the number of the token
    counts the requests, unless they are for all tokens of the run at `once`.
    """

    method: str
    path: str
    issuer: bool = False
    after: int = 0
    once: bool = False

    def faults(self, world: World) -> Faults:
        """The queue of the emulator that gets the request."""
        return world.entra_faults if self.issuer else world.vault.faults

    def meet(self, world: World, fault: Fault, *, name: str, number: int, times: int | None = 1) -> None:
        """Put a fault in the way of the request for the token of this name, the `number`-th of its run from 0."""
        after = number if self.issuer and not self.once else self.after
        path = self.path.replace("{name}", name)
        self.faults(world).fail_next(fault, times=times, method=self.method, path=path, after=after)


REQUESTS = {
    "list": At("GET", "^/secrets$"),
    "client secret": At("GET", f"^/secrets/{CREDENTIAL}/$"),
    "read": At("GET", "^/secrets/{name}/$"),
    "discovery": At("GET", "/openid-configuration$", issuer=True, once=True),
    "redeem": At("POST", "/token$", issuer=True),
    "look again": At("GET", "^/secrets/{name}/$", after=1),
    "store": At("PUT", "^/secrets/{name}$"),
    "versions": At("GET", "^/secrets/{name}/versions$"),
    "retag": At("PATCH", "^/secrets/{name}/"),
    "disable": At("PATCH", "^/secrets/{name}/"),
}
"""In the order of a rotation: step 1 lists, 2 reads, 3 redeems, 5 looks again, 6 stores, 7 lists versions and disables.

Step 4, checking the answer, asks nothing: it lies between "redeem" after its effect and "look again" before it. Tags
are changed in step 7 where somebody has changed them since step 5, and before anything is disabled: whoever wants to
meet that request lets somebody do so `RETAG_AT`.
"""

RETAG_AT = "store"
"""Where somebody changes the tags, before the effect, so that the run follows them."""


def settle(world: World) -> None:
    """Return when whatever was sent to the world has had its effect, though nobody may wait for it any more."""
    with requests.Session() as session:  # one loop reads every connection: what came before this is read before it
        session.trust_env = False
        session.get(world.entra_url, verify=str(world.tls.authority_file), timeout=LONG)
    wait_until(lambda: not world.under_way)
