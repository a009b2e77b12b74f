"""Bring a world and a contender together and read off what it took. Each is a fresh process with a known environment.

What is measured in which order is in `cases`; what follows from it in `measurement` and `figures`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.measurement import Measurement
from bench.spec import WorldSpec

CHECKOUT = Path(__file__).resolve().parent.parent
_KEPT = ("PATH", "HOME", "SYSTEMROOT", "LANG")  # of the developer's environment; no setting of theirs has a say


class BrokenMeasurementError(Exception):
    """A process of the benchmark ended otherwise than it should; the message has the end of what it said."""


def measure(contender: str, spec: WorldSpec, settings: Mapping[str, str]) -> Measurement:
    """Let one contender rotate one world. Raises BrokenMeasurementError."""
    with _site(spec) as site:
        environment = _environment() | json.loads(_line(site)) | dict(settings)
        load_average = os.getloadavg()[0]
        took = json.loads(_run([sys.executable, "-m", "bench.contend", contender], environment))
        _write(site, "told\n")
        arrived = json.loads(_line(site))
    return Measurement(
        contender=contender, spec=spec, settings=dict(settings), load_average=load_average, **took, **arrived
    )  # fmt: skip


def run_python(*arguments: str) -> str:
    """What a fresh interpreter in the checkout prints. Raises BrokenMeasurementError."""
    return _run([sys.executable, *arguments], _environment())


@contextmanager
def _site(spec: WorldSpec) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.site", json.dumps(asdict(spec))]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=CHECKOUT, env=_environment(), text=True
    ) as site:
        try:
            yield site
        finally:
            site.terminate()


def _line(site: subprocess.Popen[str]) -> str:
    assert site.stdout is not None
    line = site.stdout.readline()
    if not line:
        _, said = site.communicate()
        raise BrokenMeasurementError(f"the emulators ended early: {said[-1000:]}")
    return line


def _write(site: subprocess.Popen[str], line: str) -> None:
    assert site.stdin is not None
    site.stdin.write(line)
    site.stdin.flush()


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise BrokenMeasurementError(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
