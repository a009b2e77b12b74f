"""What Microsoft's own parser says of KQL queries, against the columns of the workspace's tables in `tables.json`.

Needs Node 20 or later and the package that `npm ci --prefix tests/infra/kusto` installs; says which is missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_PARSER = _FOLDER / "kusto"
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Analysis:
    """One query: what is wrong with it, each with its line, and the columns of its result with their types."""

    diagnostics: tuple[str, ...]
    columns: Mapping[str, str]


def analysed(queries: Mapping[str, str]) -> dict[str, Analysis]:
    """Analyse queries by name, all in one process. Raises RuntimeError when Node or the package is missing."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("the checks of infra/ need Node 20 or later: node was not found on PATH")
    if not (_PARSER / "node_modules" / "@kusto").is_dir():
        raise RuntimeError("the KQL parser is missing: run npm ci --prefix tests/infra/kusto")
    asked = {"tables": json.loads((_FOLDER / "tables.json").read_text()), "queries": dict(queries)}
    done = subprocess.run(
        [node, str(_PARSER / "analyse.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return {name: _analysis(answer) for name, answer in json.loads(done.stdout).items()}


def _analysis(answer: Mapping[str, object]) -> Analysis:
    diagnostics, columns = answer["diagnostics"], answer["columns"]
    assert isinstance(diagnostics, list)
    assert isinstance(columns, dict)
    told = (f"line {one['line']}: {one['code']} {one['message']} ({one['text']})" for one in diagnostics)
    return Analysis(tuple(told), columns)
