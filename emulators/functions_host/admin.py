"""The host's administration over HTTP: starting a function that no request triggers. Leaves HTTP functions to `http`.

"Manually run a non HTTP-triggered function" (Azure Functions documentation): `POST /admin/functions/NAME` with a JSON
object that has `input`, and the master key in `x-functions-key`; 202 before the function ends, however it ends.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_FUNCTIONS = "/admin/functions/"


class AdminApp:
    """An ASGI application that starts timers for who knows the master key."""

    def __init__(self, timers: Collection[str], start: Callable[[str], object], *, master_key: str) -> None:
        self._timers = timers
        self._start = start
        self._key = master_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status = await self._status(Request(scope, receive))
        await Response(status_code=status)(scope, receive, send)

    async def _status(self, request: Request) -> int:
        name = request.url.path.removeprefix(_FUNCTIONS)
        if not secrets.compare_digest(request.headers.get("x-functions-key", "").encode(), self._key):
            return 401
        if request.method != "POST" or name not in self._timers:
            return 404
        if "input" not in json.loads(await request.body()):
            return 400
        self._start(name)
        return 202
