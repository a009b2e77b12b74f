"""Everything secret that crosses the wire to an emulator: what a test then looks for wherever a person could read.

An ASGI layer that takes it out of requests and answers in the clear, behind TLS. It also plants a cookie in each
answer, as the real token endpoint does. Nothing here is ever written down; looking for it is left to the test.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-identity-header", "x-functions-key"})
_FIELDS = frozenset({
    "access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "assertion", "value",
})  # fmt: skip
COOKIE = "esctx=PAQABBwEAAABVrSpeuWamRam2jAF1XRQE-canary-of-the-cookie; path=/; secure; HttpOnly"


class Overheard:
    """The secrets that went by, as they were on the wire. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()

    @property
    def secrets(self) -> frozenset[str]:
        """All of them, since the start or the last `clear`."""
        with self._lock:
            return frozenset(self._secrets)

    def note(self, secrets: Iterable[str]) -> None:
        """Add secrets that a test knows of without any wire."""
        with self._lock:
            self._secrets.update(secrets)

    def clear(self) -> None:
        """Forget them; what is used again is overheard again."""
        with self._lock:
            self._secrets.clear()

    def layer(self, app: ASGIApp) -> ASGIApp:
        """The application, overheard."""
        return _OverheardLayer(app, self)


class _OverheardLayer:
    def __init__(self, app: ASGIApp, overheard: Overheard) -> None:
        self._app = app
        self._overheard = overheard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        self._overheard.note(_of_headers(scope["headers"]))

        @functools.wraps(send)  # leaves a way through to uvicorn's own `send`, which the fault layer needs
        async def overhearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"set-cookie", COOKIE.encode())]
                self._overheard.note(_of_headers(message["headers"]))
            answered.extend(message.get("body", b""))
            await send(message)

        async def listening() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        try:
            await self._app(scope, listening, overhearing)
        finally:
            self._overheard.note(_of_body(bytes(asked)))
            self._overheard.note(_of_body(bytes(answered)))


def _of_headers(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
    for name, value in headers:
        if name.decode("latin-1").lower() in _HEADERS:
            scheme, _, credentials = value.decode("latin-1").partition(" ")
            yield credentials if scheme == "Bearer" else scheme.partition("=")[2].rstrip(";") or scheme


def _of_body(body: bytes) -> Iterator[str]:
    """The fields that hold a secret, in JSON at any depth (RFC 8259) or in a form (RFC 6749 appendix B)."""
    try:
        yield from _of_json(json.loads(body or b"null"))
    except (ValueError, RecursionError):
        yield from (value for name, value in parse_qsl(body.decode(errors="replace")) if name in _FIELDS)


def _of_json(value: object) -> Iterator[str]:
    for name, member in value.items() if isinstance(value, dict) else ():
        if name in _FIELDS and isinstance(member, str):
            yield member
        else:
            yield from _of_json(member)
    for member in value if isinstance(value, list) else ():
        yield from _of_json(member)
