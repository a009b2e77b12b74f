"""`python -m tests.campaign`: thousands of schedules, the table of what happened in them, and what was lost: nothing.

Exit code 0 when every promise held, as many schedules were played as asked for, and every cell of the table is full
enough; 1 otherwise, with the story that broke a promise, shortened, and the command that plays it again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from tests.campaign.gate import Tally
from tests.campaign.invariants import LEAKED, LOST, SILENT
from tests.campaign.machine import Told, search
from tests.campaign.planted import BUGS, Caught, caught, misfit
from tests.campaign.shortening import shortened
from tests.campaign.table import table, wanting

SEARCH = 100
"""Stories of one seed: the seed alone plays a story again."""

FULL_AT, LEAST = 10_000, 20


def main(arguments: Sequence[str]) -> int:
    """Run a campaign, or plant bugs and see whether it finds them."""
    asked = _parser().parse_args(arguments)
    if asked.planted:
        return _plant(asked.planted, asked)
    code = _campaign(asked)
    return code or (0 if asked.no_planted else _plant(tuple(BUGS), asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__.partition("\n")[0])
    parser.add_argument("--schedules", type=int, default=FULL_AT, help="how many stories are played (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each stands for 100 stories (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.process_cpu_count() or 1, help="(%(default)s)")
    parser.add_argument("--planted", nargs="*", choices=BUGS, help="plant these bugs and no others, one at a time")
    parser.add_argument("--no-planted", action="store_true", help="plant no bugs after the campaign")
    return parser


def _campaign(asked: argparse.Namespace) -> int:
    begun, tally, played = time.monotonic(), Tally(), 0
    broken: list[tuple[int, Told]] = []
    for number, told in _searches(asked):
        tally.add(told.tally)
        played += told.stories
        _progress(f"{played} of {asked.schedules} schedules")
        if told.broken is not None:
            broken.append((number, told))
    _progress("")
    _print(*table(tally), "")
    for number, told in broken:
        _tell(number, told)
    least = LEAST if asked.schedules >= FULL_AT else 0
    missing = () if broken else tuple(wanting(tally, played=played, asked=asked.schedules, least=least))
    _print(*missing)
    promises = Counter(line.partition(":")[0] for _, told in broken for line in told.found.splitlines())
    counts = ", ".join(f"{promises[promise]} {promise}" for promise in (LOST, LEAKED, SILENT))
    others = promises.total() - sum(promises[promise] for promise in (LOST, LEAKED, SILENT))
    _print(f"{played} schedules in {time.monotonic() - begun:.0f} s: {counts}, {others} other promises broken")
    return 1 if broken or missing else 0


def _searches(asked: argparse.Namespace) -> Iterator[tuple[int, Told]]:
    """Search with one seed after the other in several processes; no new one is begun once a promise is broken."""
    sizes = [min(SEARCH, asked.schedules - done) for done in range(0, asked.schedules, SEARCH)]
    waiting = list(enumerate(sizes, start=asked.seed))
    with ProcessPoolExecutor(asked.processes) as pool:
        running: dict[Future[Told], int] = {}
        while waiting or running:
            while waiting and len(running) < asked.processes:
                number, size = waiting.pop(0)
                running[pool.submit(search, number, stories=size)] = number
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                told = future.result()
                if told.broken is not None:
                    waiting.clear()
                yield running.pop(future), told


def _tell(number: int, told: Told) -> None:
    if told.broken is None:
        return
    _print(f"seed {number}, story {told.stories}, broke a promise:", told.found, str(told.broken), "")
    short = shortened(told.broken)
    if short is not None:
        story, found = short
        _print("shortened, it is:", found, str(story), "", f"    {story!r}", "")
    _print(f"again: make campaign ARGS='--seed {number} --schedules {SEARCH} --no-planted'", "")


def _plant(names: Sequence[str], asked: argparse.Namespace) -> int:
    misfits = {name: text for name in names if (text := misfit(name))}
    for name, text in misfits.items():
        _print(f"fits no more: {name}", text)
    if misfits:
        return 1
    free = 0
    with ProcessPoolExecutor(asked.processes) as pool:
        for one in pool.map(caught, names, [asked.seed] * len(names)):
            _print(_told_of(one))
            free += one.stories is None
    _print(f"{len(names) - free} of {len(names)} planted bugs were caught")
    return 1 if free else 0


def _told_of(one: Caught) -> str:
    if one.stories is None:
        return f"NOT CAUGHT: {one.bug}"
    return f"caught after {one.stories:3} schedules: {one.bug} ({one.found})"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _print(*lines: str) -> None:
    if not lines:
        return
    sys.stdout.write("\n".join((*lines, "")))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
