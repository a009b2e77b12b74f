"""The table of a campaign: how often each thing happened at each request, and which cells are too thin. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.campaign.faults import IMPOSSIBLE, Cell, Fault, cells
from tests.campaign.gate import Tally
from tests.campaign.journal import AFTER, BEFORE, KINDS

_WIDTH = 16


def table(tally: Tally) -> Iterator[str]:
    """Requests by faults, before and after the effect; then stops and acts by request."""
    yield "faults: before / after the effect (-: cannot happen)"
    yield _row("", Fault)
    for kind in KINDS:
        yield _row(kind, (_pair(tally, kind, fault) for fault in Fault))
    for (fault, moment), why in IMPOSSIBLE.items():
        yield f"  - {fault} {moment}: {why}"
    yield ""
    yield "the process stops: before / after"
    yield _row("", KINDS)
    yield _row("", (f"{tally.stops[kind, BEFORE]} / {tally.stops[kind, AFTER]}" for kind in KINDS))
    yield ""
    yield "somebody acts: before / after"
    yield _row("", KINDS, first_width=36)
    for act in sorted({act for act, _, _ in tally.acts}):
        met = (f"{tally.acts[act, kind, BEFORE]} / {tally.acts[act, kind, AFTER]}" for kind in KINDS)
        yield _row(act, met, first_width=36)


def thin(tally: Tally, *, least: int) -> tuple[Cell, ...]:
    """The cells of faults that are possible and were met less often than that."""
    return tuple(cell for cell in cells() if tally.faults[cell] < least)


def wanting(tally: Tally, *, played: int, asked: int, least: int) -> Iterator[str]:
    """What a campaign of `asked` schedules did not do, as lines; with `least` 0 its cells may be as empty as they are.

    A search that ends before its time, for whatever reason, has proved nothing.
    """
    if played < asked:
        yield f"too few: {played} schedules were played, {asked} were asked for"
    for kind, fault, moment in thin(tally, least=least):
        yield f"too thin: {kind}, {fault}, {moment}: {tally.faults[kind, fault, moment]} times, {least} are asked for"


def _pair(tally: Tally, kind: str, fault: Fault) -> str:
    return " / ".join(
        "-" if (fault, moment) in IMPOSSIBLE else str(tally.faults[kind, fault, moment]) for moment in (BEFORE, AFTER)
    )


def _row(first: str, rest: Iterator[str] | tuple[str, ...] | type[Fault], *, first_width: int = _WIDTH) -> str:
    return first.ljust(first_width) + "".join(str(each).rjust(_WIDTH) for each in rest)
