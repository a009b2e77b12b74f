"""`cloud`: one world for all tests, empty for each. `job`: the product in it. `partner`: an app in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from emulators.world import JOB_ACTIONS, EmulatedVault, World
from tests.effects.job import Job, job_in
from tests.effects.partners import Partner


@pytest.fixture(scope="session")
def served() -> Iterator[World]:
    with World.open(vaults=2) as world:
        yield world


@pytest.fixture
def cloud(served: World) -> Iterator[World]:
    yield served
    served.entra_faults.clear()
    served.identity_faults.clear()
    served.entra_log.clear()
    for vault in served.vaults:
        emptied(vault, served.job.object_id)


@pytest.fixture
def job(cloud: World) -> Iterator[Job]:
    with job_in(cloud) as wired:
        yield wired


@pytest.fixture
def partner(cloud: World) -> Partner:
    return Partner.new(cloud)


def emptied(vault: EmulatedVault, job: str) -> None:
    """Empty a vault, and let the job in again."""
    vault.faults.clear()
    vault.throttle.age(timedelta(minutes=1))
    vault.access.deny(job)
    vault.access.grant(job, JOB_ACTIONS)
    for name in vault.state.names():
        vault.state.delete(name)
    for name in vault.state.deleted_names():
        vault.state.purge(name)
    vault.log.clear()
