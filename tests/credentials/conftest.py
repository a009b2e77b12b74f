"""`cloud`, `partner`: as for the effects, an empty world and an app in it.

`product`: what is shipped, wired to the first vault of that world.
"""

from __future__ import annotations

import pytest

from emulators.world import World
from tests.credentials.certificates import Certified
from tests.credentials.product import Product
from tests.effects.conftest import cloud, partner, served

__all__ = ["cloud", "partner", "served"]


@pytest.fixture
def product(cloud: World, monkeypatch: pytest.MonkeyPatch) -> Product:
    settings = cloud.environment() | {"KEY_VAULT_URLS": cloud.vault.url, "WRITES_PER_SECOND": "1000"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Product(cloud, settings)


@pytest.fixture(scope="session")
def certified() -> Certified:
    return Certified.new()


@pytest.fixture(scope="session")
def chained() -> Certified:
    return Certified.with_chain()
