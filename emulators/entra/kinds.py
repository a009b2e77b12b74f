"""Name the kind of each request for the log: both grants go to one address, so the grant type is read from the body.

It is read before the log and the faults, so that a request that never reaches the application is counted rightly too.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOKEN_KINDS = {"refresh_token": "redeem", "client_credentials": "client_credentials"}
_token_kind: ContextVar[str] = ContextVar("token_kind", default="other")


def kind_of(method: str, path: str) -> str:
    """`redeem`, `client_credentials`, `discovery`, `instance_discovery`, `keys` or `other`."""
    if method == "POST" and path.endswith("/oauth2/v2.0/token"):
        return _token_kind.get()
    if path == "/common/discovery/instance":
        return "instance_discovery"
    if path.endswith("/.well-known/openid-configuration"):
        return "discovery"
    return "keys" if path.endswith("/discovery/v2.0/keys") else "other"


class GrantTypeLayer:
    """ASGI middleware that looks at the grant type of a token request and hands the body on as it came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        messages = await _body(receive)
        form = parse_qs(b"".join(message.get("body", b"") for message in messages).decode(errors="replace"))
        _token_kind.set(_TOKEN_KINDS.get(form.get("grant_type", [""])[0], "other"))
        await self._app(scope, _replaying(messages, receive), send)


async def _body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replay
