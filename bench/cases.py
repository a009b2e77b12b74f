"""Which contender meets which world, and how often: the full plan, which takes about half an hour, and the quick one.

The plain loop rotates 1,000 tokens and no more: at under five a second, 10,000 would take it more than half an hour.
The bare calls meet the limit at one size: they know no pace, and run into it the same way at every other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.spec import WorldSpec

UNPACED: Mapping[str, str] = {"WRITES_PER_SECOND": "1000", "MAX_CONCURRENCY": "32"}
"""The product's settings where no limit is to be kept: 16 tokens in flight, a quarter of a second each, make 64/s."""

FOUR_PACED: Mapping[str, str] = {"MAX_CONCURRENCY": "64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many tokens are due, not due, and for the plain loop; how often what is compared is measured."""

    due: Sequence[int] = (100, 1_000, 10_000)
    fresh: Sequence[int] = (1_000, 100_000)
    loop: Sequence[int] = (100, 1_000)
    repeats: int = 3
    imports: int = 7


QUICK = Sizes(due=(50, 200), fresh=(250, 1_000), loop=(10, 20), repeats=1, imports=3)
FULL = Sizes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement to make."""

    contender: str
    spec: WorldSpec
    settings: Mapping[str, str]


def cases(sizes: Sizes) -> Iterator[Case]:
    """In the order of measuring: what is compared lies side by side."""
    for due in sizes.loop:
        for limited in (True, False):
            yield Case(contender="plain_loop", spec=WorldSpec(due=due, limited=limited), settings={})
    for due in sizes.due:
        yield Case(contender="ours", spec=WorldSpec(due=due, limited=True), settings={})
    yield Case(contender="floor", spec=WorldSpec(due=compared_size(sizes), limited=True), settings={})
    for due in sizes.due:
        yield from _compared(WorldSpec(due=due), repeats=sizes.repeats if due == compared_size(sizes) else 1)
    yield from _compared(WorldSpec(due=compared_size(sizes), settled=True), repeats=1)
    told = WorldSpec(due=compared_size(sizes), telemetry=True)
    yield Case(contender="ours", spec=told, settings=UNPACED)
    for limited, settings in ((True, FOUR_PACED), (False, UNPACED)):
        four = WorldSpec(due=compared_size(sizes), vaults=4, limited=limited)
        yield Case(contender="ours", spec=four, settings=settings)
        yield Case(contender="floor", spec=four, settings=settings)
    for fresh in sizes.fresh:
        yield Case(contender="ours", spec=WorldSpec(fresh=fresh), settings={})
    yield Case(contender="plain_loop", spec=WorldSpec(fresh=sizes.fresh[0]), settings={})


def compared_size(sizes: Sizes) -> int:
    """The size at which contenders are compared: the largest but one, so that the largest can be compared with it."""
    return sorted(sizes.due)[-2:][0]


def _compared(spec: WorldSpec, *, repeats: int) -> Iterator[Case]:
    for _ in range(repeats):
        for contender in ("ours", "floor"):
            yield Case(contender=contender, spec=spec, settings=UNPACED)
