"""The nine refresh tokens of the story, the two apps behind them, and what their operator does about the sick ones.

Everything is put in place with the verbs of the emulators' states, as consents, registrations and time would: nothing
is reached over the network, and nothing of the product is used.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulators.world import TENANT_ID, World

INACTIVITY = timedelta(days=90)  # Microsoft identity platform, "Refresh tokens"

FABRIKAM = ("fabrikam-east", "fabrikam-north", "fabrikam-west")
LABELS = {
    "contoso-due": "Contoso Benelux",
    "contoso-expired": "Contoso Iberia",
    "contoso-fresh": "Contoso Nordics",
    "contoso-nearly-expired": "Contoso Alps",
    "contoso-revoked": "Contoso Baltics",
    "contoso-wrong-tags": "Contoso Adriatic",
    "fabrikam-east": "Fabrikam East",
    "fabrikam-north": "Fabrikam North",
    "fabrikam-west": "Fabrikam West",
}
"""The nine by the names of their secrets, each with the name that people know it by."""


@dataclass(frozen=True, slots=True)
class PartnerApp:
    """An app registration, and the secret in the vault that holds its client secret."""

    vault_secret: str
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Operator:
    """The person who looks after the vault: what they set up, and what they do when the job asks for them."""

    world: World
    contoso: PartnerApp = field(default_factory=lambda: PartnerApp("contoso-client-secret"))
    fabrikam: PartnerApp = field(default_factory=lambda: PartnerApp("fabrikam-client-secret"))

    def set_up(self) -> None:
        """Nine consents at their times, oldest first; the first is 97 days old afterwards, the last two."""
        self._register(self.contoso, lives=timedelta(days=180))
        self._register(self.fabrikam, lives=timedelta(days=94), dated=False)  # and so its end was a surprise
        self.consent("contoso-expired", redeemed=True)
        self.world.age(timedelta(days=9))
        self.consent("contoso-nearly-expired", redeemed=True)
        self.world.age(timedelta(days=80))
        revoked = self.consent("contoso-revoked", redeemed=True)
        for name in ("contoso-due", "contoso-wrong-tags", *FABRIKAM):
            self.consent(name, redeemed=True)
        self._retag("contoso-wrong-tags", {"tenant-id": "common", "client-credential": "contoso"})
        self.world.age(timedelta(days=6))
        self.consent("contoso-fresh", redeemed=True)
        self.world.age(timedelta(days=2))
        self.world.entra.revoke(revoked)

    def renew_client_secret(self) -> None:
        """A new client secret: registered with Fabrikam's app, and stored as a new version of the vault's secret."""
        self._add_client_secret(self.fabrikam, lives=timedelta(days=180))

    def consent(self, name: str, *, redeemed: bool = False) -> str:
        """Sign in and store the new refresh token with its tags; `redeemed` adds the job's date of it."""
        app = self._app_of(name)
        value = self.world.consent(client_id=app.client_id)
        now = datetime.now(UTC)
        dated = {"redeemed-at": now.strftime("%Y-%m-%dT%H:%M:%SZ")} if redeemed else {}
        self.world.vault.state.put(name, value, tags=self._tags(name) | dated, expires_on=now + INACTIVITY)
        return value

    def correct_tags(self, name: str) -> None:
        """Put the tags right that the job could not read."""
        self._retag(name, self._tags(name))

    def _register(self, app: PartnerApp, *, lives: timedelta, dated: bool = True) -> None:
        self.world.entra.register_app(TENANT_ID, app.client_id)
        self._add_client_secret(app, lives=lives, dated=dated)

    def _add_client_secret(self, app: PartnerApp, *, lives: timedelta, dated: bool = True) -> None:
        value, ends = secrets.token_urlsafe(30), datetime.now(UTC) + lives
        self.world.entra.add_client_secret(app.client_id, value, ends)
        self.world.vault.state.put(app.vault_secret, value, expires_on=ends if dated else None)

    def _app_of(self, name: str) -> PartnerApp:
        return self.fabrikam if name in FABRIKAM else self.contoso

    def _tags(self, name: str) -> dict[str, str]:
        app = self._app_of(name)
        return {
            "managed-by": "token-rotation",
            "tenant-id": TENANT_ID,
            "client-id": app.client_id,
            "client-credential": f"secret:{app.vault_secret}",
            "label": LABELS[name],
        }

    def _retag(self, name: str, changes: Mapping[str, str]) -> None:
        vault = self.world.vault.state
        vault.retag(name, {**(vault.current(name).tags or {}), **changes})
