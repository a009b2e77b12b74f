"""One world for every schedule that runs over the wire; whoever uses it empties it first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with World.open() as served:
        yield served
