"""What tests put into a world: tokens under care, client secrets, accounts; and what they read back. Runs nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emulators.entra.directory import User
from emulators.keyvault.secret import SecretVersion
from emulators.world import TENANT_ID, EmulatedVault, World

CLIENT_SECRET = "contoso client secret of the tests"
CREDENTIAL = "partner-app"
DUE = timedelta(days=8)
FRESH = timedelta(days=1)


def managed_tags(
    client_id: str, *, credential: str = CREDENTIAL, redeemed: timedelta | None = DUE, **more: str
) -> dict[str, str]:
    """The tags of a token under care; `redeemed` that long ago, None for never. `_` in a further name is a `-`."""
    tags = {
        "managed-by": "token-rotation",
        "tenant-id": TENANT_ID,
        "client-id": client_id,
        "client-credential": f"secret:{credential}",
    }
    if redeemed is not None:
        tags["redeemed-at"] = f"{datetime.now(UTC) - redeemed:%Y-%m-%dT%H:%M:%SZ}"
    return tags | {name.replace("_", "-"): value for name, value in more.items()}


@dataclass(frozen=True, slots=True)
class Partner:
    """An app with its client secret in a vault, and an account that consents to it. Its own in every test."""

    world: World
    vault: EmulatedVault
    client_id: str
    user: User
    credential: str

    @classmethod
    def new(cls, world: World, *, vault: EmulatedVault | None = None, credential: str = CREDENTIAL) -> Partner:
        """Register an app, put its client secret into the vault, make an account."""
        client_id = str(uuid.uuid4())
        partner = cls(
            world,
            vault or world.vault,
            client_id,
            world.entra.add_user(TENANT_ID, "partner-service-account"),
            credential,
        )
        world.entra.register_app(TENANT_ID, client_id, secrets=[CLIENT_SECRET])
        partner.vault.state.put(credential, CLIENT_SECRET)
        return partner

    def consent(self, *, mfa: bool = True, scope: str | None = None) -> str:
        """The account signs in: a refresh token."""
        more = {} if scope is None else {"scope": scope}
        return self.world.entra.consent(tenant_id=TENANT_ID, client_id=self.client_id, user=self.user, mfa=mfa, **more)

    def tags(self, *, redeemed: timedelta | None = DUE, **more: str) -> dict[str, str]:
        """The tags of a token of this app."""
        return managed_tags(self.client_id, credential=self.credential, redeemed=redeemed, **more)

    def put(
        self,
        name: str,
        *,
        value: str | None = None,
        tags: Mapping[str, str] | None = None,
        redeemed: timedelta | None = DUE,
        content_type: str | None = None,
    ) -> str:
        """Put a token under care, as it was stored `redeemed` ago; returns the value."""
        token = self.consent() if value is None else value
        self.vault.state.put(name, token, tags=tags or self.tags(redeemed=redeemed), content_type=content_type)
        return token

    def put_some(self, count: int, *, prefix: str = "token", redeemed: timedelta | None = DUE) -> list[str]:
        """Put several tokens under care; returns their names."""
        names = [f"{prefix}-{number:03}" for number in range(count)]
        for name in names:
            self.put(name, redeemed=redeemed)
        return names


def current(vault: EmulatedVault, name: str) -> SecretVersion:
    """The current version."""
    return vault.state.current(name)


def tags_of(vault: EmulatedVault, name: str) -> dict[str, str]:
    """The tags of the current version."""
    return dict(vault.state.current(name).tags or {})


def values_of(vault: EmulatedVault, name: str) -> list[str]:
    """The values of every version, the oldest first."""
    return [version.value for version in vault.state.versions(name)]


def enabled_of(vault: EmulatedVault, name: str) -> list[bool]:
    """Which versions are enabled, the oldest first."""
    return [version.enabled for version in vault.state.versions(name)]
