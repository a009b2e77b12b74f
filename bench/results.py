"""The results of a whole run as one JSON document, and as the Markdown that the terminal and the README show."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.figures import Figure, figures
from bench.imports import ColdImport
from bench.measurement import PER_TOKEN, Measurement
from bench.spec import WorldSpec

_MEBIBYTE = 1024 * 1024
_NAMES = {"ours": "this project", "plain_loop": "plain loop", "floor": "bare SDK calls"}
_HEADINGS = (
    "world", "contender", "tokens/s", "stores/s", "of the limit", "429", "requests a token", "CPU ms a token",
    "peak MB", "grown MB",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What one run of the benchmark found, on which machine and when."""

    command: str
    begun: datetime
    seconds: float
    measured: Sequence[Measurement]
    imported: ColdImport

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The six."""
        return figures(self.measured, self.imported)

    def to_json(self) -> dict[str, object]:
        """All of it; `markdown` is what the README shows."""
        return {
            "command": self.command,
            "begun": self.begun.isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "machine": machine(),
            "load_average": max(one.load_average for one in self.measured),
            "figures": [figure.to_json() for figure in self.figures],
            "cold_import": self.imported.to_json(),
            "measured": [one.to_json() for one in self.measured],
            "markdown": self.to_markdown(),
        }

    def to_markdown(self) -> str:
        """The six figures, everything beside each other, and where it was measured."""
        six = [("figure", "required", "measured", "reached")]
        six += [(one.name, one.required, one.measured, "yes" if one.reached else "**no**") for one in self.figures]
        load = max(one.load_average for one in self.measured)
        when = f"{self.begun:%Y-%m-%d}, {self.seconds / 60:.0f} minutes, load average at most {load:.1f}"
        return "\n\n".join([
            _table(six),
            _table([_HEADINGS, *map(_row, self.measured)]),
            f"`{self.command}`, {machine()}, {when}.",
        ])  # fmt: skip


def machine() -> str:
    """The processor, how many of it, the system and the Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def _row(one: Measurement) -> tuple[str, ...]:
    stored = one.spec.due > 1
    kinds = {kind: one.requests.get(kind, 0) / one.spec.due for kind in PER_TOKEN if one.spec.due}
    told = " ".join(f"{kind} {count:.2g}" for kind, count in kinds.items() if count)
    return (
        _world(one.spec, one.settings),
        _NAMES[one.contender],
        f"{one.tokens_per_second if stored else one.spec.tokens / one.seconds:,.1f}",
        f"{one.stores_per_second:.1f}" if stored else "",
        f"{one.share_of_limit:.0%}" if stored and one.spec.limited else "",
        str(one.throttled),
        f"{one.requests_per_due_token:.2f}: {told}" if told else f"list {one.lists_per_token:.3f}",
        f"{one.cpu_per_token * 1000:.2f}",
        f"{one.peak_memory_bytes / _MEBIBYTE:.0f}",
        f"{one.grown_bytes / _MEBIBYTE:.1f}",
    )  # fmt: skip


def _world(spec: WorldSpec, settings: Mapping[str, str]) -> str:
    return ", ".join([*_words(spec), *(f"{name}={value}" for name, value in settings.items())])


def _words(spec: WorldSpec) -> Iterator[str]:
    yield f"{spec.due:,} due" if spec.due else f"{spec.fresh:,} not due"
    if spec.settled:
        yield "second rotation"
    if spec.vaults > 1:
        yield f"{spec.vaults} vaults"
    if spec.due:
        yield "limit on" if spec.limited else "limit off"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown with aligned columns, so that a terminal shows it well, too."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
