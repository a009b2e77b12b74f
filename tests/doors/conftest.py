"""One world for every test of the doors, empty at the start of each, and its settings in this process's environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from emulators.world import World
from tests.effects.partners import Partner

type Enter = Callable[..., None]


@pytest.fixture(scope="session")
def opened() -> Iterator[World]:
    with World.open(vaults=2) as world:
        yield world


@pytest.fixture
def world(opened: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two empty vaults, of which the settings name the first."""
    opened.empty()
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in opened.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEY_VAULT_URLS", opened.vault.url)
    return opened


@pytest.fixture
def both_vaults(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same with both vaults in the settings."""
    monkeypatch.setenv("KEY_VAULT_URLS", ",".join(vault.url for vault in world.vaults))
    return world


@pytest.fixture
def partner(world: World) -> Partner:
    return Partner.new(world)
