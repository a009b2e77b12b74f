"""The corpora as values: `answers` goes over the wire, `cases` through the pure table.

They are data files beside this module; what is written there is never made from the table that it tests.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rotation.aadsts import RULES, Rules, classify
from rotation.reason import Reason

_FOLDER = Path(__file__).parent / "corpus"
_REPEATED = re.compile(r"<(.+?) x (\d+)>")
_TIME = "2026-11-21 06:00:00Z"
_TRACE_ID, CORRELATION_ID = "0a0a0a0a-1111-2222-3333-444444444444", "0b0b0b0b-1111-2222-3333-444444444444"

UNKNOWN_ERROR = "a_word_nobody_knows"
KEPT_SECRET = "kept-secret"


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of `answers.yaml`."""

    name: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Case:
    """What the pure table is asked, and the reason that it must give."""

    reason: Reason
    error: str
    numbers: tuple[int, ...] = ()
    suberror: str | None = None
    status: int = 400

    def holds(self, rules: Rules = RULES) -> bool:
        given = classify(
            status=self.status, error=self.error, suberror=self.suberror, numbers=self.numbers, rules=rules
        )
        return given is self.reason


@functools.cache
def answers() -> tuple[Answer, ...]:
    return tuple(
        Answer(row["name"], row.get("status", 400), row.get("headers", {}), _body(row), Reason(row["reason"]))
        for row in _read("answers")
    )


@functools.cache
def numbers() -> tuple[Case, ...]:
    """A case for every number: alone, under an error that means something else."""
    return tuple(
        Case(Reason(reason), row["under"], (number,))
        for reason, row in _read("numbers").items()
        for source, listed in row.items()
        if source != "under"
        for number in listed
    )


@functools.cache
def errors() -> tuple[Case, ...]:
    """Every error alone, and with a number of every reason, of which some are possible under it and some are not."""
    found = []
    for error, row in _read("errors").items():
        means = Reason(row["means"])
        found.append(Case(means, error))
        for reason, number in number_of().items():
            found.append(Case(reason if reason in row["possible"] else means, error, (number,)))
    return tuple(found)


def number_of() -> dict[Reason, int]:
    """One number of every reason."""
    return {case.reason: case.numbers[0] for case in reversed(numbers())}


def _body(row: Mapping[str, Any]) -> bytes:
    if "text" in row:
        text = _REPEATED.sub(lambda found: found[1] * int(found[2]), row["text"])
        return text.encode(row.get("encoding", "utf-8"))
    return json.dumps(row["json"] if "json" in row else _of_entra(**row["entra"])).encode()


def _of_entra(*, error: str, codes: list[int], suberror: str | None = None, says: str = "No.") -> dict[str, object]:
    """The members of "Handling error codes in your application" on Microsoft's error code page."""
    first = codes[0] if codes else 0
    ending = f"\r\nTrace ID: {_TRACE_ID}\r\nCorrelation ID: {CORRELATION_ID}\r\nTimestamp: {_TIME}"
    body: dict[str, object] = {
        "error": error,
        "error_description": f"AADSTS{first}: {says}{ending}",
        "error_codes": codes,
        "timestamp": _TIME,
        "trace_id": _TRACE_ID,
        "correlation_id": CORRELATION_ID,
        "error_uri": f"https://login.microsoftonline.com/error?code={first}",
    }
    return body | ({"suberror": suberror} if suberror else {})


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
