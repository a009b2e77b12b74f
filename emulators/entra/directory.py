"""Who and what exists: tenants, accounts, applications with their credentials, resources. Issues nothing.

GUIDs of tenants and applications are compared without regard to case. Not safe for threads by itself: `EntraState`
holds its lock around every call.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from emulators.entra.errors import EntraError
from emulators.entra.scopes import GRAPH, KEY_VAULT, PARTNER_CENTER, canonical
from emulators.entra.tokens import TOKEN_EXCHANGE, new_guid

_RESOURCES = (
    PARTNER_CENTER,
    "https://partner.partnercenterapi.microsoftonline.cn",
    GRAPH,
    KEY_VAULT,
    "https://vault.usgovcloudapi.net",
    "https://vault.azure.cn",
    "https://management.azure.com",
    "https://monitor.azure.com",
    "https://storage.azure.com",
)


@dataclass(frozen=True, slots=True)
class User:
    """An account: its home tenant, its object id there, its user principal name."""

    tenant_id: str
    object_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """An application's or managed identity's own identity in one tenant; `object_id` is what roles are assigned to."""

    tenant_id: str
    client_id: str
    object_id: str


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Whose assertions stand for the application. All three are compared exactly, in their case."""

    issuer: str
    subject: str
    audience: str


@dataclass(slots=True)
class ClientSecret:
    """A client secret and when it ends."""

    value: str = field(repr=False)
    expires_on: datetime


@dataclass(slots=True)
class Application:
    """A registered application, its credentials, and its service principals by tenant."""

    client_id: str
    redirect_type: str
    secrets: list[ClientSecret] = field(default_factory=list)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)
    federated: list[FederatedCredential] = field(default_factory=list)
    principals: dict[str, Principal] = field(default_factory=dict)
    enabled: bool = True

    def add_certificate(self, pem: bytes) -> None:
        """Register a certificate under its SHA-256 thumbprint (`x5t#S256`, RFC 7515, section 4.1.8)."""
        certificate = x509.load_pem_x509_certificate(pem)
        thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        self.certificates[thumbprint] = certificate


class Directory:
    """Everything that is registered. Tenants and accounts come into being when they are first named."""

    def __init__(self) -> None:
        self._tenants: dict[str, str] = {}  # name or GUID, lower case -> GUID
        self._users: dict[str, User] = {}
        self._disabled: set[str] = set()
        self._applications: dict[str, Application] = {}
        self._resources = {canonical(resource) for resource in _RESOURCES}

    def add_tenant(self, tenant_id: str, domains: Iterable[str] = ()) -> None:
        """Make the tenant known under its GUID and its verified domains."""
        for name in (tenant_id, *domains):
            self._tenants[name.lower()] = tenant_id

    def tenant_id(self, name: str) -> str:
        """The GUID of a tenant. Raises EntraError 90002."""
        try:
            return self._tenants[name.lower()]
        except KeyError:
            raise EntraError(90002, f"The tenant {name} was not found in this cloud.") from None

    def add_user(self, tenant_id: str, name: str) -> User:
        """Make an enabled account in its home tenant."""
        self.add_tenant(tenant_id)
        user = User(tenant_id, new_guid(), name)
        self._users[user.object_id] = user
        return user

    def remove_user(self, user: User) -> None:
        """Delete an account."""
        self._users.pop(user.object_id, None)

    def enable_user(self, user: User, *, enabled: bool) -> None:
        """Allow or block sign-in."""
        (self._disabled.discard if enabled else self._disabled.add)(user.object_id)

    def check_user(self, user: User) -> None:
        """Raises EntraError 50034 for a deleted account, 50057 for a blocked one."""
        if user.object_id not in self._users:
            raise EntraError(50034)
        if user.object_id in self._disabled:
            raise EntraError(50057)

    def add_application(self, tenant_id: str, client_id: str, redirect_type: str) -> Principal:
        """Register an application in its home tenant."""
        self._applications[client_id.lower()] = Application(client_id.lower(), redirect_type)
        return self.add_principal(tenant_id, client_id)

    def add_principal(self, tenant_id: str, client_id: str) -> Principal:
        """The application's service principal in a tenant, made if it is not there yet."""
        self.add_tenant(tenant_id)
        application = self.registration(client_id)
        principal = Principal(tenant_id, application.client_id, new_guid())
        return application.principals.setdefault(tenant_id, principal)

    def registration(self, client_id: str) -> Application:
        """The application, to change what is registered. Raises KeyError for one that was never registered."""
        return self._applications[client_id.lower()]

    def application(self, tenant_id: str, client_id: str) -> Application:
        """The application as a tenant knows it. Raises EntraError 700016 where it is unknown, 7000112 if disabled."""
        application = self._applications.get(client_id.lower())
        if application is None or tenant_id not in application.principals:
            raise EntraError(700016, f"The application {client_id} was not found in the tenant {tenant_id}.")
        if not application.enabled:
            raise EntraError(7000112)
        return application

    def add_resource(self, resource: str) -> None:
        """Make one more resource known to every tenant."""
        self._resources.add(canonical(resource))

    def check_resource(self, resource: str) -> None:
        """Raises EntraError 500011 for a resource that no tenant knows."""
        if canonical(resource) not in self._resources and not TOKEN_EXCHANGE.fullmatch(resource):
            raise EntraError(500011, f"The resource {resource} has no service principal in the tenant.")

    def age(self, delta: timedelta) -> None:
        """Shift the end of every client secret back. Certificates keep their dates: these are signed into them."""
        for application in self._applications.values():
            for secret in application.secrets:
                secret.expires_on -= delta
