"""`python -m bench` measures, writes a results file and shows the tables; `... readme` puts them into the pages.

Progress goes to stderr, the tables to stdout. Exit 1 when a figure is not reached (a quick run's mean little: it ends
with 0), 2 when it could not be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import scale
from bench.cases import FULL, QUICK, Case, Sizes, cases
from bench.imports import cold_import
from bench.measurement import Measurement
from bench.measuring import CHECKOUT, BrokenMeasurementError, measure
from bench.readme import NoPlaceError, rewrite
from bench.results import Results

_RESULTS = CHECKOUT / "bench" / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "readme":
            rewrite(CHECKOUT / "README.md", asked.results)
            scale.rewrite(CHECKOUT / "docs" / "scale.md", CHECKOUT / "README.md")
            return 0
        out = asked.out or _RESULTS / ("quick.json" if asked.quick else "full.json")
        return 0 if _bench(_sizes(asked), out, _command(asked)) or asked.quick else 1
    except (BrokenMeasurementError, NoPlaceError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2


def _bench(sizes: Sizes, out: Path, command: str) -> bool:
    """Whether all six figures are reached."""
    begun, started = datetime.now(UTC), time.perf_counter()
    print("bench: importing", file=sys.stderr)
    imported = cold_import(sizes.imports)
    measured = _measured(list(cases(sizes)))
    results = Results(
        command=command,
        begun=begun,
        seconds=time.perf_counter() - started,
        measured=measured,
        imported=imported,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results.to_json(), indent=1) + "\n", encoding="utf-8")
    print(results.to_markdown())
    return all(figure.reached for figure in results.figures)


def _measured(plan: Sequence[Case]) -> list[Measurement]:
    found = []
    for number, case in enumerate(plan, start=1):
        one = measure(case.contender, case.spec, case.settings)
        found.append(one)
        said = f"{one.contender}, {case.spec.due} due, {case.spec.fresh} not due: {one.seconds:.1f} s"
        print(f"bench: {number}/{len(plan)} {said}, {one.cpu_per_token * 1000:.2f} ms a token", file=sys.stderr)
    return found


def _command(asked: argparse.Namespace) -> str:
    """How to measure the same again."""
    sizes = {"--due": asked.due, "--not-due": asked.not_due, "--loop": asked.loop}
    numbers = {"--repeats": asked.repeats}
    told = ["--quick"] * asked.quick
    told += [f"{option} {','.join(map(str, given))}" for option, given in sizes.items() if given]
    told += [f"{option} {given}" for option, given in numbers.items() if given]
    return f'make bench ARGS="{" ".join(told)}"' if told else "make bench"


def _sizes(asked: argparse.Namespace) -> Sizes:
    sizes = QUICK if asked.quick else FULL
    given = {"due": asked.due, "fresh": asked.not_due, "loop": asked.loop, "repeats": asked.repeats}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.set_defaults(command="bench")
    parser.add_argument("--quick", action="store_true", help="under a minute, to try it; its figures mean little")
    parser.add_argument("--due", type=_two_numbers, metavar="N,N,...", help="sizes of due worlds, two or more")
    parser.add_argument("--not-due", type=_two_numbers, metavar="N,N,...", help="sizes of worlds with nothing due")
    parser.add_argument("--loop", type=_numbers, metavar="N,...", help="sizes of due worlds for the plain loop")
    parser.add_argument("--repeats", type=int, metavar="N", help="how often what is compared is measured")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the results file (bench/results/full.json)")
    commands = parser.add_subparsers()
    readme = commands.add_parser("readme", help="put the tables of a results file into the README and docs/scale.md")
    readme.add_argument("results", type=Path, nargs="?", default=_RESULTS / "full.json")
    readme.set_defaults(command="readme")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(part) for part in text.split(",")}))


def _two_numbers(text: str) -> tuple[int, ...]:
    numbers = _numbers(text)
    if len(numbers) < 2 or numbers[0] < 1:  # noqa: PLR2004 - what grows is seen between two
        raise argparse.ArgumentTypeError("two or more different numbers, separated by commas")
    return numbers


if __name__ == "__main__":
    sys.exit(main())
