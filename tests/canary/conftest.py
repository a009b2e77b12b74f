"""`world`: overheard, and empty for each test. `said`: everything that is logged, at DEBUG, and what a test adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulators.functions_host import FunctionsHost
from emulators.overheard import Overheard
from emulators.world import World
from tests.canary.places import Said, listening
from tests.canary.search import Canaries
from tests.effects.partners import Partner

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Bugged:
    """A world whose every secret is known."""

    world: World
    overheard: Overheard

    def canaries(self) -> Canaries:
        """Every secret that went by or lies in a vault."""
        stored = {
            version.value
            for vault in self.world.vaults
            for name in vault.state.names()
            for version in vault.state.versions(name)
        }
        return Canaries(self.overheard.secrets | stored | {self.world.identities.header})


@pytest.fixture(scope="session")
def opened() -> Iterator[Bugged]:
    overheard = Overheard()
    with World.open(overheard=overheard, telemetry=True) as world:
        yield Bugged(world, overheard)


@pytest.fixture
def bugged(opened: Bugged, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bugged]:
    for name, value in opened.world.environment().items():
        monkeypatch.setenv(name, value)
    yield opened
    opened.overheard.clear()
    opened.world.monitor.state.clear()
    opened.world.empty()


@pytest.fixture
def partner(bugged: Bugged) -> Partner:
    return Partner.new(bugged.world)


@pytest.fixture
def said() -> Iterator[Said]:
    with listening() as heard:
        yield heard


@pytest.fixture(scope="session")
def host() -> Iterator[FunctionsHost]:
    with FunctionsHost.start(CHECKOUT) as started:
        yield started
