"""The vault over HTTP: each request is checked as the service checks it, then handed to its operation.

The order of the checks is token, version of the API, service limits, data action, body. Whatever refuses a request
raises a `VaultError`; its status is found here. What the operations do is left to `operations`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.bearer import InvalidBearer
from emulators.faults import FaultLayer, Faults
from emulators.keyvault import wire
from emulators.keyvault.access import AccessPolicy
from emulators.keyvault.errors import BadParameterError, ThrottledError, UnauthorizedError, VaultError
from emulators.keyvault.operations import OPERATIONS, Call, Operation, kind_of
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import Throttle
from emulators.requests_log import LogLayer, RequestLog

if TYPE_CHECKING:
    from starlette.types import ASGIApp

type Verify = Callable[[str], Mapping[str, object]]

RESOURCE = "https://vault.azure.net"
API_VERSIONS = frozenset({"7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"})
STATUSES = {
    "BadParameter": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "SecretNotFound": 404,
    "Conflict": 409,
    "Throttled": 429,
}
HEADERS = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "x-ms-keyvault-region": "loopback",
    "x-ms-keyvault-service-version": "emulator",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    state: VaultState
    verify: Verify
    access: AccessPolicy
    throttle: Throttle
    authority_url: str

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return _answered(operation.run(await self._admitted(operation, request)))
            except VaultError as refusal:
                return self._refused(refusal)

        return answer

    async def unknown(self, request: Request, _: Exception) -> Response:
        return self._refused(
            BadParameterError(f"Method {request.method} does not allow operation '{request.url.path}'")
        )

    async def _admitted(self, operation: Operation, request: Request) -> Call:
        caller = self._caller(request)
        api_version = _api_version(request)
        self.throttle.take(create=operation.create)
        self.access.require(caller, operation.action)
        return Call(
            state=self.state,
            dialect=wire.Dialect(str(request.base_url).rstrip("/"), self.state.soft_delete, api_version),
            path=request.url.path,
            query=request.query_params,
            name=request.path_params.get("name", ""),
            version=request.path_params.get("version"),
            body=_parsed(await request.body()),
        )

    def _caller(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            return str(self.verify(token).get("oid"))
        except InvalidBearer as invalid:
            raise UnauthorizedError(f"Error validating token: {invalid}") from None

    def _refused(self, refusal: VaultError) -> Response:
        headers = dict(HEADERS)
        if isinstance(refusal, UnauthorizedError):
            headers["www-authenticate"] = f'Bearer authorization="{self.authority_url}", resource="{RESOURCE}"'
        if isinstance(refusal, ThrottledError) and refusal.retry_after is not None:
            headers["retry-after"] = str(refusal.retry_after)
        return _json(wire.error(refusal), STATUSES[refusal.code], headers)


def keyvault_app(
    state: VaultState,
    *,
    verify: Verify,
    access: AccessPolicy,
    authority_url: str,
    throttle: Throttle | None = None,
    faults: Faults | None = None,
    log: RequestLog | None = None,
) -> ASGIApp:
    """The vault as an ASGI application, to be served over TLS at the root of its host.

    `verify` answers the claims of a bearer token or raises `InvalidBearer`; the caller is its `oid`. `authority_url` is
    named in the challenge and includes the tenant. Without `throttle` the service's own limits apply.
    """
    service = _Service(
        state=state, verify=verify, access=access, throttle=throttle or Throttle(), authority_url=authority_url
    )
    routes = [Route(each.path, service.endpoint(each), methods=[each.method]) for each in OPERATIONS]
    app = Starlette(routes=routes, exception_handlers={404: service.unknown, 405: service.unknown})
    app.router.redirect_slashes = False  # the service tells /secrets/name and /secrets/name/ apart without a redirect
    return LogLayer(FaultLayer(app, faults or Faults()), log or RequestLog(), kind_of, by_status={401: "challenge"})


def _answered(body: wire.Json | None) -> Response:
    return Response(status_code=204, headers=HEADERS) if body is None else _json(body, 200, HEADERS)


def _json(body: wire.Json, status: int, headers: Mapping[str, str]) -> Response:
    request_id = {"x-ms-request-id": str(uuid.uuid4())}
    return JSONResponse(body, status, {**headers, **request_id}, media_type="application/json; charset=utf-8")


def _api_version(request: Request) -> str:
    given = request.query_params.get("api-version")
    if given is None:
        raise BadParameterError("The parameter api-version is required")
    if given not in API_VERSIONS:
        raise BadParameterError(f"The specified version ({given}) is not recognized.")
    return given


def _parsed(raw: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise BadParameterError("The body is not JSON") from None
    if not isinstance(body, dict):
        raise BadParameterError("The body is not a JSON object")
    return body
