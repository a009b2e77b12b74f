"""The six figures: which measurements they come from, and when one is not reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from bench.figures import figures
from bench.measurement import Measurement
from bench.spec import WorldSpec
from tests.bench.measurements import imported, measurement, whole_run

LIMITED, UNLIMITED, REQUESTS, TO_FLOOR, GROWTH, IMPORT = range(6)
SMALL, LARGE = WorldSpec(due=100), WorldSpec(due=1_000)


def reached(measured: Iterable[Measurement]) -> list[bool]:
    return [figure.reached for figure in figures(tuple(measured), imported())]


def changed(when: Callable[[Measurement], bool], **changes: Any) -> list[Measurement]:
    """The whole run, some of it otherwise."""
    return [replace(one, **changes) if when(one) else one for one in whole_run()]


def ours(spec: WorldSpec) -> Callable[[Measurement], bool]:
    return lambda one: one.contender == "ours" and one.spec == spec


def test_a_run_that_goes_well_reaches_all_six_and_says_what_it_measured() -> None:
    found = figures(tuple(whole_run()), imported())
    assert [figure.reached for figure in found] == [True] * 6
    assert [figure.measured for figure in found] == [
        "29.0, 0 times 429, 0 stranded", "80.0", "5.00 / 6.00 / 0.040", "1.00", "1.00", "1.00 (1.30 s and 1.30 s)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "spec", "changes"),
    [
        pytest.param(LIMITED, WorldSpec(due=1_000, limited=True), {"storing_seconds": 35.1}, id="too slow"),
        pytest.param(LIMITED, WorldSpec(due=1_000, limited=True), {"throttled": 1}, id="a 429"),
        pytest.param(
            LIMITED, WorldSpec(due=1_000, limited=True), {"counts": {"rotated": 999, "stranded": 1}}, id="stranded"
        ),
        pytest.param(UNLIMITED, LARGE, {"storing_seconds": 16.7}, id="too slow without the limit"),
        pytest.param(UNLIMITED, LARGE, {"counts": {"rotated": 1, "failed": 999}}, id="fast, and failed"),
        pytest.param(REQUESTS, LARGE, {"requests": {"read": 5_002}}, id="a request too many"),
        pytest.param(REQUESTS, WorldSpec(due=100, settled=True), {"requests": {"read": 602}}, id="and with a disable"),
        pytest.param(REQUESTS, WorldSpec(fresh=1_000), {"requests": {"list": 41}}, id="and where nothing is due"),
        pytest.param(GROWTH, LARGE, {"cpu_seconds": 8.5}, id="grows"),
    ],
)
def test_a_figure_that_is_missed_is_the_only_one(figure: int, spec: WorldSpec, changes: dict[str, Any]) -> None:
    assert [which for which, well in enumerate(reached(changed(ours(spec), **changes))) if not well] == [figure]


def test_the_floor_is_compared_at_the_size_that_was_measured_most_often() -> None:
    dearer = changed(ours(SMALL), cpu_seconds=0.8 * 1.26)
    assert reached(dearer)[TO_FLOOR] is False
    cheaper_floor = changed(lambda one: one.contender == "floor" and one.spec == LARGE, cpu_seconds=0.1)
    assert reached(cheaper_floor)[TO_FLOOR] is True


def test_what_is_measured_three_times_counts_by_its_median() -> None:
    runs = list(whole_run())
    first = next(number for number, one in enumerate(runs) if ours(SMALL)(one))
    runs[first] = replace(runs[first], cpu_seconds=80.0)
    assert reached(runs)[TO_FLOOR] is True


@pytest.mark.parametrize(("seconds", "well"), [(1.43, True), (1.44, False)])
def test_an_import_may_take_a_tenth_longer(seconds: float, well: bool) -> None:  # noqa: FBT001
    found = figures(tuple(whole_run()), imported(function_app_cpu_seconds=seconds))
    assert found[IMPORT].reached is well


def test_without_a_measurement_that_a_figure_needs_there_are_no_figures() -> None:
    with pytest.raises(ValueError, match="empty"):
        figures((measurement(),), imported())
