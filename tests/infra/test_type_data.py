"""What Bicep itself says, as far as it is there: its type data, and its compiler.

`BICEPCHECK` is the path of a checker of resource bodies against Bicep's published types: a script that takes files,
prints `file:line:column LEVEL what`, and exits with 1 on an error. `make infra` finds one in `../shared/tools`, beside
the checkout. Without it, and without a Bicep CLI, these skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.conftest import CHECKOUT, Break

TYPES_UNKNOWN = "unknown type or API version Microsoft.Insights/activityLogAlerts@2020-10-01"
"""Not in the checker's data; read against the published types of 2020-10-01 by hand."""


@pytest.fixture
def checker() -> Path:
    path = os.environ.get("BICEPCHECK", "")
    if not path:
        pytest.skip("PROPERTIES AND API VERSIONS ARE NOT CHECKED: set BICEPCHECK to the path of a checker")
    return Path(path)


@pytest.fixture
def bicep() -> str:
    path = shutil.which("bicep")
    if path is None:
        pytest.skip("NOTHING WAS COMPILED: no Bicep CLI on PATH")
    return path


def findings(checker: Path, infra: Path) -> list[str]:
    paths = [str(path) for path in sorted(infra.rglob("*.bicep"))]
    done = subprocess.run([sys.executable, str(checker), *paths], capture_output=True, text=True, check=False)
    assert "resource types known" in done.stdout, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(str(infra))]
    return [line for line in lines if TYPES_UNKNOWN not in line]


def test_every_resource_is_what_its_type_says(checker: Path, infra: Path) -> None:
    assert findings(checker, infra) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("storage", "allowSharedKeyAccess", "allowSharedKeys", "unknown property 'allowSharedKeys'"),
        ("storage", "'TLS1_2'", "'TLS1_4'", "'TLS1_4' not one of"),
        (
            "storage",
            "storageAccounts@2025-01-01' = {",
            "storageAccounts@2025-01-32' = {",
            "unknown type or API version",
        ),
        ("key-vault", "    tenantId: tenant().tenantId\n", "", "required 'tenantId' missing"),
        ("function-app", "httpsOnly: true", "httpsOnly: 'true'", "boolean expected, got string"),
    ],
)
def test_a_broken_copy_is_refused(checker: Path, broken: Break, file: str, old: str, new: str, finding: str) -> None:
    assert [each for each in findings(checker, broken(f"modules/{file}.bicep", old, new)) if finding in each]


def test_make_hands_over_the_checker_beside_the_checkout_and_the_one_that_is_named(tmp_path: Path) -> None:
    checkout, beside = tmp_path / "checkout", tmp_path / "shared" / "tools" / "bicepcheck.py"
    for folder in (checkout, beside.parent):
        folder.mkdir(parents=True)
    shutil.copy2(CHECKOUT / "Makefile", checkout)
    own = {name: value for name, value in os.environ.items() if name not in ("BICEPCHECK", "MAKEFLAGS", "MAKELEVEL")}

    def handed_over(**more: str) -> str:
        command = ["make", "--silent", '--eval=said: ; @echo "$$BICEPCHECK"', "said"]
        return subprocess.run(command, cwd=checkout, env=own | more, capture_output=True, text=True, check=True).stdout

    assert handed_over() == "\n"
    beside.touch()
    assert handed_over() == f"{beside}\n"
    assert handed_over(BICEPCHECK="/another") == "/another\n"


@pytest.mark.parametrize("command", ["build", "lint"])
def test_the_compiler_finds_no_error(bicep: str, infra: Path, command: str) -> None:
    options = ["--stdout"] if command == "build" else []
    whole = [bicep, command, str(infra / "main.bicep"), *options]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
