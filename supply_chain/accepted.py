"""Which findings are accepted, why and until when: `accepted.toml`, read and checked. Judges no finding itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One finding that was looked at; it counts again after the day of its `review`."""

    id: str
    package: str
    reason: str
    accepted: date
    review: date

    def __str__(self) -> str:
        return f"{self.id} in {self.package}, accepted {self.accepted}: {self.reason}"


class AcceptedError(Exception):
    """The file says too little, too much, or something else than it should."""


def accepted_in(path: Path) -> tuple[Accepted, ...]:
    """Every accepted finding. Raises AcceptedError, which names the entry, and OSError."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise AcceptedError(f"{path.name}: {error}") from error
    if content.keys() - {"finding"}:
        raise AcceptedError(f"{path.name}: entries begin with [[finding]]")
    return tuple(
        _accepted(path.name, number, entry) for number, entry in enumerate(content.get("finding", []), start=1)
    )


def _accepted(file: str, number: int, entry: Mapping[str, object]) -> Accepted:
    wanted = {field.name: date if field.type == "date" else str for field in fields(Accepted)}
    if entry.keys() != wanted.keys():
        raise AcceptedError(f"{file}, finding {number}: it needs {', '.join(wanted)}, and nothing else")
    for name, kind in wanted.items():
        if not isinstance(entry[name], kind) or not entry[name]:
            raise AcceptedError(f"{file}, finding {number}: {name} is no {'date' if kind is date else 'text'}")
    return Accepted(**entry)  # type: ignore[arg-type]  # each was checked above
