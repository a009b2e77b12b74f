"""`python -m demo` tells the story; `python -m demo serve` keeps its world up."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from demo import telling
from demo.disclosure import look_for, recording, values_of
from demo.serve import serve
from demo.stage import NoReportError, Stage
from demo.story import play
from emulators.functions_host import IndexingFailed, InvocationFailed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 when all went as told, 1 when not, 2 for a wrong usage."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "serve":
            return serve(port=asked.port, every=asked.every)
        return tell(as_json=asked.json)
    except (InvocationFailed, IndexingFailed, NoReportError) as error:
        return _failed([str(error)])


def tell(*, as_json: bool = False) -> int:
    """Tell the story, or print its reports as one JSON object; and look for every value in what that showed."""
    started = time.perf_counter()
    with recording() as recorded:
        console = telling.stdout(quiet=as_json)
        with Stage.open() as stage:
            story = play(stage, console)
            values = values_of(stage.world)
        reports = story.to_json()
        finding = look_for(values, recorded() + json.dumps(reports))
        telling.no_value_was_shown(finding, console)
        faults = [*story.faults(), *(f"a value was shown: {name}" for name in finding.shown)]
        if faults:
            return _failed(faults)
        telling.the_end(time.perf_counter() - started, console)
        if as_json:
            print(json.dumps(reports | {"values_checked": finding.values}, indent=2))
        return 0


def _failed(faults: Sequence[str]) -> int:
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The job over emulators of Azure.")
    parser.add_argument("--json", action="store_true", help="print nothing but one JSON object with every report")
    parser.set_defaults(command="tell")
    commands = parser.add_subparsers()
    served = commands.add_parser("serve", help="keep the world up until Ctrl-C, to try it with curl")
    served.add_argument("--port", type=int, default=0, help="port of the HTTP routes (a free one)")
    served.add_argument("--every", type=_seconds, metavar="SECONDS", help="fire the timer that often (never)")
    served.set_defaults(command="serve")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds <= 0:
        raise argparse.ArgumentTypeError("it must be more than nothing")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
