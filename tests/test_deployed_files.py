"""The files that Azure reads beside the code: they agree with the code and with each other."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotation.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[1]


def read_json(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((CHECKOUT / name).read_text(encoding="utf-8"))
    return content


def pins(requirements: str) -> set[str]:
    text = (CHECKOUT / requirements).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", text, re.MULTILINE))


def test_the_sample_of_local_settings_shows_each_default() -> None:
    sample = read_json("local.settings.sample.json")["Values"]
    of_the_machine = {name: sample[name] for name in ("KEY_VAULT_URLS", "AzureWebJobsStorage")}
    assert Settings.from_environ(sample) == Settings.from_environ(of_the_machine)


def test_the_host_exports_its_own_telemetry_and_the_log_of_the_worker() -> None:
    """Either variable would take the log from the host: what the worker then exports is not what the job logs."""
    sample = read_json("local.settings.sample.json")["Values"]
    assert read_json("host.json")["telemetryMode"] == "OpenTelemetry"
    assert not {"PYTHON_ENABLE_OPENTELEMETRY", "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"} & set(sample)


def test_the_function_may_run_as_long_as_a_run_takes() -> None:
    hours, minutes, seconds = map(int, read_json("host.json")["functionTimeout"].split(":"))
    time_limit = int(read_json("local.settings.sample.json")["Values"]["RUN_TIME_LIMIT_SECONDS"])
    assert time_limit + 120 <= hours * 3600 + minutes * 60 + seconds


def test_what_is_deployed_carries_every_runtime_dependency_and_no_command_line() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=\[]", each)[0] for each in project["dependencies"]}
    commands = {re.split(r"[<>=\[]", each)[0] for each in project["optional-dependencies"]["cli"]}
    deployed = {pin.partition("==")[0] for pin in pins("requirements.txt")}
    assert wanted <= deployed
    assert not commands & deployed


def test_development_runs_on_the_very_versions_that_are_deployed() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_the_lock_files_name_no_index_and_pin_every_hash() -> None:
    locks = sorted(CHECKOUT.glob("requirements*.txt"))
    assert len(locks) == 6
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "index" not in re.sub(r"^ +#.*$", "", text, flags=re.MULTILINE)
        assert "://" not in text
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:])
