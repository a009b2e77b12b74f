"""`cloud`: one world for all tests, empty for each. `job`: the product in it. `partner`: an app in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.world import World
from tests.effects.job import Job, job_in
from tests.effects.partners import Partner


@pytest.fixture(scope="session")
def served() -> Iterator[World]:
    with World.open(vaults=2) as world:
        yield world


@pytest.fixture
def cloud(served: World) -> Iterator[World]:
    yield served
    served.empty()


@pytest.fixture
def job(cloud: World) -> Iterator[Job]:
    with job_in(cloud) as wired:
        yield wired


@pytest.fixture
def partner(cloud: World) -> Partner:
    return Partner.new(cloud)
