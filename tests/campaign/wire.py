"""Schedules over the wire: the product's run through the real SDKs, over TLS, while requests fail and others act.

Every schedule has one disturbed run (or two that overlap without a lease), then an undisturbed one by hand, then the
timer's a week later. What must hold after each is in `invariants`. `python -m tests.campaign.wire` runs three hundred
and prints which request met which fault how often; `--number` replays one of them.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from emulators.world import World
from rotation.report import Trigger
from tests.campaign import invariants
from tests.campaign.moments import REQUESTS
from tests.campaign.wire_schedules import (
    ACTS,
    BEFORE,
    BOTH,
    SCHEDULES,
    SECONDS,
    SEED,
    Event,
    Schedule,
    cells,
    schedule,
)
from tests.campaign.wire_stage import Stage
from tests.effects.job import Job, job_in
from tests.effects.partners import DUE

_SHRUNK = 3  # of each worker: one broken promise breaks many schedules, and a few stories tell it


@dataclass(frozen=True, slots=True)
class Ended:
    """A schedule, the events of it that came to pass, and every promise that is broken."""

    schedule: Schedule
    met: tuple[Event, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wired:
    """The product in one world, twice: in a hurry where answers are lost, so that it costs little, and as ever."""

    hurried: Job
    patient: Job

    @classmethod
    @contextmanager
    def to(cls, world: World) -> Iterator[Wired]:
        """Wire it for the length of a block."""
        with job_in(world, read_seconds=SECONDS) as hurried, job_in(world) as patient:
            yield cls(hurried, patient)


def carry_out(wired: Wired, what: Schedule) -> Ended:
    """Carry out one schedule in a world, which is emptied first."""
    stage = Stage.set_up(wired.hurried, what)
    with heard() as texts:
        reports = stage.disturbed(what)
        met = stage.met()
        broken = [("disturbed", each) for each in stage.after_disturbance(reports)]
        stage.clear()
        for when, later, trigger in (("next", timedelta(minutes=1), Trigger.CLI), ("week", DUE, Trigger.TIMER)):
            if broken:  # what a run leaves broken breaks what follows: one story is enough
                break
            wired.patient.cloud.age(later)
            report = wired.patient.run(trigger=trigger)
            reports.append(report)
            broken += [(when, each) for each in stage.after_quiet(report)]
    shown = [*texts, *(json.dumps(report.to_json()) for report in reports)]
    broken += [("all", each) for each in invariants.unseen(shown, stage.ledger)]
    return Ended(what, met, tuple(f"{when} run: {each}" for when, each in broken))


@contextmanager
def heard() -> Iterator[list[str]]:
    """Everything that any library logs in the block, at DEBUG."""
    texts: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(record.getMessage())

    root, listening = logging.getLogger(), Listening()
    before = root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    try:
        yield texts
    finally:
        root.setLevel(before)
        root.removeHandler(listening)


def shrunk(wired: Wired, ended: Ended) -> Ended:
    """The smallest schedule with the same kind of end: every event that may go is gone."""
    for smaller in ended.schedule.smaller():
        again = carry_out(wired, smaller)
        if again.broken:
            return shrunk(wired, again)
    return ended


def campaign(numbers: Sequence[int], *, seed: int, workers: int) -> list[Ended]:
    """The schedules of these numbers, each worker a process with a world of its own; what is broken is shrunk."""
    shares = [(list(numbers[first::workers]), seed) for first in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [ended for share in pool.map(_share, shares) for ended in share]


def _share(share: tuple[list[int], int]) -> list[Ended]:
    numbers, seed = share
    with World.open() as world, Wired.to(world) as wired:
        ended = [carry_out(wired, schedule(number, seed=seed)) for number in numbers]
        worth = [each for each in ended if each.broken][:_SHRUNK]
        return [shrunk(wired, each) if each in worth else each for each in ended]


def first_broken(seed: int, *, within: int) -> tuple[int | None, str]:
    """After how many schedules a promise was broken, and what was found; None when they keep it, all of them."""
    with World.open() as world, Wired.to(world) as wired:
        for number in range(within):
            ended = carry_out(wired, schedule(number, seed=seed))
            if ended.broken:
                return number + 1, ended.broken[0]
    return None, ""


def table(ends: Sequence[Ended]) -> Iterator[str]:
    """Which request met which fault or act how often, before and after its effect."""
    counts = Counter((event.request, event.what, event.after_effect) for ended in ends for event in ended.met)
    for title, rows in (("fault", (*BOTH, *BEFORE)), ("act", ACTS)):
        yield f"{title:<29}" + "".join(f"{request:>15}" for request in REQUESTS)
        for row in rows:
            cell = ((counts[request, row, False], counts[request, row, True]) for request in REQUESTS)
            yield f"{row:<29}" + "".join(f"{f'{before}/{after}':>15}" for before, after in cell)
    least = min(counts[cell] for cell in cells())
    yield f"{len(ends)} schedules over the wire; each cell before/after the effect, {least} at least for a fault"


def never_met(ends: Sequence[Ended]) -> Iterator[tuple[str, str, str]]:
    """The cells of the table that are empty."""
    met = {(event.request, event.what, event.after_effect) for ended in ends for event in ended.met}
    yield from ((request, what, "after" if after else "before") for request, what, after in sorted({*cells()} - met))


def main() -> int:
    """Run the schedules, print the table, and end with 1 when a promise was broken or a request met no such fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.wire", description=__doc__)
    parser.add_argument("--count", type=int, default=SCHEDULES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--number", type=int, help="this schedule alone")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    numbers = range(asked.count) if asked.number is None else [asked.number]
    ends = campaign(numbers, seed=asked.seed, workers=min(asked.workers, len(numbers)))
    sys.stdout.writelines(f"{line}\n" for line in table(ends))
    empty = [] if len(numbers) < SCHEDULES else list(never_met(ends))
    sys.stdout.writelines(f"never met: {what} {moment} {request}\n" for request, what, moment in empty)
    broken = [ended for ended in ends if ended.broken]
    for ended in broken:
        sys.stdout.write("\n".join([f"\nBROKEN  {ended.schedule}", *(f"  {each}" for each in ended.broken)]) + "\n")
    return 1 if broken or empty else 0


if __name__ == "__main__":
    sys.exit(main())
