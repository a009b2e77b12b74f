"""The token endpoint that App Service and Functions give to the code they run. Its tokens come from the Entra state.

Source: "How to use managed identities for App Service and Azure Functions", REST endpoint reference (2019-08-01).
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from emulators.entra.directory import Principal
from emulators.entra.errors import EntraError
from emulators.entra.state import EntraState
from emulators.entra.tokens import ACCESS_TOKEN_SECONDS, new_guid
from emulators.faults import FaultLayer, Faults
from emulators.requests_log import LogLayer, RequestLog

PATH = "/msi/token"
_API_VERSION = "2019-08-01"


class IdentityRefused(Exception):
    """A request that the endpoint refuses, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """An access token of an assigned identity; `expires_on` is in seconds since 1970."""

    access_token: str
    expires_on: int
    resource: str
    client_id: str


class ManagedIdentities:
    """The identities that are assigned to one app. Safe to use from any thread."""

    def __init__(self, entra: EntraState) -> None:
        self.header = secrets.token_urlsafe(24)
        self._entra = entra
        self._lock = threading.Lock()
        self._system: Principal | None = None
        self._assigned: dict[str, Principal] = {}

    def assign_system(self, identity: Principal) -> None:
        """Turn the system-assigned identity on."""
        with self._lock:
            self._system = identity

    def assign(self, identity: Principal) -> None:
        """Assign a user-assigned identity, which a request names by its client id."""
        with self._lock:
            self._assigned[identity.client_id.lower()] = identity

    def unassign(self, identity: Principal) -> None:
        """Take a user-assigned identity away."""
        with self._lock:
            self._assigned.pop(identity.client_id.lower(), None)

    def token(self, resource: str, client_id: str | None = None) -> IdentityToken:
        """A token of the named identity, or of the system-assigned one. Raises IdentityRefused."""
        with self._lock:
            identity = self._system if client_id is None else self._assigned.get(client_id.lower())
        if identity is None:
            raise IdentityRefused(400, "No managed identity with this id is assigned to the app.")
        try:
            value = self._entra.managed_identity_token(identity, resource)
        except EntraError as refused:
            raise IdentityRefused(500, f"The token request failed: {refused}") from None
        return IdentityToken(value, int(time.time()) + ACCESS_TOKEN_SECONDS, resource, identity.client_id)


def managed_identity_app(identities: ManagedIdentities, *, faults: Faults, log: RequestLog) -> ASGIApp:
    """The endpoint over HTTP, named by `IDENTITY_ENDPOINT` (its address and `PATH`); requests count as `identity`."""

    async def token(request: Request) -> JSONResponse:
        try:
            return _answer(identities, request)
        except IdentityRefused as refused:
            body = {"statusCode": refused.status, "message": str(refused), "correlationId": new_guid()}
            return JSONResponse(body, status_code=refused.status)

    app = Starlette(routes=[Route(PATH, token, methods=["GET"])])
    return LogLayer(FaultLayer(app, faults), log, lambda _method, _path: "identity")


def _answer(identities: ManagedIdentities, request: Request) -> JSONResponse:
    query = request.query_params
    if not hmac.compare_digest(request.headers.get("x-identity-header", "").encode(), identities.header.encode()):
        raise IdentityRefused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
    if query.get("api-version") != _API_VERSION:
        raise IdentityRefused(400, f"The api-version must be {_API_VERSION}.")
    if not query.get("resource"):
        raise IdentityRefused(400, "The parameter resource is missing.")
    token = identities.token(query["resource"], query.get("client_id"))
    return JSONResponse(
        {
            "access_token": token.access_token,
            "expires_on": str(token.expires_on),
            "resource": token.resource,
            "token_type": "Bearer",
            "client_id": token.client_id,
        }
    )
