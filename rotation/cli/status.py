"""`python -m rotation status`: how every managed token and client credential is. Reads lists, never a value."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from rotation.cli import output
from rotation.cli.exit_code import ExitCode
from rotation.cli.render import render_status
from rotation.wiring import application


def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False
) -> ExitCode:
    """Show every managed token and client credential: health, days left, next rotation."""
    with application(os.environ) as app:
        report = app.status(now=datetime.now(UTC))
    if as_json:
        output.write_json(report.to_json())
    else:
        render_status(report, output.console())
    return ExitCode.of(report.vault_faults, all_well=report.all_well)
