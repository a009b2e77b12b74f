"""The workbook: valid, fed by the events that the job sends, and of one mind with the alerts about what is open."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import kql
from tests.infra.conftest import Break

_SEVERITY = re.compile(r'let severity = "\w+";\n| *\| where Properties\.severity == severity\n|^//.*\n', re.MULTILINE)


def items(infra: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((infra / "workbook.json").read_text(encoding="utf-8"))["items"]
    return content


def queries(infra: Path) -> dict[str, str]:
    return {item["name"]: item["content"]["query"] for item in items(infra) if "query" in item["content"]}


def faults(infra: Path) -> list[str]:
    parameters = {each["name"] for item in items(infra) for each in item["content"].get("parameters", ())}
    used = {
        item["content"]["timeContextFromParameter"]
        for item in items(infra)
        if "timeContextFromParameter" in item["content"]
    }
    found = [f"the parameter {name} does not exist" for name in sorted(used - parameters)]
    found += [f"the parameter {name} is used nowhere" for name in sorted(parameters - used)]
    if "<workspace>" not in (infra / "workbook.json").read_text(encoding="utf-8"):
        found.append("the workbook names no workspace")
    if _what_is_open(queries(infra)["open-problems"]) != _what_is_open(_alert(infra)):
        found.append("the workbook and the alerts do not agree on what is open")
    return found


def _alert(infra: Path) -> str:
    return (infra / "alerts" / "problems_critical.kql").read_text(encoding="utf-8")


def _what_is_open(query: str) -> str:
    """A query without its severity, its comments and its choice of columns."""
    return _SEVERITY.sub("", query).partition("| project\n")[0]


def test_the_workbook_fits_together(infra: Path) -> None:
    assert faults(infra) == []
    assert queries(infra).keys() == {"open-problems", "runs", "rotations", "days-left", "tokens"}


def test_every_query_passes_the_parser(infra: Path) -> None:
    assert {name: each.diagnostics for name, each in kql.analysed(queries(infra)).items() if each.diagnostics} == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "workbook.json",
            '"timeContextFromParameter": "TimeRange"',
            '"timeContextFromParameter": "Time"',
            "Time does not exist",
        ),
        ("workbook.json", '"name": "TimeRange"', '"name": "Time"', "the parameter Time is used nowhere"),
        ("workbook.json", "<workspace>", "", "names no workspace"),
        ("workbook.json", "started_at > last_silent", "started_at >= last_silent", "do not agree"),
        ("alerts/problems_critical.kql", "| join kind=leftouter closed", "| join kind=inner closed", "do not agree"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(file, old, new)) if fault in each]
