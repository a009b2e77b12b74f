"""What follows from a measurement by division."""

from __future__ import annotations

import pytest

from bench.spec import WorldSpec
from tests.bench.measurements import measurement


def test_stores_a_second_count_from_the_first_store_to_the_last() -> None:
    assert measurement(stored=11, storing_seconds=2.0, seconds=100.0).stores_per_second == 5.0


def test_tokens_a_second_count_the_whole_run_and_only_what_was_rotated() -> None:
    one = measurement(counts={"rotated": 90, "deferred": 10}, seconds=45.0, storing_seconds=1.0)
    assert one.tokens_per_second == 2.0


@pytest.mark.parametrize("stored", [0, 1])
def test_without_two_stores_there_is_no_rate(stored: int) -> None:
    assert measurement(stored=stored, storing_seconds=0.0).stores_per_second == 0.0


@pytest.mark.parametrize(("vaults", "share"), [(1, 1.0), (4, 0.25)])
def test_the_share_of_the_limit_is_of_all_vaults_together(vaults: int, share: float) -> None:
    one = measurement(spec=WorldSpec(due=301, vaults=vaults, limited=True), stored=301, storing_seconds=10.0)
    assert one.share_of_limit == share


def test_requests_of_a_token_leave_out_lists_and_the_client_secret_of_each_vault() -> None:
    one = measurement(
        spec=WorldSpec(due=100, vaults=2), requests={"read": 202, "store": 100, "list": 5, "discovery": 1}
    )
    assert one.requests_per_due_token == 3.0


def test_a_token_that_is_not_due_costs_its_share_of_the_list() -> None:
    one = measurement(spec=WorldSpec(fresh=100), requests={"list": 4, "challenge": 1})
    assert (one.lists_per_token, one.requests_per_due_token) == (0.04, 0.0)


@pytest.mark.parametrize("spec", [WorldSpec(due=10), WorldSpec(fresh=10), WorldSpec(due=4, fresh=6)])
def test_processor_time_counts_for_every_token_of_the_world(spec: WorldSpec) -> None:
    assert measurement(spec=spec, cpu_seconds=2.0).cpu_per_token == 0.2


@pytest.mark.parametrize(
    ("counts", "well"),
    [
        ({"rotated": 5, "skipped": 3}, True),
        ({"rotated": 5, "skipped": 3, "failed": 0}, True),
        ({"rotated": 4, "skipped": 3, "failed": 1}, False),
        ({"rotated": 4, "skipped": 4}, False),
        ({"rotated": 5, "skipped": 3, "stranded": 1}, False),
    ],
)
def test_a_run_went_well_when_all_that_was_due_is_rotated_and_nothing_else(counts: dict[str, int], well: bool) -> None:  # noqa: FBT001
    assert measurement(spec=WorldSpec(due=5, fresh=3), counts=counts).went_well is well


def test_a_measurement_as_json_says_what_was_measured_and_what_follows() -> None:
    told = measurement().to_json()
    assert (told["contender"], told["cpu_per_token"], told["went_well"]) == ("ours", 0.008, True)
    assert told["spec"] == {
        "due": 100, "fresh": 0, "vaults": 1, "limited": False, "settled": False, "telemetry": False,
        "issuer_seconds": 0.15, "vault_seconds": 0.02,
    }  # fmt: skip
