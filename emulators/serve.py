"""Serve ASGI applications on loopback from one background thread. Knows nothing of what they answer.

Sockets are bound first (`listen`), so that every address is known before the applications that must name it are built.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import uvicorn

from emulators.tls import LOOPBACK

if TYPE_CHECKING:
    from starlette.types import ASGIApp


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
    """A uvicorn server that leaves the process's signal handlers alone, and does not wait for idle clients to leave."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, then stop: waiting for a client that keeps its own open would take a second."""
        for connection in list(self.server_state.connections):
            transport = cast("asyncio.Transport | None", connection.transport)
            if transport is not None:
                transport.abort()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(site: Site) -> _Server:
    config = uvicorn.Config(site.app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    config.load()
    config.ssl = site.tls  # uvicorn itself only takes certificate files; ours never touches the disk
    return _Server(config)


@contextmanager
def serving(sites: Iterable[Site]) -> Iterator[None]:
    """Serve every site until the block ends; ready when the block starts.

    Raises RuntimeError when a server does not come up within ten seconds.
    """
    pairs = [(_server(site), site) for site in sites]
    thread = threading.Thread(target=lambda: asyncio.run(_serve_all(pairs)), name="emulators", daemon=True)
    thread.start()
    try:
        _wait_until_started([server for server, _ in pairs], thread)
        yield
    finally:
        for server, _ in pairs:
            server.should_exit = True
        thread.join(timeout=10)
        for _, site in pairs:
            site.bound.close()


async def _serve_all(pairs: list[tuple[_Server, Site]]) -> None:
    await asyncio.gather(*(server.serve(sockets=[site.bound]) for server, site in pairs))


def _wait_until_started(servers: list[_Server], thread: threading.Thread) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if all(server.started for server in servers):
            return
        if not thread.is_alive():
            break
        pause.wait(0.01)
    raise RuntimeError("an emulator did not start listening within ten seconds")
