"""The results of a whole run as one JSON document, and as the Markdown that the terminal and the README show."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.cases import FOUR_PACED, UNPACED
from bench.figures import Figure, figures
from bench.imports import ColdImport
from bench.measurement import PER_TOKEN, Measurement
from bench.spec import WorldSpec

_MEBIBYTE = 1024 * 1024
_NAMES = {"ours": "this project", "plain_loop": "plain loop", "floor": "bare SDK calls"}
_HEADINGS = (
    "world", "contender", "tokens/s", "stores/s", "of the limit", "429 / not stored", "requests a token",
    "CPU ms a token", "peak MB",
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
            _table([_HEADINGS, *map(_row, _alike(self.measured))]),
            f"`{self.command}`, {machine()}, {when}. {_note()}",
        ])  # fmt: skip


def _note() -> str:
    unpaced, four = (", ".join(f"`{name}={value}`" for name, value in each.items()) for each in (UNPACED, FOUR_PACED))
    return (
        "Tokens a second count the whole run with its list, stores a second from the first store to the last. In"
        " brackets: each kind of request, with the one read of the client secret; how much memory the run added to what"
        f" was imported. Settings are the defaults, but where the limit is off ({unpaced}) and for four vaults with it"
        f" ({four}). The emulators have a process of their own on the same cores."
    )


def machine() -> str:
    """The processor, how many of it, the system and the Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def _alike(measured: Sequence[Measurement]) -> Iterator[Sequence[Measurement]]:
    """What was measured several times, together, in the order of the first of each."""
    groups: dict[tuple[str, WorldSpec], list[Measurement]] = {}
    for one in measured:
        groups.setdefault((one.contender, one.spec), []).append(one)
    yield from groups.values()


def _row(runs: Sequence[Measurement]) -> tuple[str, ...]:
    one = sorted(runs, key=lambda run: run.cpu_seconds)[len(runs) // 2]  # a run that was, not a mean of none
    several = f" (one of {len(runs)})" if len(runs) > 1 else ""
    common = (
        f"{one.throttled} / {one.spec.due - one.stored}",
        _requests(one),
        f"{one.cpu_per_token * 1000:.2f}",
        f"{one.peak_memory_bytes / _MEBIBYTE:.0f} (+{one.grown_bytes / _MEBIBYTE:.1f})",
    )
    world = ", ".join(_words(one.spec)) + several
    if not one.spec.due:
        return world, _NAMES[one.contender], f"{one.spec.tokens / one.seconds:,.0f}", "", "", *common
    share = f"{one.share_of_limit:.0%}" if one.spec.limited else ""
    rates = f"{one.tokens_per_second:.1f}", f"{one.stores_per_second:.1f}", share
    return world, _NAMES[one.contender], *rates, *common


def _requests(one: Measurement) -> str:
    if not one.spec.due:
        return f"{one.lists_per_token:.3f} list"
    kinds = ((kind, one.requests.get(kind, 0) / one.spec.due) for kind in PER_TOKEN)
    told = ", ".join(f"{count:.3g} {kind}" for kind, count in kinds if count)
    return f"{one.requests_per_due_token:.2f} ({told})"


def _words(spec: WorldSpec) -> Iterator[str]:
    yield f"{spec.due:,} due" if spec.due else f"{spec.fresh:,} not due"
    if spec.settled:
        yield "not the first rotation"
    if spec.vaults > 1:
        yield f"{spec.vaults} vaults"
    if spec.telemetry:
        yield "told to Azure Monitor"
    if spec.due:
        yield "limit on" if spec.limited else "limit off"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown with aligned columns, so that a terminal shows it well, too."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
