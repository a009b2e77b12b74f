"""Serve ASGI applications on loopback from one background thread. Knows nothing of what they answer.

Sockets are bound first (`listen`), so that every address is known before the applications that must name it are built.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import uvicorn

from emulators.tls import LOOPBACK

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_START_SECONDS = 60


def listen(port: int = 0) -> socket.socket:
    """Bind a loopback socket; port 0 lets the system choose a free one. Raises OSError for a port that is taken."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it an answer takes 44 ms
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket, *, scheme: str = "https") -> str:
    """The address of a bound socket, without a trailing slash."""
    return f"{scheme}://{LOOPBACK}:{bound.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class Site:
    """One application on one bound socket; without `tls` it is plain http, as the managed-identity endpoint is."""

    bound: socket.socket
    app: ASGIApp
    tls: ssl.SSLContext | None


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signal handlers alone, and starts and ends without a pause."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `end`."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await super().serve(sockets)

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn looks for it ten times a second, and there are many servers in a process."""
        while not self._ended.is_set():
            await self.on_tick(0)  # the date that answers carry
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), timeout=1)

    def end(self) -> None:
        """End soon; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - of uvicorn
        """Close every connection, also those that clients keep open, and give what is under way a second."""
        for server in self.servers:
            server.close()
        while self.server_state.connections:
            for connection in list(self.server_state.connections):
                transport = cast("asyncio.Transport | None", connection.transport)
                if transport is not None:
                    transport.abort()
            await asyncio.sleep(0)
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(site: Site) -> _Server:
    config = uvicorn.Config(site.app, log_config=None, access_log=False, proxy_headers=False, lifespan="off")
    config.load()
    config.ssl = site.tls  # uvicorn itself only takes certificate files; ours never touches the disk
    return _Server(config)


@contextmanager
def serving(sites: Iterable[Site]) -> Iterator[None]:
    """Serve every site until the block ends; ready when the block starts.

    Raises RuntimeError when a server does not come up within a minute.
    """
    pairs = [(_server(site), site) for site in sites]
    thread = threading.Thread(target=_run, args=[pairs], name="emulators", daemon=True)
    thread.start()
    try:
        _wait_until_started([server for server, _ in pairs], thread)
        yield
    finally:
        for server, _ in pairs:
            server.end()
        thread.join(timeout=_START_SECONDS)
        for _, site in pairs:
            site.bound.close()


def _run(pairs: list[tuple[_Server, Site]]) -> None:
    sys.settrace(None)  # coverage is measured of the product; tracing what it talks to costs a tenth of all tests
    asyncio.run(_serve_all(pairs))


async def _serve_all(pairs: list[tuple[_Server, Site]]) -> None:
    await asyncio.gather(*(server.serve(sockets=[site.bound]) for server, site in pairs))


def _wait_until_started(servers: list[_Server], thread: threading.Thread) -> None:
    pause = threading.Event()
    for _ in range(_START_SECONDS * 1000):
        if all(server.started for server in servers):
            return
        if not thread.is_alive():
            break
        pause.wait(0.001)
    raise RuntimeError("an emulator did not start listening within a minute")
