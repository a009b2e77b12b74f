"""What the lock files pin: names, exact versions, hashes. Environment markers are left aside: every platform counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?==(?P<version>[\w.!+-]+)\s*(;[^\\]*?)?")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution at one version, and the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


class UnpinnedError(Exception):
    """A line of a lock file does not pin what it names."""


def pins_of(lock: Path) -> tuple[Pin, ...]:
    """Every pin of a lock file. Raises UnpinnedError, which names the line, and OSError."""
    return tuple(_pin(lock.name, number, line) for number, line in _requirements(lock.read_text("utf-8").splitlines()))


def _requirements(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each requirement in one line with its hashes, and where it begins."""
    begun, parts = 0, ""
    for number, line in enumerate(lines, start=1):
        text = line.partition(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        begun = begun or number
        parts += text.removesuffix("\\") + " "
        if not text.endswith("\\"):
            yield begun, parts
            begun, parts = 0, ""


def _pin(lock: str, number: int, line: str) -> Pin:
    requirement = line.partition("--hash=")[0].strip()
    found = _REQUIREMENT.fullmatch(requirement)
    hashes = tuple(_HASH.findall(line))
    if found is None:
        raise UnpinnedError(f"{lock}, line {number}: {requirement!r} names no exact version; run make lock")
    if not hashes:
        raise UnpinnedError(f"{lock}, line {number}: {requirement!r} has no hash; run make lock")
    return Pin(found["name"].lower(), found["version"], hashes)
