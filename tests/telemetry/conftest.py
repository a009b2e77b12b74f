"""One world with Azure Monitor for every test of telemetry, empty at the start of each, and its settings set."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from emulators.functions_host import FunctionsHost
from emulators.world import JOB_ACTIONS, World
from tests.effects.job import Job, job_in
from tests.effects.partners import Partner
from tests.telemetry.told import CHECKOUT


@pytest.fixture(scope="session")
def opened() -> Iterator[World]:
    with World.open(vaults=2, telemetry=True) as world:
        yield world


@pytest.fixture
def world(opened: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two empty vaults, of which the settings name the first."""
    _empty(opened)
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in opened.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEY_VAULT_URLS", opened.vault.url)
    return opened


@pytest.fixture
def partner(world: World) -> Partner:
    return Partner.new(world)


@pytest.fixture
def job(world: World) -> Iterator[Job]:
    with job_in(world) as wired:
        yield wired


@pytest.fixture
def job_of_both(world: World) -> Iterator[Job]:
    with job_in(world, vault_urls=[vault.url for vault in world.vaults]) as wired:
        yield wired


@pytest.fixture(scope="module")
def host() -> Iterator[FunctionsHost]:
    """The host, whose worker has the variables of the sample that are its own."""
    sample = json.loads((CHECKOUT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in sample if name.startswith("PYTHON_")]:
            environment.setenv(name, sample[name])
        with FunctionsHost.start(CHECKOUT) as started:
            yield started


def _empty(world: World) -> None:
    for vault in world.vaults:
        for name in vault.state.names():
            vault.state.delete(name)
        for name in vault.state.deleted_names():
            vault.state.purge(name)
        vault.faults.clear()
        vault.log.clear()
        vault.access.grant(world.job.object_id, JOB_ACTIONS)
    world.entra_faults.clear()
    world.entra_log.clear()
    world.identity_faults.clear()
    world.monitor.faults.clear()
    world.monitor.log.clear()
    world.monitor.state.clear()
    world.monitor.state.local_authentication = False
    world.monitor.state.grant(world.job.object_id)
