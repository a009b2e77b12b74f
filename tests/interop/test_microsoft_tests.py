"""Microsoft's own tests of azure-keyvault-secrets, run live against the Key Vault emulator through the real SDK.

They come from the source distribution of the very release that this project uses, unchanged; only their unpublished
test utilities are replaced (`microsoft/devtools_testutils`). They run in a process of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulators.faults import Answer
from emulators.tls import LoopbackTls
from tests.contracts.emulated_vault import OPERATOR, EmulatedVault, emulated_vault, token_of
from tests.interop import fetch

MICROSOFT = Path(__file__).parent / "microsoft"
MODULES = ("test_secrets_client", "test_secrets_async")
LIVE = (
    "test_secret_crud_operations",
    "test_secret_list",
    "test_list_versions",
    "test_list_deleted_secrets",
    "test_backup_restore",
    "test_recover",
    "test_purge",
    "test_logging_enabled",
    "test_logging_disabled",
    "test_40x_handling",
    "test_get_secret_accepts_out_content_type",
    "test_previous_version_property_is_accessible",
)
OFFLINE = (
    "test_service_headers_allowed_in_logs",
    "test_custom_hook_policy",
    "test_get_secret_forwards_out_content_type_to_generated_client",
)
SYNCHRONOUS_ONLY = "test_key_vault_secret_maps_previous_version"
EXPECTED = [f"{module}::{test}" for module in MODULES for test in LIVE + OFFLINE] + [
    f"{MODULES[0]}::{SYNCHRONOUS_ONLY}"
]

# A test of Microsoft's that does not pass against the emulator, and why. All of them do.
EXCEPTIONS: Mapping[str, str] = {}

# Each live test is generated for every version of the API and, live, runs for the newest only: Microsoft's own rule.
OTHER_VERSIONS = "This test only uses the default API version for live tests"


def run(vault: EmulatedVault, report: Path, *select: str) -> dict[str, str]:
    """The outcome by test: `passed`, or what pytest says. Raises when pytest itself did not get through."""
    folder = fetch.tests_folder(fetch.TESTS)
    given = {
        "AZURE_KEYVAULT_URL": vault.url,
        "INTEROP_ACCESS_TOKEN": token_of(OPERATOR),
        "INTEROP_AUTHORITY_FILE": vault.authority_file,
        "PYTHONPATH": str(MICROSOFT),
        "PYTEST_ADDOPTS": "",
    }
    options = ["-c", str(MICROSOFT / "pytest.ini"), f"--rootdir={folder}", f"--junitxml={report}", *select]
    command = [sys.executable, "-m", "pytest", *options, *(f"{module}.py" for module in MODULES)]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | given, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, done.stdout + done.stderr
    return outcomes(ET.parse(report).getroot())


def outcomes(report: ET.Element) -> dict[str, str]:
    """What ran, by module and test; what Microsoft's own rule left out is not in it."""
    found = {}
    for case in report.iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None and skipped.get("message") == OTHER_VERSIONS:
            continue
        module = case.attrib["classname"].split(".")[0]
        name = case.attrib["name"].partition("[")[0]
        found[f"{module}::{name}"] = ", ".join(f"{child.tag}: {child.get('message')}" for child in case) or "passed"
    return found


@pytest.fixture(scope="module")
def ran(tls: LoopbackTls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    with emulated_vault(tls) as vault:
        return run(vault, tmp_path_factory.mktemp("report") / "report.xml")


def test_all_31_ran_and_nothing_else(ran: dict[str, str]) -> None:
    assert len(EXPECTED) == 31
    assert sorted(ran) == sorted(EXPECTED)


@pytest.mark.parametrize("test", EXPECTED)
def test_it_passes_against_the_emulator(ran: dict[str, str], test: str) -> None:
    outcome = ran[test]
    assert (outcome == "passed") is (test not in EXCEPTIONS), outcome


def test_a_vault_that_answers_wrongly_is_caught(tls: LoopbackTls, tmp_path: Path) -> None:
    with emulated_vault(tls) as vault:
        vault.faults.fail_next(Answer(404), method="PATCH", times=None)
        found = run(vault, tmp_path / "report.xml", "-k", "crud or 40x")
    failed = {test for test, outcome in found.items() if outcome != "passed"}
    assert failed == {f"{module}::test_secret_crud_operations" for module in MODULES}
