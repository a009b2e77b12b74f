"""All of it arrives, however much it is: nothing is sampled, and nothing falls out of a queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping

import pytest

from emulators.faults import Delay
from emulators.world import World
from rotation.asked_for import UnknownTokenError
from rotation.outbox import CHUNK
from rotation.telling import PATIENCE
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.telemetry.listed_vault import ListedVault
from tests.telemetry.told import names_in_order, telemetry_of, told

LEFT_OUT_BY_ANY_SAMPLING = "00-ffffffffffffffffffffffffffffffff-00f067aa0ba902b7-00"


def unreadable(tokens: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Secrets that are told one by one, for nobody can read their tags."""
    return ((f"contoso-{number}", {"managed-by": "token-rotation"}) for number in range(tokens))


def test_ten_thousand_tokens_of_one_run_arrive_however_slow_ingestion_is_and_the_end_comes_last(
    job: Job, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.monitor.faults.fail_next(Delay(0.2), times=None)
    vault = ListedVault(unreadable(10_000), page_seconds=0.005)  # a real one takes longer to list that many
    with caplog.at_level(logging.WARNING), telemetry_of(world) as sink:
        told(job, sink, vaults=[vault], patience=PATIENCE)
    events = world.monitor.state.events("rotation.token")
    assert len({row["Properties"]["name"] for row in events}) == len(events) == 10_000
    assert names_in_order(world)[-2:] == ["rotation.problem", "rotation.run"]
    assert caplog.messages == []


def test_the_last_tokens_of_a_run_are_waited_for(job: Job, world: World) -> None:
    world.monitor.faults.fail_next(Delay(1.0), after=1)
    with telemetry_of(world) as sink:
        told(job, sink, vaults=[ListedVault(unreadable(1))], patience=PATIENCE)
    assert names_in_order(world).count("rotation.token") == 1


def test_tokens_are_told_while_the_run_goes_on(job: Job, world: World, partner: Partner) -> None:
    """A run that is killed, or one of hours, has told what it did."""
    partner.put("fabrikam")
    seen: list[int] = []

    def note(_done: int, _due: int) -> None:
        until = time.monotonic() + 10
        while (arrived := names_in_order(world).count("rotation.token")) < CHUNK and time.monotonic() < until:
            time.sleep(0.01)
        seen.append(arrived)

    with telemetry_of(world) as sink:
        told(job, sink, vaults=[ListedVault(unreadable(CHUNK)), job.vaults[0]], progress=note)
    assert seen == [CHUNK]
    assert names_in_order(world).count("rotation.token") == CHUNK + 1


def test_names_that_are_unknown_end_a_run_before_anything_of_it_is_told(job: Job, world: World) -> None:
    vault = ListedVault(unreadable(1))
    with telemetry_of(world) as sink, pytest.raises(UnknownTokenError):
        told(job, sink, "contoso-0", "northwind", vaults=[vault])
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


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
