"""The command line as tests call it: in this process, where an emulated world is its environment."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from rotation.cli.app import app


def rotation(*args: str) -> Result:
    """`python -m rotation ...`, with stdout and stderr kept apart; neither is a terminal."""
    return CliRunner().invoke(app, list(args), catch_exceptions=False)


def report_of(result: Result) -> dict[str, Any]:
    """The one JSON object that is all of stdout."""
    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report
