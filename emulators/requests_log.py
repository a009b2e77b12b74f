"""What was asked of an emulator, so that tests can count requests. Holds no body, no header and so no secret."""

from __future__ import annotations

import functools
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Request:
    """One request that arrived; `status` is 0 until it is answered, and stays 0 when it never is."""

    method: str
    path: str
    query: str
    status: int
    kind: str


class RequestLog:
    """Every request in the order of arrival. Safe to use from any thread.

    A request is here before its answer leaves, so that a client that has its answer, or an error, finds it counted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._requests: dict[int, Request] = {}
        self._under_way: set[int] = set()

    @property
    def under_way(self) -> int:
        """How many requests still have something to do, answered or not; `clear` makes no difference."""
        with self._lock:
            return len(self._under_way)

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests since the start or the last `clear`."""
        with self._lock:
            return tuple(self._requests.values())

    def counts(self) -> dict[str, int]:
        """How many requests of each kind; a kind that never came is absent."""
        return dict(Counter(request.kind for request in self.requests))

    def count(self, kind: str) -> int:
        """How many requests of one kind."""
        return self.counts().get(kind, 0)

    def arrived(self, request: Request) -> int:
        """Note a request; its number is for `answered`."""
        with self._lock:
            number = next(self._numbers)
            self._requests[number] = request
            self._under_way.add(number)
            return number

    def ended(self, number: int) -> None:
        """Nothing more will come of this request."""
        with self._lock:
            self._under_way.discard(number)

    def answered(self, number: int, status: int, kind: str | None) -> None:
        """Note an answer, and the kind where the answer tells it; nothing for a request from before a `clear`."""
        with self._lock:
            request = self._requests.get(number)
            if request is not None:
                self._requests[number] = replace(request, status=status, kind=kind or request.kind)

    def clear(self) -> None:
        """Start counting from nothing."""
        with self._lock:
            self._requests.clear()


class LogLayer:
    """ASGI middleware, outermost of all, that notes each request under the kind that `kind_of(method, path)` names.

    `by_status` names the kind of an answer where its status says more than its address (401 at a vault: a challenge).
    """

    def __init__(
        self,
        app: ASGIApp,
        log: RequestLog,
        kind_of: Callable[[str, str], str],
        *,
        by_status: Mapping[int, str] | None = None,
    ) -> None:
        self._app = app
        self._log = log
        self._kind_of = kind_of
        self._by_status = dict(by_status or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and note one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = self._log.arrived(self._request(scope))

        @functools.wraps(send)  # leaves a way through to uvicorn's own `send`, which the fault layer needs
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                self._log.answered(number, status, self._by_status.get(status))
            await send(message)

        try:
            with suppress(ClientDisconnect):  # it went in the middle of its request: there is nobody to answer
                await self._app(scope, receive, noting)
        finally:
            self._log.ended(number)

    def _request(self, scope: Scope) -> Request:
        method, path = scope["method"], scope["path"]
        query = scope["query_string"].decode("ascii", "replace")
        return Request(method, path, query, status=0, kind=self._kind_of(method, path))
