"""The parameters without azd: what scripts/parameters.py makes of infra/main.parameters.json and the environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIRED = {
    "AZURE_ENV_NAME": "contoso",
    "AZURE_LOCATION": "westeurope",
    "ALERT_EMAILS": "ops@contoso.example",
    "RUNBOOK_URL": "https://contoso.example/runbook.md",
}


def render(environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(CHECKOUT / "scripts" / "parameters.py")]
    return subprocess.run(script, env=dict(environ), capture_output=True, text=True, check=False, timeout=30)


def values(environ: Mapping[str, str]) -> dict[str, Any]:
    return {name: each["value"] for name, each in json.loads(render(environ).stdout)["parameters"].items()}


def test_what_has_no_default_must_be_given() -> None:
    done = render({})
    assert done.returncode == 1
    missing = ("AZURE_ENV_NAME", "AZURE_LOCATION", "ALERT_EMAILS", "RUNBOOK_URL")
    assert done.stderr == "".join(f"parameters: set {name}\n" for name in missing)


def test_an_empty_variable_means_its_default_as_it_does_for_azd() -> None:
    plain, empty = (values({**REQUIRED, **more}) for more in ({}, {"ROTATE_AFTER_DAYS": "", "DAILY_CAP_GB": ""}))
    assert plain == empty
    assert (plain["rotateAfterDays"], plain["dailyCapGb"]) == (7, -1)


def test_numbers_and_truth_values_are_no_texts() -> None:
    given = values({**REQUIRED, "ROTATE_AFTER_DAYS": "14", "PRIVATE_NETWORKING": "true", "NEW_KEY_VAULT_NAME": "7777"})
    assert (given["rotateAfterDays"], given["privateNetworking"], given["keyVaultName"]) == (14, True, "7777")
    types = {"int": int, "bool": bool, "string": str}
    bicep = dict(
        re.findall(r"^param (\w+) (\w+)", (CHECKOUT / "infra" / "main.bicep").read_text("utf-8"), re.MULTILINE)
    )
    assert {name: type(value) for name, value in given.items()} == {name: types[bicep[name]] for name in given}


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("t", True), ("TRUE", True), ("0", False), ("False", False)])
def test_a_truth_value_means_what_it_means_to_azd(text: str, meant: bool) -> None:  # noqa: FBT001
    assert values({**REQUIRED, "PRIVATE_NETWORKING": text})["privateNetworking"] is meant


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PRIVATE_NETWORKING", "yes", "say true or false"),
        ("PRIVATE_NETWORKING", " true", "say true or false"),
        ("PRIVATE_NETWORKING", "tRUE", "say true or false"),
        ("ROTATE_AFTER_DAYS", "7d", "say a whole number"),
        ("DAILY_CAP_GB", "0.5", "say a whole number"),
    ],
)
def test_a_value_of_no_use_is_refused_by_name_and_prints_nothing(name: str, text: str, said: str) -> None:
    done = render({**REQUIRED, name: text})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"parameters: {name} is {text!r}: {said}\n"
