"""The cloud on loopback: issuer, vaults, managed identities and, if asked for, Azure Monitor, to run the product in.

`World.open` serves them; `environment` is what the product's settings must be to run against them, with nothing in it
changed. Every date in the world moves with `age`. What is put into the world is left to whoever opens it.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.bearer import BearerVerifier
from emulators.entra.app import entra_app
from emulators.entra.directory import Principal, User
from emulators.entra.state import EntraState
from emulators.faults import Faults
from emulators.keyvault.access import AccessPolicy, DataAction
from emulators.keyvault.app import RESOURCE, keyvault_app
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import Throttle
from emulators.managed_identity import PATH, ManagedIdentities, managed_identity_app
from emulators.monitor import AUDIENCE, MonitorState, monitor_app
from emulators.overheard import Overheard
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.tls import LoopbackTls

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TENANT_ID = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

JOB_ACTIONS = (DataAction.READ_METADATA, DataAction.GET_SECRET, DataAction.SET_SECRET, DataAction.UPDATE)
"""All that the product is ever granted."""

_DATE = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{3})?Z)?(?![\w-])")  # and not a part of a name


@dataclass(frozen=True, slots=True)
class EmulatedVault:
    """One vault of the world with its levers."""

    url: str
    state: VaultState
    access: AccessPolicy = field(default_factory=AccessPolicy)
    throttle: Throttle = field(default_factory=Throttle)
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)

    def age(self, delta: timedelta) -> None:
        """Shift every date of the vault back, those that stand in tags too."""
        self.state.age(delta, in_tags=partial(_shifted, delta=delta))
        self.throttle.age(delta)

    def empty(self) -> None:
        """Remove every secret, deleted ones too, every planned fault, and what was counted."""
        for name in self.state.names():
            self.state.delete(name)
        for name in self.state.deleted_names():
            self.state.purge(name)
        self.faults.clear()
        self.log.clear()
        self.throttle.age(timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class EmulatedMonitor:
    """Application Insights with its levers; without an address it is not served, and no setting names it."""

    url: str
    state: MonitorState = field(default_factory=lambda: MonitorState(local_authentication=False))
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)

    def settings(self) -> dict[str, str]:
        """What the product needs to send its telemetry here, as the identity that it runs as."""
        if not self.url:
            return {}
        key, endpoint = self.state.instrumentation_key, f"{self.url}/"
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={key};IngestionEndpoint={endpoint}",
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside the product; there is one tenant, the partner's, with one account in it."""

    tls: LoopbackTls
    entra_url: str
    entra: EntraState
    entra_faults: Faults
    entra_log: RequestLog
    vaults: tuple[EmulatedVault, ...]
    identities: ManagedIdentities
    identity_url: str
    identity_faults: Faults
    monitor: EmulatedMonitor
    job: Principal
    partner: User

    @property
    def vault(self) -> EmulatedVault:
        """The first vault."""
        return self.vaults[0]

    @classmethod
    @contextmanager
    def open(cls, *, vaults: int = 1, telemetry: bool = False, overheard: Overheard | None = None) -> Iterator[World]:
        """Serve a world for the length of a block, with Azure Monitor in it for `telemetry`; all may be overheard."""
        with tempfile.TemporaryDirectory(prefix="loopback-") as folder:
            tls = LoopbackTls.create(Path(folder))
            sockets = [listen() for _ in range(vaults + 2)]
            entra_socket, identity_socket, *vault_sockets = sockets
            monitor_socket = listen() if telemetry else None
            entra = EntraState(url_of(entra_socket))
            world = cls(
                tls=tls,
                entra_url=url_of(entra_socket),
                entra=entra,
                entra_faults=Faults(),
                entra_log=RequestLog(),
                vaults=tuple(EmulatedVault(url_of(one), VaultState("contoso")) for one in vault_sockets),
                identities=ManagedIdentities(entra),
                identity_url=url_of(identity_socket, scheme="http") + PATH,
                identity_faults=Faults(),
                monitor=EmulatedMonitor(url_of(monitor_socket) if monitor_socket else ""),
                job=entra.add_managed_identity(TENANT_ID, str(uuid.uuid4())),
                partner=_partner(entra),
            )
            world.identities.assign(world.job)
            world.monitor.state.grant(world.job.object_id)
            for vault in world.vaults:
                vault.access.grant(world.job.object_id, JOB_ACTIONS)
            sites = [
                Site(entra_socket, entra_app(entra, faults=world.entra_faults, log=world.entra_log), tls.context),
                Site(identity_socket, world._identity_app(), None),
                *(
                    Site(one, world._vault_app(vault), tls.context)
                    for one, vault in zip(vault_sockets, world.vaults, strict=True)
                ),
            ]
            if monitor_socket:
                sites.append(Site(monitor_socket, world._monitor_app(), tls.context))
            if overheard is not None:
                sites = [replace(site, app=overheard.layer(site.app)) for site in sites]
            with serving(sites):
                yield world

    def _identity_app(self) -> ASGIApp:
        return managed_identity_app(self.identities, faults=self.identity_faults, log=RequestLog())

    def _monitor_app(self) -> ASGIApp:
        verify = BearerVerifier(self.entra.public_keys, AUDIENCE).verify
        return monitor_app(self.monitor.state, verify=verify, faults=self.monitor.faults, log=self.monitor.log)

    def _vault_app(self, vault: EmulatedVault) -> ASGIApp:
        return keyvault_app(
            vault.state,
            verify=BearerVerifier(self.entra.public_keys, RESOURCE).verify,
            access=vault.access,
            authority_url=f"{self.entra_url}/{TENANT_ID}",
            throttle=vault.throttle,
            faults=vault.faults,
            log=vault.log,
        )

    def environment(self) -> dict[str, str]:
        """The settings with which the product runs in this world, as a managed identity."""
        return {
            "KEY_VAULT_URLS": ",".join(vault.url for vault in self.vaults),
            "AUTHORITY_OVERRIDES": f"global={self.entra_url}",
            "AZURE_CLIENT_ID": self.job.client_id,
            "IDENTITY_ENDPOINT": self.identity_url,
            "IDENTITY_HEADER": self.identities.header,
            "AzureWebJobsStorage": "",  # there is none in this world, and another one is not to be met
            "AzureWebJobsStorage__blobServiceUri": "",
            "ROTATION_SCHEDULE": "0 17 */6 * * *",
            "REQUESTS_CA_BUNDLE": str(self.tls.authority_file),
            "NO_PROXY": "127.0.0.1,localhost",
            **self.monitor.settings(),
        }

    @property
    def under_way(self) -> int:
        """How many requests at the issuer and the vaults still have something to do, whether or not anybody waits."""
        return self.entra_log.under_way + sum(vault.log.under_way for vault in self.vaults)

    def age(self, delta: timedelta) -> None:
        """Let time pass for everything at once."""
        self.entra.age(delta)
        self.monitor.state.age(delta)
        for vault in self.vaults:
            vault.age(delta)

    def empty(self) -> None:
        """Remove every secret, planned fault and count, and give the job its rights back; apps and accounts stay."""
        self.entra.latency = 0.0
        for faults in (self.entra_faults, self.identity_faults):
            faults.clear()
        self.entra_log.clear()
        for vault in self.vaults:
            vault.empty()
            vault.access.deny(self.job.object_id)
            vault.access.grant(self.job.object_id, JOB_ACTIONS)

    def consent(self, *, client_id: str = CLIENT_ID) -> str:
        """The partner's account consents to an app: a refresh token."""
        return self.entra.consent(tenant_id=TENANT_ID, client_id=client_id, user=self.partner)


def _partner(entra: EntraState) -> User:
    entra.add_tenant(TENANT_ID, "contoso.onmicrosoft.com")
    return entra.add_user(TENANT_ID, "partner-service-account")


def _shifted(text: str, delta: timedelta) -> str:
    return _DATE.sub(lambda found: _earlier(found[0], delta), text)


def _earlier(text: str, delta: timedelta) -> str:
    if "T" in text:
        earlier = (datetime.fromisoformat(text) - delta).astimezone(UTC).replace(tzinfo=None)
        return earlier.isoformat(timespec="milliseconds" if "." in text else "seconds") + "Z"
    return (date.fromisoformat(text) - delta).isoformat()
