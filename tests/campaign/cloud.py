"""The cloud of one story, in this process: a vault, an issuer and operators, all on the clock that is turned.

It begins with tokens as months of use left them. What happens in it is left to `play`.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from emulators.entra.state import EntraState
from emulators.entra.tokens import SigningKey, base64url
from emulators.keyvault.access import DataAction
from emulators.keyvault.errors import ThrottledError
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import CREATES, OTHERS, Throttle
from emulators.world import CLIENT_ID, JOB_ACTIONS, TENANT_ID
from rotation.token import REDEEMED_AT, timestamp
from tests.campaign.journal import Acted, Journal
from tests.campaign.lease_blob import LeaseBlob
from tests.campaign.ledger import Ledger
from tests.campaign.operators import ACTS, Operators, nothing
from tests.campaign.state_requests import JOB_ID, JOB_SECRET
from tests.campaign.state_vault import EmulatedVault
from tests.campaign.turned_clock import TurnedClock

CLIENT_SECRET, CREDENTIAL = "contoso client secret of the campaign", "partner-app"
CROWD = 12
"""More tokens than the pace lets through in one burst, at a permit a second."""

_NAMES = ("contoso", "fabrikam", "adventure-works", "tailspin")

LEASE_BROKEN = "somebody breaks the lease"
STATES = ("due", "fresh", "never redeemed", "revoked", "due with a content type", "crowd")
"""How a story finds a token; a crowd is twelve of them."""


class Cloud:
    """Everything outside the product, with `tokens` in the states that are named."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.clock = TurnedClock()
        self.journal = Journal()
        self.ledger = Ledger(secrets={CLIENT_SECRET, JOB_SECRET})
        self.entra = EntraState("https://login.loopback.example", key=_signing_key(), now=self.clock.now)
        self.vault = _vault(self.clock)
        self.lease = LeaseBlob(self.clock.monotonic)
        self.operators = Operators(
            vault=self.vault.state,
            entra=self.entra,
            tenant_id=TENANT_ID,
            client_id=CLIENT_ID,
            client_credential=f"secret:{CREDENTIAL}",
            ledger=self.ledger,
            later=self.clock.turn,
            observe=lambda act, name: self.journal.events.append(Acted(act, name)),
        )
        self.names: list[str] = []
        self._states: dict[str, str] = {}
        self._begin(tokens)

    def _begin(self, tokens: Sequence[str]) -> None:
        self.entra.add_tenant(TENANT_ID, "contoso.onmicrosoft.com")
        self.entra.register_app(TENANT_ID, CLIENT_ID, secrets=[CLIENT_SECRET])
        self.entra.register_app(TENANT_ID, JOB_ID, secrets=[JOB_SECRET])
        self.vault.state.put(CREDENTIAL, CLIENT_SECRET)
        for state, name in zip(tokens, _NAMES, strict=False):
            crowd = [f"{name}-{number:02}" for number in range(CROWD)] if state == "crowd" else [name]
            for one in crowd:
                self._consent(one, state)
            self.names += crowd
        for days, fresh in ((20, False), (7, True), (1, None)):
            self.clock.turn(days=days)
            for name, state in self._states.items():
                if state != "never redeemed" and (state == "fresh") is fresh:
                    self._rotated(name)

    def _consent(self, name: str, state: str) -> None:
        """A token of this state, when somebody put it under care."""
        self.operators.begin(
            name,
            tags={"label": f"{name.title()} Ltd", "owner": "identity team"},
            content_type="text/plain" if state == "due with a content type" else None,
        )
        self._states[name] = state

    def _rotated(self, name: str) -> None:
        """The token as a run left it at this moment, with the version before it still enabled."""
        meant = self.ledger.tokens[name]
        value = self.entra.descendant(meant.consents[0])
        self.ledger.secrets.add(value)
        tags = {**meant.tags, REDEEMED_AT: timestamp(self.clock.now())}
        self.vault.state.put(name, value, tags=tags, content_type=meant.content_type)
        if self._states[name] == "revoked":
            self.entra.revoke(self.operators.accounts[name])

    def do(self, act: str, token: int, *, at_once: bool = False, decidable: bool = True) -> None:
        """Somebody acts; `token` is the position of the token that is meant, if one is; `at_once`: no second passes.

        Whether it is `decidable` in which order it happened: not where runs overlap or die in that second.
        """
        if act == LEASE_BROKEN:
            self.lease.break_lease()
        elif act in WORLD_ACTS:
            WORLD_ACTS[act](self.vault)
        else:
            at_that_moment = replace(self.operators, later=nothing, is_decidable=decidable)
            operators = at_that_moment if at_once else self.operators
            ACTS[act](operators, self.names[token % len(self.names)])


def _deny(vault: EmulatedVault, *, action: DataAction) -> None:
    vault.access.deny(vault.job, [action])


def _eat(vault: EmulatedVault, *, create: bool, times: int) -> None:
    with contextlib.suppress(ThrottledError):
        for _ in range(times):
            vault.throttle.take(create=create)


class _Unsigned(SigningKey):
    """Nobody verifies a token in a schedule, and signing is most of what a redemption costs."""

    def sign(self, claims: Mapping[str, object]) -> str:
        parts = ({"alg": "RS256", "kid": "the issuer's"}, claims)
        encoded = (base64url(json.dumps(part).encode()) for part in parts)
        return ".".join((*encoded, base64url(secrets.token_bytes(256))))


@cache
def _signing_key() -> SigningKey:
    return _Unsigned()


def _vault(clock: TurnedClock) -> EmulatedVault:
    vault = EmulatedVault(
        url="https://vault.loopback.example",
        state=VaultState("contoso", now=clock.now),
        throttle=Throttle(monotonic=clock.monotonic, retry_after=True),
        job="the job",
        credential=CREDENTIAL,
    )
    vault.access.grant(vault.job, JOB_ACTIONS)
    return vault


WORLD_ACTS: Mapping[str, Callable[[EmulatedVault], None]] = {
    **{f"{action.name.lower()} is taken away": partial(_deny, action=action) for action in JOB_ACTIONS},
    "every permission is back": lambda vault: vault.access.grant(vault.job, JOB_ACTIONS),
    "another app eats the creates": partial(_eat, create=True, times=CREATES),
    "another app eats the other requests": partial(_eat, create=False, times=OTHERS),
    "the list shows a secret twice": lambda vault: setattr(vault, "twice", True),
}
"""Acts that are about the vault and no token."""
