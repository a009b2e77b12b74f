"""The ingestion endpoint over HTTP: `POST /v2.1/track` and `/v2/track`, a JSON array or a JSON object a line, gzip too.

All taken is 200, some of it 206, none of it 400, each with what was wrong with which item. Throttling (429), quotas
(402, 439) and outages are faults to be queued. Source: Application Insights, "Data collection endpoint protocol".
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.bearer import InvalidBearer
from emulators.faults import FaultLayer, Faults
from emulators.monitor.state import ItemError, MonitorState
from emulators.requests_log import LogLayer, RequestLog

if TYPE_CHECKING:
    from starlette.types import ASGIApp

AUDIENCE = "https://monitor.azure.com"
_PATHS = ("/v2.1/track", "/v2/track", "//v2.1/track")  # the last: of an address with its slash, as the portal shows it

type Verify = Callable[[str], Mapping[str, object]]


class _Unreadable(Exception):
    """The body holds no items."""


def monitor_app(state: MonitorState, *, verify: Verify, faults: Faults, log: RequestLog) -> ASGIApp:
    """The endpoint as an ASGI application; `verify` answers the claims of a bearer token or raises `InvalidBearer`.

    Requests count as `track`.
    """

    async def track(request: Request) -> Response:
        refused = _refused(request, state, verify)
        if refused is not None:
            return _answer(refused, 0, [ItemError(0, refused, "The request is not authorized")])
        try:
            items = _items(await request.body(), request.headers.get("content-encoding", ""))
        except _Unreadable as unreadable:
            return _answer(400, 0, [ItemError(0, 400, str(unreadable))])
        errors = state.take(items)
        status = 200 if not errors else 206 if len(errors) < len(items) else 400
        return _answer(status, len(items), errors)

    app = Starlette(routes=[Route(path, track, methods=["POST"]) for path in _PATHS])
    return LogLayer(FaultLayer(app, faults), log, lambda _method, _path: "track")


def _refused(request: Request, state: MonitorState, verify: Verify) -> int | None:
    """The status for a sender that may not publish. A key alone is enough while local authentication is on."""
    if state.local_authentication:
        return None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return 401
    try:
        caller = str(verify(token).get("oid"))
    except InvalidBearer:
        return 401
    return None if state.may_publish(caller) else 403


def _items(body: bytes, encoding: str) -> list[object]:
    try:
        text = (gzip.decompress(body) if encoding.lower() == "gzip" else body).decode()
        parsed = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines()]
    except (OSError, EOFError, zlib.error, ValueError):
        raise _Unreadable("Invalid JSON, or not compressed as the header says") from None
    if not parsed:
        raise _Unreadable("The batch is empty")
    return list(parsed)


def _answer(status: int, received: int, errors: list[ItemError]) -> Response:
    accepted = received - len(errors) if received else 0
    told = [{"index": error.index, "statusCode": error.status, "message": error.message} for error in errors]
    return JSONResponse({"itemsReceived": received, "itemsAccepted": accepted, "errors": told}, status)
