"""The six figures: what is required, what was measured, and whether that is enough. Pure.

Where something was measured several times the median counts; where several sizes were measured, the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from bench.imports import ColdImport
from bench.measurement import Measurement
from bench.spec import WorldSpec

STORES_LIMITED, STORES_UNLIMITED = 28.5, 60.0
REQUESTS_ROTATED, REQUESTS_SETTLED, LISTS = 5.0, 6.0, 0.040
CPU_TO_FLOOR, CPU_GROWTH, IMPORT = 1.25, 1.05, 1.10


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    required: str
    measured: str
    reached: bool

    def to_json(self) -> dict[str, object]:
        """Its fields."""
        return asdict(self)


def figures(measured: Sequence[Measurement], imported: ColdImport) -> tuple[Figure, ...]:
    """The six, from a plan's measurements. Raises ValueError when one that they need is missing."""
    ours = [one for one in measured if one.contender == "ours"]
    floor = [one for one in measured if one.contender == "floor"]
    return (_limited(ours), _unlimited(ours), _requests(ours), _to_floor(ours, floor), _growth(ours), _import(imported))


def _limited(ours: Sequence[Measurement]) -> Figure:
    run = _largest(ours, lambda spec: spec.limited and spec.vaults == 1 and spec.due > 0)
    stranded = run.counts.get("stranded", 0)
    return Figure(
        f"stores a second into one vault that allows 30, {run.spec.due:,} tokens",
        f"{STORES_LIMITED} or more, no 429, nothing stranded",
        f"{run.stores_per_second:.1f}, {run.throttled} times 429, {stranded} stranded",
        run.stores_per_second >= STORES_LIMITED and not run.throttled and run.went_well,
    )


def _unlimited(ours: Sequence[Measurement]) -> Figure:
    runs = _alike(ours, _largest(ours, _plain).spec)
    rate = median(run.stores_per_second for run in runs)
    return Figure(
        f"stores a second without the limit, {runs[0].spec.due:,} tokens",
        f"{STORES_UNLIMITED:g} or more",
        f"{rate:.1f}",
        rate >= STORES_UNLIMITED and all(run.went_well for run in runs),
    )


def _requests(ours: Sequence[Measurement]) -> Figure:
    rotated = _largest(ours, _plain).requests_per_due_token
    settled = _largest(ours, lambda spec: spec.settled).requests_per_due_token
    lists = _largest(ours, lambda spec: not spec.due).lists_per_token
    return Figure(
        "requests for a rotated token / with a version to disable / for one that is not due",
        f"{REQUESTS_ROTATED:g} / {REQUESTS_SETTLED:g} / {LISTS:.3f} at most",
        f"{rotated:.2f} / {settled:.2f} / {lists:.3f}",
        rotated <= REQUESTS_ROTATED and settled <= REQUESTS_SETTLED and round(lists, 3) <= LISTS,
    )


def _to_floor(ours: Sequence[Measurement], floor: Sequence[Measurement]) -> Figure:
    """At the size that was measured most often."""
    spec = max((run.spec for run in ours if _plain(run.spec)), key=lambda spec: (len(_alike(ours, spec)), spec.due))
    ratio = _cpu(_alike(ours, spec)) / _cpu(_alike(floor, spec))
    return Figure(
        f"processor time a token, relative to the bare SDK calls, {spec.due:,} tokens",
        f"{CPU_TO_FLOOR} at most",
        f"{ratio:.2f}",
        ratio <= CPU_TO_FLOOR,
    )


def _growth(ours: Sequence[Measurement]) -> Figure:
    sizes = sorted({run.spec.due for run in ours if _plain(run.spec)})
    small, large = sizes[-2:]
    ratio = _cpu(_alike(ours, WorldSpec(due=large))) / _cpu(_alike(ours, WorldSpec(due=small)))
    return Figure(
        f"processor time a token at {large:,} tokens, relative to {small:,}",
        f"{CPU_GROWTH} at most",
        f"{ratio:.2f}",
        ratio <= CPU_GROWTH,
    )


def _import(imported: ColdImport) -> Figure:
    return Figure(
        "cold import of `function_app`, relative to the five Azure packages alone",
        f"{IMPORT:.2f} at most",
        f"{imported.ratio:.2f} ({imported.function_app_cpu_seconds:.2f} s and {imported.five_cpu_seconds:.2f} s)",
        imported.ratio <= IMPORT,
    )


def _plain(spec: WorldSpec) -> bool:
    """One vault without a limit, every token due and with one version."""
    return spec == WorldSpec(due=spec.due) and spec.due > 0


def _largest(runs: Iterable[Measurement], fits: Callable[[WorldSpec], bool]) -> Measurement:
    return max((run for run in runs if fits(run.spec)), key=lambda run: run.spec.tokens)


def _alike(runs: Iterable[Measurement], spec: WorldSpec) -> list[Measurement]:
    return [run for run in runs if run.spec == spec]


def _cpu(runs: Sequence[Measurement]) -> float:
    return median(run.cpu_per_token for run in runs)
