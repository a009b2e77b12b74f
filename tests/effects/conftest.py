"""`cloud`: one world of two vaults for all tests, empty for each. `partner`: an app in the first vault.

`job`: the product with the first vault alone, `job_of_both`: with both, whose lists are then read beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.world import EmulatedVault, World
from tests.effects.job import Job, job_in
from tests.effects.partners import DUE, Partner


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
def job_of_both(cloud: World) -> Iterator[Job]:
    with job_in(cloud, vault_urls=[vault.url for vault in cloud.vaults]) as wired:
        yield wired


@pytest.fixture
def partner(cloud: World) -> Partner:
    return Partner.new(cloud)


@pytest.fixture
def vault(cloud: World, partner: Partner) -> EmulatedVault:
    """A vault in which the token's versions are days old, as they are when they are rotated."""
    partner.put("contoso")
    cloud.vault.state.age(DUE)
    return cloud.vault
