"""Translate HTTP into the verbs of `EntraState` and back, and nothing else.

Served: OpenID discovery, keys, instance discovery and the v2.0 token endpoint, per tenant by GUID or verified domain.
Not served: `common`, `organizations` and `consumers`, and every endpoint that a browser visits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from emulators.entra import discovery
from emulators.entra.client_authentication import Presented
from emulators.entra.errors import EntraError
from emulators.entra.issuing import TokenRequest
from emulators.entra.kinds import GrantTypeLayer, kind_of
from emulators.entra.state import EntraState
from emulators.entra.tokens import new_guid
from emulators.faults import FaultLayer, Faults
from emulators.requests_log import LogLayer, RequestLog

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NEVER_STORED = {"cache-control": "no-store, no-cache", "pragma": "no-cache"}

type _Endpoint = Callable[[Request], Awaitable[Mapping[str, object]]]


def entra_app(state: EntraState, *, faults: Faults, log: RequestLog) -> ASGIApp:
    """The issuer over HTTP; requests are counted as `discovery`, `keys`, `instance_discovery` or their grant type."""

    async def openid_configuration(request: Request) -> Mapping[str, object]:
        return discovery.openid_configuration(state.url, state.tenant_id(request.path_params["tenant"]))

    async def keys(request: Request) -> Mapping[str, object]:
        state.tenant_id(request.path_params["tenant"])
        return discovery.jwks(state.key)

    async def instance(request: Request) -> Mapping[str, object]:
        return discovery.instance(state.url, request.query_params.get("authorization_endpoint", ""))

    async def token(request: Request) -> Mapping[str, object]:
        return _token(state, request, dict(parse_qsl((await request.body()).decode(errors="replace"))))

    routes = [
        _route(state, "/common/discovery/instance", instance),
        _route(state, "/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
        _route(state, "/{tenant}/discovery/v2.0/keys", keys),
        _route(state, "/{tenant}/oauth2/v2.0/token", token, method="POST"),
    ]
    served = LogLayer(FaultLayer(Starlette(routes=routes), faults), log, kind_of)
    return GrantTypeLayer(served)


def _route(state: EntraState, path: str, endpoint: _Endpoint, *, method: str = "GET") -> Route:
    async def answer(request: Request) -> Response:
        if state.latency:
            await asyncio.sleep(state.latency)
        try:
            return JSONResponse(await endpoint(request), headers=_NEVER_STORED | _trace(request))
        except EntraError as refused:
            return _refusal(state, request, refused)

    return Route(path, answer, methods=[method])


def _token(state: EntraState, request: Request, form: Mapping[str, str]) -> Mapping[str, object]:
    grant_type = _required(form, "grant_type")
    client_id, presented = _client(request, form)
    asked = TokenRequest(
        tenant=request.path_params["tenant"],
        client_id=client_id.lower(),
        presented=presented,
        scope=form.get("scope", ""),
        client_info=form.get("client_info") == "1",
    )
    match grant_type:
        case "refresh_token":
            return state.redeem(asked, _required(form, "refresh_token", error="invalid_grant"))
        case "client_credentials":
            return state.client_credentials(asked)
        case _:
            raise EntraError(70003, f"The grant type {grant_type} is not supported.")


def _required(form: Mapping[str, str], name: str, *, error: str = "invalid_request") -> str:
    if not form.get(name):
        raise EntraError(900144, f"The request body lacks the parameter {name}.", error=error)
    return form[name]


def _client(request: Request, form: Mapping[str, str]) -> tuple[str, Presented]:
    """Who asks and with what, in the body or by HTTP Basic (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, _, secret = _decoded(encoded).partition(":")
        return unquote_plus(client_id), Presented(secret=unquote_plus(secret))
    client_id = _required(form, "client_id")
    if "client_assertion" in form:
        if form.get("client_assertion_type") != _JWT_BEARER:
            raise EntraError(900144, "The request body lacks client_assertion_type.", error="invalid_request")
        return client_id, Presented(assertion=form["client_assertion"])
    return client_id, Presented(secret=form.get("client_secret"))


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise EntraError(9002313, error="invalid_request") from None


def _trace(request: Request) -> dict[str, str]:
    return {
        "x-ms-request-id": new_guid(),
        "client-request-id": request.headers.get("client-request-id") or new_guid(),
    }


def _refusal(state: EntraState, request: Request, refused: EntraError) -> JSONResponse:
    """The error body of "Handling error codes in your application" (Microsoft Entra error codes)."""
    trace = _trace(request)
    trace_id, correlation_id = trace["x-ms-request-id"], trace["client-request-id"]
    timestamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    ending = f" Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
    body: dict[str, object] = {
        "error": refused.error,
        "error_description": f"AADSTS{refused.code}: {refused.text}{ending}",
        "error_codes": [refused.code],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": f"{state.url}/error?code={refused.code}",
    }
    if refused.suberror:
        body["suberror"] = refused.suberror
    return JSONResponse(body, status_code=refused.status, headers=_NEVER_STORED | trace)
