"""What a log search alert rule forbids, and what no parser knows: checked on the text of a query and on its result.

Source: Azure Monitor documentation, "Create or edit a log search alert rule" (2025-07-22), "Optimize log search alert
queries" (2024-07-30) and "Azure Monitor service limits" (2025-02-02).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from emulators.alerting import AlertRule

_NOT_CODE = re.compile(r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|//[^\n]*""")
_FORBIDDEN = {
    r"\b(bag_unpack|pivot|narrow|evaluate)\b": "rules do not support plug-ins such as {}",
    r"(?:^|\||=|\()\s*(search|union|take|limit)\b": "rules do not support {}, or answer otherwise each time",
    r"\b(externaldata|adx|arg|app|workspace|ingestion_time)\s*\(": "rules of one workspace do not need {}()",
    r"\bAggregatedValue\b": "{} is a reserved word",
    r"\b(now)\s*\(": "rules know the time by ago() alone, not by {}()",
    r"[{}<](\w+)[}>]": "the placeholder {} was not filled",
}
_AGO = re.compile(r"\bago\s*\(([^)]*)\)")
_LITERAL = re.compile(r"(\d+)([smhd])")
_SPANS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=2)
_MOST_BYTES = 64 * 1024
_TABLES = {*json.loads((Path(__file__).parent / "tables.json").read_text(encoding="utf-8"))}
_DIMENSION_TYPES = {"string", "int", "long", "real", "decimal"}
_MEASURE_TYPES = {"int", "long", "real", "decimal"}


def text_faults(query: str) -> Iterator[str]:
    """What a rule forbids in the text of its query."""
    code = _NOT_CODE.sub(lambda found: '""' if found["string"] else "", query)
    for pattern, message in _FORBIDDEN.items():
        yield from (message.format(found) for found in re.findall(pattern, code, re.MULTILINE))
    for span in _AGO.findall(code):
        literal = _LITERAL.fullmatch(span.strip())
        if literal is None:
            yield f"ago({span}) is not with a literal"
        elif timedelta(**{_SPANS[literal[2]]: int(literal[1])}) > _LONGEST:
            yield f"ago({span}) looks back more than two days: the rule sees no further"
    if (source := _source(code)) not in _TABLES:
        yield f"it starts with {source}, which is no table"
    if "TimeGenerated > ago(" not in code:
        yield "no table is bounded by TimeGenerated"
    if len(query.encode()) > _MOST_BYTES:
        yield "longer than 64 KB"


def _source(code: str) -> str:
    """What the result is made of: the first word of the last statement, through the names that `let` gives."""
    given = dict(re.findall(r"\blet\s+(\w+)\s*=\s*(\w+)", code))
    name = next(iter(re.findall(r"\w+", code.rpartition(";")[2])), "")
    while name in given:
        name = given.pop(name)
    return name


def result_faults(rule: AlertRule, columns: Mapping[str, str]) -> Iterator[str]:
    """What a rule forbids in the columns of its result."""
    for dimension in rule.dimensions:
        if columns.get(dimension) not in _DIMENSION_TYPES:
            yield f"the dimension {dimension} is {columns.get(dimension, 'missing')}, not a string or a number"
    if rule.measure is not None and columns.get(rule.measure) not in _MEASURE_TYPES:
        yield f"the measure {rule.measure} is {columns.get(rule.measure, 'missing')}, not a number"
    for column, type_ in columns.items():
        if type_ == "datetime":
            yield f"the column {column} is a datetime: the rule would sort the rows into periods by it"
