"""One tiny measurement of each contender, end to end: processes, emulators, SDKs. No time is asserted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.cases import FULL, QUICK, UNPACED, Sizes, cases
from bench.measurement import Measurement
from bench.measuring import CHECKOUT, BrokenMeasurementError, measure
from bench.spec import WorldSpec


def measured(contender: str, spec: WorldSpec) -> Measurement:
    one = measure(contender, spec, UNPACED)
    assert one.went_well
    assert one.throttled == 0
    assert one.cpu_seconds > 0
    assert 0 <= one.grown_bytes < one.peak_memory_bytes
    return one


def world(*, fresh: int = 0, settled: bool = False, vaults: int = 1) -> WorldSpec:
    return WorldSpec(due=4, fresh=fresh, settled=settled, vaults=vaults, issuer_seconds=0.0, vault_seconds=0.0)


def test_the_product_rotates_a_world_with_the_requests_that_it_promises() -> None:
    one = measured("ours", world(fresh=30, settled=True, vaults=2))
    assert one.requests_per_due_token == 6.0
    assert one.requests["list"] == 2
    assert one.stored == 4
    assert one.stores_per_second > 0


def test_the_floor_makes_the_same_requests() -> None:
    assert measured("floor", world(settled=True)).requests_per_due_token == 6.0


def test_the_plain_loop_makes_three_and_leaves_what_is_not_due() -> None:
    assert measured("plain_loop", world(fresh=3)).requests_per_due_token == 3.0


def test_a_contender_that_breaks_is_an_error_that_says_why() -> None:
    with pytest.raises(BrokenMeasurementError, match=r"(?s)bench\.contend.*WRITES_PER_SECOND"):
        measure("ours", world(), {"WRITES_PER_SECOND": "often"})


@pytest.mark.parametrize("sizes", [QUICK, FULL], ids=["quick", "full"])
def test_a_plan_compares_each_world_of_the_floor_with_the_product(sizes: Sizes) -> None:
    plan = list(cases(sizes))
    ours = [case.spec for case in plan if case.contender == "ours"]
    assert {case.spec for case in plan if case.contender == "floor"} <= set(ours)
    assert {spec.vaults for spec in ours} == {1, 4}
    assert {spec.limited for spec in ours} == {True, False}
    for contender in ("ours", "floor"):
        met = {(case.spec.vaults, case.spec.limited) for case in plan if case.contender == contender and case.spec.due}
        assert met == {(1, True), (1, False), (4, True), (4, False)}
    loop = {(case.spec.due, case.spec.limited) for case in plan if case.contender == "plain_loop" and case.spec.due}
    assert loop == {(due, limited) for due in sizes.loop for limited in (True, False)}


def test_sizes_between_which_nothing_can_grow_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--due", "100"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 2
    assert "two or more different numbers" in done.stderr
