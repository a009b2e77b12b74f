"""`days`: a timeline over one world of three vaults and one Functions host, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.functions_host import FunctionsHost
from emulators.world import JOB_ACTIONS, World
from tests.alerts.timeline import Timeline

_CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def served() -> Iterator[World]:
    with World.open(vaults=3, telemetry=True) as world:
        yield world


@pytest.fixture(scope="session")
def host() -> Iterator[FunctionsHost]:
    with FunctionsHost.start(_CHECKOUT) as started:
        yield started


@pytest.fixture
def days(served: World, host: FunctionsHost, monkeypatch: pytest.MonkeyPatch) -> Timeline:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in served.environment().items():
        monkeypatch.setenv(name, value)
    served.entra_faults.clear()
    served.monitor.faults.clear()
    served.monitor.state.clear()
    for vault in served.vaults:
        vault.access.grant(served.job.object_id, JOB_ACTIONS)
        for name in vault.state.names():
            vault.state.delete(name)
        for name in vault.state.deleted_names():
            vault.state.purge(name)
    return Timeline(served, host)
