"""Break any emulator on demand: wrong answers, dropped connections, delays, silence, somebody who acts in between.

A test queues faults on a `Faults`; `FaultLayer` spends them on the requests that match, in the order of queueing and at
most one per request, so that a test says exactly which request meets which fault. Knows nothing of what it breaks.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never, cast

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


_LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Answer:
    """Another answer than the application's: a `body` of bytes goes out as it is, anything else as JSON.

    With `after_effect` the application has done its work first and only its answer is replaced.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = b""
    after_effect: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is closed without an answer; with `after_effect` the application has done its work first."""

    after_effect: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The application answers as ever, `seconds` later."""

    seconds: float

    async def over(self) -> None:
        """Return once the delay is over."""
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Held:
    """The application answers as ever once `released` is set, by any thread."""

    released: threading.Event = field(default_factory=threading.Event)

    async def over(self) -> None:
        """Return once it is released."""
        while not self.released.is_set():  # noqa: ASYNC110 - it is set by a thread that knows of no loop
            await asyncio.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Hang:
    """Never an answer: the request ends when the client gives up; with `after_effect` the work has been done first."""

    after_effect: bool = False


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody acts while the request is under way: before the application sees it, or after it has done its work.

    `act` is called by the server itself, so nothing else is served until it returns, and it must ask nothing of the
    server. The request is then answered as ever, or `cut`: its connection is closed, and an application that has not
    seen it never will.
    """

    act: Callable[[], object]
    after_effect: bool = False
    cut: bool = False


type Fault = Answer | Reset | Delay | Held | Hang | Meanwhile


@dataclass(slots=True)
class _Queued:
    fault: Fault
    left: int | None  # None: until cleared
    skip: int
    method: str | None
    path: re.Pattern[str] | None

    def matches(self, method: str, path: str) -> bool:
        return (self.method in (None, method)) and (self.path is None or self.path.search(path) is not None)


class Faults:
    """A queue of faults to come. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queued: list[_Queued] = []
        self._met: list[Fault] = []

    def fail_next(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
        after: int = 0,
    ) -> None:
        """Queue `fault` for the next `times` matching requests (None: until cleared), once `after` of them have passed.

        `path` is a regular expression that is searched for in the path, without the query.
        """
        queued = _Queued(fault, times, after, method, re.compile(path) if path is not None else None)
        with self._lock:
            self._queued.append(queued)

    def clear(self) -> None:
        """Forget every fault that is still to come, and those that were met."""
        with self._lock:
            self._queued.clear()
            self._met.clear()

    @property
    def met(self) -> tuple[Fault, ...]:
        """Every fault that a request has met since the last `clear`, in that order."""
        with self._lock:
            return tuple(self._met)

    @property
    def unspent(self) -> int:
        """How many queued faults have not been spent to the end: a test that expects a fault asserts 0."""
        with self._lock:
            return len(self._queued)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which is thereby spent; None for most requests."""
        with self._lock:
            for queued in self._queued:
                if not queued.matches(method, path):
                    continue
                if queued.skip > 0:
                    queued.skip -= 1
                    continue
                self._spend(queued)
                self._met.append(queued.fault)
                return queued.fault
        return None

    def _spend(self, queued: _Queued) -> None:
        if queued.left is None:
            return
        queued.left -= 1
        if queued.left <= 0:
            self._queued.remove(queued)


class FaultLayer:
    """ASGI middleware that spends queued faults. Must sit outside of anything that hides uvicorn's own `send`."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or break it."""
        fault = self._faults.take(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._break(fault, scope, receive, send)

    async def _break(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(fault, Answer | Reset | Hang) and fault.after_effect:
            await self._app(scope, receive, _swallow)
        match fault:
            case Answer():
                await _answer(fault, send)
            case Reset():
                await _cut(receive, send)
            case Delay() | Held():
                await fault.over()
                await self._app(scope, receive, send)
            case Hang():
                await _gone(receive)
            case Meanwhile():
                await self._meanwhile(fault, scope, receive, send)
            case _:
                assert_never(fault)

    async def _meanwhile(self, fault: Meanwhile, scope: Scope, receive: Receive, send: Send) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if fault.after_effect:
            await self._app(scope, receive, keep)
        fault.act()
        if fault.cut:
            await _cut(receive, send)
        elif fault.after_effect:
            for message in answer:
                await send(message)
        else:
            await self._app(scope, receive, send)


async def _swallow(_: Message) -> None:
    """Where an answer goes that nobody is to see."""


async def _answer(fault: Answer, send: Send) -> None:
    body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
    kind = "application/octet-stream" if isinstance(fault.body, bytes) else "application/json; charset=utf-8"
    headers = {"content-type": kind, "content-length": str(len(body))}
    headers |= {name.lower(): value for name, value in fault.headers.items()}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _cut(receive: Receive, send: Send) -> None:
    _transport_of(send).abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone: uvicorn would answer 500 for an application that returns before that."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport_of(send: Send) -> asyncio.Transport:
    """The connection under a request. ASGI has no word for dropping one, so this reaches through uvicorn's `send`."""
    owner = getattr(inspect.unwrap(send), "__self__", None)
    transport = getattr(owner, "transport", None)
    if transport is None:
        raise TypeError("the fault layer is not directly under uvicorn: it cannot reach the connection")
    return cast("asyncio.Transport", transport)
