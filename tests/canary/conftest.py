"""`world`: overheard, and empty for each test. `said`: everything that is logged, at DEBUG, and what a test adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulators.faults import Faults
from emulators.functions_host import FunctionsHost
from emulators.overheard import Overheard
from emulators.world import World
from tests.canary.blob_service import served_blobs
from tests.canary.places import Said, listening
from tests.canary.search import Canaries
from tests.effects.partners import Partner

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Bugged:
    """A world whose every secret is known."""

    world: World
    overheard: Overheard
    storage_url: str
    storage_faults: Faults

    def canaries(self) -> Canaries:
        """Every secret that went by or lies in a vault."""
        stored = {
            version.value
            for vault in self.world.vaults
            for name in vault.state.names()
            for version in vault.state.versions(name)
        }
        return Canaries(self.overheard.secrets | stored | {self.world.identities.header})

    def told(self) -> list[object]:
        """Every row of every table of Azure Monitor."""
        state = self.world.monitor.state
        return [row for table in state.tables() for row in state.rows(table)]


@pytest.fixture(scope="session")
def opened() -> Iterator[Bugged]:
    overheard = Overheard()
    faults = Faults()
    with World.open(overheard=overheard, telemetry=True) as world, served_blobs(overheard, faults) as url:
        yield Bugged(world, overheard, url, faults)


@pytest.fixture
def bugged(opened: Bugged, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bugged]:
    for name, value in opened.world.environment().items():
        monkeypatch.setenv(name, value)
    yield opened
    opened.overheard.clear()
    opened.world.monitor.state.clear()
    opened.world.monitor.faults.clear()
    opened.storage_faults.clear()
    opened.world.empty()


@pytest.fixture
def partner(bugged: Bugged) -> Partner:
    return Partner.new(bugged.world)


@pytest.fixture
def said() -> Iterator[Said]:
    with listening() as heard:
        yield heard


@pytest.fixture(scope="module")
def started() -> Iterator[FunctionsHost]:
    with FunctionsHost.start(CHECKOUT) as started:
        yield started


@pytest.fixture
def host(started: FunctionsHost) -> FunctionsHost:
    """A host that has no traces yet."""
    started.log.clear()
    return started
