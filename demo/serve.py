"""Keep the world up until Ctrl-C: the HTTP routes over TLS, and all that is needed to try them by hand."""

from __future__ import annotations

import secrets
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.stage import APP_FOLDER, NoReportError, Stage
from emulators.serve import Site, listen, serving, url_of
from rotation.outcome import Kind

_LONG_SECONDS = 3600.0


def serve(*, port: int = 0, every: float | None = None) -> int:
    """Serve on a port (0 is a free one), firing the timer every so many seconds if asked, until interrupted.

    Returns the exit code: 0, or 1 when the port cannot be had. Raises what `Stage.open` raises.
    """
    try:
        bound = listen(port)
    except (OSError, OverflowError) as error:
        print(f"demo: port {port} cannot be had: {error}", file=sys.stderr)
        return 1
    key = secrets.token_urlsafe(30)
    with _interruptible():
        try:
            with Stage.open() as stage, serving([Site(bound, stage.host.http_app(key), stage.world.tls.context)]):
                print("\n".join(_how_to_try(stage, url_of(bound), key)), flush=True)
                _wait(stage, every)
        except KeyboardInterrupt:
            print("The world has ended.", flush=True)
    return 0


def _wait(stage: Stage, every: float | None) -> None:
    while True:
        time.sleep(every or _LONG_SECONDS)
        if every:
            print(_fired(stage), flush=True)


def _fired(stage: Stage) -> str:
    try:
        report = stage.fire_timer()
    except NoReportError:
        return "the timer fired while another run was under way"
    counts = ", ".join(f"{report.counts[kind]} {kind}" for kind in Kind if report.counts.get(kind))
    return f"the timer fired: {counts}; {len(report.problems)} problems"


def _how_to_try(stage: Stage, url: str, key: str) -> Iterator[str]:
    world = stage.world
    curl = f"curl --cacert {shlex.quote(str(world.tls.authority_file))} -H 'x-functions-key: {key}'"
    yield "Nine refresh tokens in an emulated Key Vault, some of them in trouble. Ctrl-C ends this world."
    yield from ("", f"Functions     {url}", f"Function key  {key}")
    yield from (f"Key Vault     {world.vault.url}", f"Entra ID      {world.entra_url}")
    yield from ("", "How every token is:", f"  {curl} {url}/api/status")
    yield from ("", "Rotate what is due:", f"  {curl} -X POST {url}/api/rotate")
    yield from ("", "The command line, from another shell in this folder:")
    yield from (f"  export {name}={shlex.quote(value)}" for name, value in world.environment().items())
    yield f"  {_python()} -m rotation status"
    yield ""


def _python() -> str:
    python = Path(sys.executable)
    return shlex.quote(str(python.relative_to(APP_FOLDER) if python.is_relative_to(APP_FOLDER) else python))


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt; a shell starts what runs in its background with SIGINT ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
