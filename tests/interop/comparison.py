"""Whether two answers of a vault agree: status, codes, keys, types, ids, challenge. Leaves asking to `replay`.

What differs from day to day or is wording is compared by its type alone; everything else, the caller's own data
included, by its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.interop.recordings import Reply

BY_TYPE = {"created", "updated", "deletedDate", "scheduledPurgeDate", "message"}
ADDRESSES = {"id", "recoveryId"}
VERSION = re.compile(r"[0-9a-f]{32}")
CHALLENGE = re.compile(r'Bearer authorization="https://[^/"]+/[0-9a-f-]{36}",\s+resource="(?P<resource>[^"]+)"')


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer of the emulator is not the service's."""

    operation: str
    where: str
    recorded: object
    emulated: object


def differences(operation: str, recorded: Reply, emulated: Reply) -> list[Difference]:
    """Every difference between two answers to the same request."""
    first, second = normal(operation, recorded), normal(operation, emulated)
    return [
        Difference(operation, where, first.get(where, "absent"), second.get(where, "absent"))
        for where in sorted(first.keys() | second.keys())
        if first.get(where, "absent") != second.get(where, "absent")
    ]


def normal(operation: str, reply: Reply) -> dict[str, object]:
    """An answer as a flat table from where to what, with all that may differ taken out."""
    table: dict[str, object] = {"status": reply.status}
    if reply.body is not None:
        table["content-type"] = reply.headers.get("content-type")
    if "www-authenticate" in reply.headers:
        table["www-authenticate"] = _challenge(reply.headers["www-authenticate"])
    opaque = operation == "backup"
    return table | {where: _value(where, leaf, opaque=opaque) for where, leaf in _leaves("body", reply.body)}


def _leaves(where: str, body: Any) -> Iterator[tuple[str, object]]:
    """Every scalar, and for every object and list that it is one: an empty one would be nowhere to be seen."""
    yield where, type(body).__name__ if isinstance(body, dict | list) else body
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _leaves(f"{where}.{key}", value)
    if isinstance(body, list):
        for number, value in enumerate(body):
            yield from _leaves(f"{where}[{number}]", value)


def _value(where: str, leaf: object, *, opaque: bool) -> object:
    key = where.rpartition(".")[2]
    if key in BY_TYPE or (opaque and key == "value"):
        return type(leaf).__name__
    if key in ADDRESSES and isinstance(leaf, str):
        return VERSION.sub("{version}", urlsplit(leaf).path)
    if key == "nextLink" and isinstance(leaf, str):
        address = urlsplit(leaf)
        return address.path, sorted(name for name, _ in parse_qsl(address.query))
    return leaf


def _challenge(header: str) -> str:
    found = CHALLENGE.fullmatch(header)
    return f"Bearer authorization=<tenant>, resource={found['resource']}" if found else header
