"""`python -m rotation rotate`: one run by hand, of every managed token or of those named."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer
from rich import progress as bars
from rich.console import Console

from rotation.cli import output
from rotation.cli.exit_code import ExitCode
from rotation.cli.render import render_run
from rotation.crew import Progress, no_progress
from rotation.plan import RunRequest
from rotation.report import Status, Trigger
from rotation.wiring import application


def rotate(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Secret names or secret ids; without any, every managed token."),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Redeem even what is not due.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; redeem nothing, write nothing.")
    ] = False,
    list_all: Annotated[bool, typer.Option("--all", help="List the tokens that are plainly fresh too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> ExitCode:
    """Redeem every refresh token that is due and store the new one."""
    if any(not name.strip() for name in names or ()):
        raise typer.BadParameter("a NAME is empty")
    request = RunRequest(
        trigger=Trigger.CLI, tokens=tuple(names or ()), force=force, dry_run=dry_run, list_all=list_all
    )
    with application(os.environ) as app, _bar() as progress, _interruptible() as interrupted:
        report = app.rotate(request, now=datetime.now(UTC), progress=progress, stopped=interrupted.is_set)
    if as_json:
        output.write_json(report.to_json())
    else:
        render_run(report, output.console())
    if interrupted.is_set():
        return ExitCode.INTERRUPTED
    return ExitCode.of(report.vault_faults, all_well=report.status is Status.OK)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Progress on stderr while somebody is looking at it."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    console = Console(stderr=True)
    with bars.Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("Listing the vaults", total=None)
        yield lambda done, due: bar.update(task, description="Rotating", completed=done, total=due)


def _stop_at_once(*_: object) -> NoReturn:
    """End without waiting for the workers. Whatever they were at, the version that is current is a good one."""
    output.say_at_once("Stopped at once; the stored tokens are good: run the command again to go on")
    os._exit(ExitCode.INTERRUPTED)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """The first interrupt lets what is under way be finished and told; the second ends the program at once."""
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, _stop_at_once)
        output.say(["Interrupted: finishing what is under way; once more to stop at once"])

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
