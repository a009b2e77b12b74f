"""What servers on Node have in common: whether they can be started, and the line that says that they have been."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

_START_SECONDS = 120


def node_for(folder: Path, package: str) -> str:
    """The path of node, for a folder whose packages are installed. Raises RuntimeError when either is missing."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError(f"{folder.name} needs Node 20 or later: node was not found on PATH")
    if not (folder / "node_modules" / package).is_dir():
        raise RuntimeError(
            f"the packages of {folder.name} are missing: run npm ci --prefix tests/interop/{folder.name}"
        )
    return node


def line_of(process: subprocess.Popen[str], words: str, log_file: Path) -> str:
    """The first line of stdout with these words in it. Raises RuntimeError when the process ends or is silent first."""
    assert process.stdout is not None
    overdue = threading.Timer(_START_SECONDS, process.kill)
    overdue.start()
    try:
        for line in process.stdout:
            if words in line:
                return line
    finally:
        overdue.cancel()
    raise RuntimeError(f"{process.args!r} did not start:\n{log_file.read_text()}")
