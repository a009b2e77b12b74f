"""`make interop VAULT_URL=https://...`: the contract on a vault from outside, as the signed-in identity.

Here that vault is one of the emulated world, so that the way from the environment to the last removed secret is proven.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from azure.identity import AzureCliCredential, ClientSecretCredential

from emulators.entra.directory import Principal
from emulators.keyvault.access import SECRETS_OFFICER, DataAction
from emulators.world import CLIENT_ID, TENANT_ID, World
from tests.contracts.vault_under_test import signed_in
from tests.interop.fetch import CHECKOUT

SECRET = "contoso-client-secret"  # made up


@pytest.fixture
def world() -> Iterator[World]:
    with World.open() as world:
        world.vault.state.put("of-somebody-else", "untouched", tags={"a": "1"})
        yield world


@pytest.fixture
def engineer(world: World) -> Principal:
    """Who is signed in."""
    engineer = world.entra.register_app(TENANT_ID, CLIENT_ID, secrets=[SECRET])
    world.vault.access.grant(engineer.object_id, SECRETS_OFFICER)
    return engineer


def run_contract(world: World, report: Path) -> dict[str, int]:
    given = {
        "VAULT_URL": world.vault.url,
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY_HOST": world.entra_url,
        "REQUESTS_CA_BUNDLE": str(world.tls.authority_file),
    }
    command = [sys.executable, "-m", "pytest", "tests/contracts", f"--junitxml={report}"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=os.environ | given, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, done.stdout + done.stderr
    suite = ET.parse(report).getroot()[0]
    return {each: int(suite.attrib[each]) for each in ("tests", "failures", "errors", "skipped")}


@pytest.mark.usefixtures("engineer")
def test_the_contract_passes_on_a_vault_from_outside_and_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    before = world.vault.state.versions("of-somebody-else")
    counts = run_contract(world, tmp_path / "report.xml")
    assert counts == {"tests": 23, "failures": 0, "errors": 0, "skipped": 0}
    assert world.vault.log.count("store") > 22
    assert world.vault.state.names() == ("of-somebody-else",)
    assert world.vault.state.deleted_names() == ()
    assert world.vault.state.versions("of-somebody-else") == before


def test_without_the_right_to_purge_its_secrets_are_left_deleted(
    world: World, engineer: Principal, tmp_path: Path
) -> None:
    world.vault.access.deny(engineer.object_id, {DataAction.PURGE})
    counts = run_contract(world, tmp_path / "report.xml")
    assert counts == {"tests": 23, "failures": 0, "errors": 0, "skipped": 0}
    assert world.vault.state.names() == ("of-somebody-else",)
    assert all(name.startswith("contract-") for name in world.vault.state.deleted_names())


def test_the_whole_triple_is_a_client_secret_and_a_part_of_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TENANT_ID", TENANT_ID), ("CLIENT_ID", CLIENT_ID), ("CLIENT_SECRET", SECRET)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    assert isinstance(signed_in(), ClientSecretCredential)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    assert isinstance(signed_in(), AzureCliCredential)
