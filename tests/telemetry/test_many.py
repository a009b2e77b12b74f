"""All of it arrives, however much it is: nothing is sampled, and nothing falls out of a queue."""

from __future__ import annotations

import logging

import pytest

from emulators.world import World
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.telemetry.listed_vault import ListedVault
from tests.telemetry.told import names_in_order, telemetry_of, told
from tests.waiting import LONG

LEFT_OUT_BY_ANY_SAMPLING = "00-ffffffffffffffffffffffffffffffff-00f067aa0ba902b7-00"


def test_ten_thousand_tokens_of_one_run_arrive_and_its_end_comes_last(
    job: Job, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = {"managed-by": "token-rotation"}
    vault = ListedVault((f"contoso-{number}", unreadable) for number in range(10_000))
    with caplog.at_level(logging.WARNING), telemetry_of(world, read_seconds=LONG) as sink:
        told(job, sink, vaults=[vault])
    events = world.monitor.state.events("rotation.token")
    assert len({row["Properties"]["name"] for row in events}) == len(events) == 10_000
    assert names_in_order(world)[-2:] == ["rotation.problem", "rotation.run"]
    assert caplog.messages == []


def test_every_redemption_has_its_span_even_when_the_host_samples(job: Job, world: World, partner: Partner) -> None:
    partner.put_some(20)
    with telemetry_of(world, trace_parent=LEFT_OUT_BY_ANY_SAMPLING) as sink:
        told(job.with_limits(writes_per_second=1000), sink)
    spans = world.monitor.state.rows("AppDependencies")
    assert sorted({row["OperationId"] for row in spans}) == ["f" * 32]
    assert len([row for row in spans if row["Name"] == "rotation.redeem"]) == 20
    assert {row["ItemCount"] for row in (*spans, *world.monitor.state.rows("AppEvents"))} == {1}


@pytest.mark.parametrize("parent", ["", "nonsense", "00-00000000000000000000000000000000-0000000000000000-00"])
def test_without_a_valid_parent_the_run_is_a_root(job: Job, world: World, parent: str) -> None:
    with telemetry_of(world, trace_parent=parent) as sink:
        told(job, sink)
    assert [row["ParentId"] for row in world.monitor.state.rows("AppRequests")] == [""]
