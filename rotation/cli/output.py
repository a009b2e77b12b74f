"""Where the command line writes: reports and JSON to stdout, everything said beside them to stderr.

A pipe gets plain lines of any length, a terminal colours and its own width.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping

from rich.console import Console

from rotation.cli.layout import plain

_ANY_WIDTH = 10_000  # in a pipe a line is a line
_STDERR = 2
_SILENCE = logging.NullHandler()


def prepare() -> None:
    """Make the streams take every character, and the log say what we warn of and nothing that a library says."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger().addHandler(_SILENCE)  # without any, Python shows the warnings of every library
    if logging.lastResort is not None:  # warnings to what is stderr at that moment
        logging.getLogger("rotation").addHandler(logging.lastResort)


def console() -> Console:
    """Where a report is shown."""
    return Console(width=None if sys.stdout.isatty() else _ANY_WIDTH, highlight=False, markup=False, emoji=False)


def write_json(report: Mapping[str, object]) -> None:
    """Print the one JSON object of `--json`."""
    print(json.dumps(report, indent=2))  # noqa: T201 - a command prints


def say(lines: Iterable[str]) -> None:
    """Tell the operator something that is not the report."""
    for line in lines:
        print(plain(line), file=sys.stderr)  # noqa: T201 - a command prints


def say_at_once(line: str) -> None:
    """The same from a signal's handler that may have interrupted a `say`: no stream of Python's is entered twice."""
    beneath_the_bar = "\n" if sys.stderr.isatty() else ""
    os.write(_STDERR, f"{beneath_the_bar}{line}\n".encode())
