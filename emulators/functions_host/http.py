"""The host's HTTP front: routes, methods, the function key, and what is answered. Leaves the invocation to its caller.

As the Functions host does it (azure-functions-host): a method that a function does not take is answered 404, not 405
(its issue 10098); the key is looked at after the route, in `x-functions-key`, and only without that header in `?code=`
(`AuthenticationLevelHandler`); 401, 404 and 500 come without a body; routes are matched without regard to case.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from emulators.functions_host import protos
from emulators.functions_host.function_info import FunctionInfo

type StartHttp = Callable[[FunctionInfo, protos.RpcHttp], Future[protos.InvocationResponse]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the host sends back over HTTP; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, response: protos.InvocationResponse) -> HttpAnswer:
        """The answer to an invocation: 500 without a body when it failed, 200 for a plain string."""
        value = response.return_value
        if response.result.exception is not None or value is None:
            return cls(500)
        if value.http is None:
            return cls(200, {"content-type": "text/plain; charset=utf-8"}, (value.string or "").encode())
        headers = {name.lower(): text for name, text in value.http.headers.items()}
        body = value.http.body
        return cls(int(value.http.status_code), headers, (body and body.bytes) or b"")


def body_of(body: bytes) -> protos.TypedData:
    """A request's body as the host passes it on: the bytes as they came, nothing at all when there were none."""
    return protos.TypedData(bytes=body) if body else protos.TypedData()


class HttpApp:
    """An ASGI application that serves HTTP functions under `/api/`, each to who knows the key that it asks for."""

    def __init__(self, functions: Iterable[FunctionInfo], start: StartHttp, *, function_key: str) -> None:
        self._routes = tuple((_path_of(function), function) for function in functions)
        self._start = start
        self._key = function_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self._answer(Request(scope, receive))
        await Response(answer.body, answer.status, answer.headers)(scope, receive, send)

    async def _answer(self, request: Request) -> HttpAnswer:
        for function, params in self._matches(request):
            if not self._allowed(request, function):
                return HttpAnswer(401)
            invocation = self._start(function, await _carried(request, params))
            return HttpAnswer.of(await asyncio.wrap_future(invocation))
        return HttpAnswer(404)

    def _matches(self, request: Request) -> Iterator[tuple[FunctionInfo, dict[str, str]]]:
        for path, function in self._routes:
            match = path.match(request.url.path)
            if match and (not function.methods or request.method in function.methods):
                yield function, match.groupdict()

    def _allowed(self, request: Request, function: FunctionInfo) -> bool:
        if function.auth_level == "anonymous":
            return True
        given = request.headers.get("x-functions-key", request.query_params.get("code", ""))
        # the level "admin" asks for the master key, which this host does not have
        return function.auth_level == "function" and secrets.compare_digest(given.encode(), self._key)


def _path_of(function: FunctionInfo) -> re.Pattern[str]:
    path, _, _ = compile_path(f"/api/{function.route}")
    return re.compile(path.pattern, re.IGNORECASE)


async def _carried(request: Request, params: Mapping[str, str]) -> protos.RpcHttp:
    return protos.RpcHttp(
        method=request.method,
        url=str(request.url),
        headers=_joined(request.headers.items()),
        body=body_of(await request.body()),
        params=params,
        query=_joined(request.query_params.multi_items()),
    )


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value for each name, repeated ones joined by commas: the host's messages hold no lists."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
