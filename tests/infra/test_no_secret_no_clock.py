"""No secret anywhere, and nothing that differs between two deployments of the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra.bicep import BicepFile, descendants, files, text
from tests.infra.conftest import Break

CLOCK_AND_CHANCE = {"utcNow", "newGuid", "deployer", "deployment"}
"""The last two differ with who deploys and under which name."""

HANDS_OUT_KEYS = re.compile(r"\blist[A-Z]\w*\(")
LOOKS_LIKE_A_KEY = re.compile(
    r"AccountKey=|SharedAccessSignature|[?&]sig=|-----BEGIN|InstrumentationKey=|(?<![A-Za-z0-9+/.])[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9+/.])"
)


def faults(infra: Path) -> list[str]:
    found = [f"{name}: {fault}" for name, file in files(infra).items() for fault in (*_code(file), *_secure(file))]
    for path in sorted(infra.rglob("*.*")):
        content = path.read_text(encoding="utf-8")
        found += [
            f"{path.name} holds what looks like a key: {each[0][:12]}"
            for each in LOOKS_LIKE_A_KEY.finditer(_literals(path, content))
        ]
    return found


def _literals(path: Path, content: str) -> str:
    """Types of resources are long words with slashes: of Bicep the strings are looked at without them."""
    if path.suffix != ".bicep":
        return content
    strings = (text(each) for each in descendants(BicepFile(path).root, "string_content"))
    return "\n".join(re.sub(r"[A-Z]\w+\.\w+(/\w+)+", "", each) for each in strings)


def _code(file: BicepFile) -> list[str]:
    found = [f"{text(call)} differs from deployment to deployment" for call in file.calls(*CLOCK_AND_CHANCE)]
    code = "\n".join(line for line in text(file.root).splitlines() if not line.lstrip().startswith("//"))
    return found + [f"{each[0]} hands out keys" for each in HANDS_OUT_KEYS.finditer(code)]


def _secure(file: BicepFile) -> list[str]:
    """A secure parameter would mean that a secret is handed in: there is none to hand in."""
    return [
        f"{each.name} is a secret"
        for each in file.named("param", "output").values()
        if any("secure" in text(decorator) for decorator in each.decorators)
    ]


def test_there_is_no_secret_and_nothing_that_changes_by_itself(infra: Path) -> None:
    assert faults(infra) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("param tags object", "param tags object\nparam now string = utcNow()", "utcNow() differs"),
        ("uniqueString(toLower(address))", "newGuid()", "newGuid() differs"),
        ("${vault.given}", "${deployment().name}", "deployment() differs"),
        ("param tags object", "param tags object\n@secure()\nparam key string = 'x'", "key is a secret"),
        ("= actionGroup.name", "= actionGroup.listKeys().primary", "listKeys( hands out keys"),
        ("'TokenRotate'", "'AccountKey=x'", "looks like a key"),
        ("'TokenRotate'", f"'{'Ab3' * 20}=='", "looks like a key"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken("modules/alerts.bicep", old, new)) if fault in each]


def test_a_key_in_a_json_file_is_noticed(broken: Break) -> None:
    assert faults(broken("main.parameters.json", "${RUNBOOK_URL}", "AccountKey=x"))
