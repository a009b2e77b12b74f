"""`wire`: the product's own way to an issuer, over TLS, with a lever for what the issuer answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.world import World
from tests.diagnosis.wire import Wire


@pytest.fixture(scope="session")
def served() -> Iterator[World]:
    with World.open() as world:
        yield world


@pytest.fixture
def wire(served: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    for name in ("REQUESTS_CA_BUNDLE", "NO_PROXY"):
        monkeypatch.setenv(name, served.environment()[name])
    served.entra_faults.clear()
    with Wire.to(served) as opened:
        yield opened
    served.entra_faults.clear()
