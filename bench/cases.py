"""Which contender meets which world, and how often: the full plan, which takes up to twenty minutes, and the quick one.

The plain loop rotates 100 tokens and no more: at under five a second, 10,000 would take it more than half an hour.
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
    loop: int = 100
    repeats: int = 3
    imports: int = 7


QUICK = Sizes(due=(50, 200), fresh=(250, 1_000), loop=15, repeats=1, imports=3)
FULL = Sizes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement to make."""

    contender: str
    spec: WorldSpec
    settings: Mapping[str, str]


def cases(sizes: Sizes) -> Iterator[Case]:
    """In the order of measuring: what is compared lies side by side."""
    for limited in (True, False):
        yield Case(contender="plain_loop", spec=WorldSpec(due=sizes.loop, limited=limited), settings={})
    for due in sizes.due:
        yield Case(contender="ours", spec=WorldSpec(due=due, limited=True), settings={})
    for due in sizes.due:
        yield from _compared(WorldSpec(due=due), repeats=sizes.repeats if due == compared_size(sizes) else 1)
    yield from _compared(WorldSpec(due=compared_size(sizes), settled=True), repeats=1)
    told = WorldSpec(due=compared_size(sizes), telemetry=True)
    yield Case(contender="ours", spec=told, settings=UNPACED)
    four = WorldSpec(due=compared_size(sizes), vaults=4)
    yield Case(contender="ours", spec=WorldSpec(due=four.due, vaults=4, limited=True), settings=FOUR_PACED)
    yield Case(contender="ours", spec=four, settings=UNPACED)
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
