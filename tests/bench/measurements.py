"""Measurements as a run of the benchmark would make them, with round numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench.cases import Sizes, cases
from bench.imports import ColdImport
from bench.measurement import Measurement
from bench.results import Results
from bench.spec import WorldSpec

SIZES = Sizes(due=(100, 1_000), fresh=(100, 1_000), repeats=3)


def measurement(contender: str = "ours", spec: WorldSpec | None = None, **changes: Any) -> Measurement:
    """A run that went well: 29 stores a second into each vault with a limit, 80 without, 8 ms of processor a token."""
    spec = spec or WorldSpec(due=100)
    rate = 29 * spec.vaults if spec.limited else 80
    requests = {"read": 2 * spec.due + spec.vaults, "redeem": spec.due, "store": spec.due, "versions": spec.due}
    fields: dict[str, Any] = {
        "contender": contender,
        "spec": spec,
        "settings": {},
        "counts": {"rotated": spec.due, "skipped": spec.fresh},
        "seconds": 1 + spec.tokens / rate,
        "cpu_seconds": 0.008 * spec.tokens,
        "peak_memory_bytes": 60 * 1024 * 1024,
        "grown_bytes": 10 * 1024 * 1024,
        "requests": {**requests, "update": spec.due * spec.settled, "list": spec.tokens // 25},
        "throttled": 0,
        "stored": spec.due,
        "storing_seconds": max(spec.due - 1, 0) / rate,
        "site_cpu_seconds": 0.004 * spec.tokens,
        "load_average": 0.5,
    }
    return Measurement(**fields | changes)


def imported(**changes: float) -> ColdImport:
    fields = {
        "function_app_seconds": 1.4,
        "function_app_cpu_seconds": 1.3,
        "five_seconds": 1.3,
        "five_cpu_seconds": 1.3,
    }
    return ColdImport(**fields | changes)


def whole_run() -> Iterator[Measurement]:
    """Every case of a small plan, each gone well."""
    yield from (measurement(case.contender, case.spec, settings=case.settings) for case in cases(SIZES))


def results() -> Results:
    return Results(
        command="make bench",
        begun=datetime(2026, 11, 21, 9, tzinfo=UTC),
        seconds=1_200,
        measured=tuple(whole_run()),
        imported=imported(),
    )
