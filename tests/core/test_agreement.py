"""What is said twice is said alike: settings in the code, in the sample and in the README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rotation.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
HOSTS_OWN = {"FUNCTIONS_WORKER_RUNTIME"}
"""Read by the Functions host beside the code."""

PLATFORMS_OWN = {"IDENTITY_ENDPOINT", "REQUESTS_CA_BUNDLE"}
"""Set by the platform, or a setting of a library; the README says the second in a sentence."""


class Watched(Mapping[str, str]):
    """An environment that remembers which settings were asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def settings_of_the_code() -> set[str]:
    environ = Watched({"KEY_VAULT_URLS": "https://contoso-tokens.vault.azure.net"})
    Settings.from_environ(environ)
    return environ.asked - PLATFORMS_OWN


def sample() -> Mapping[str, str]:
    text = (CHECKOUT / "local.settings.sample.json").read_text(encoding="utf-8")
    values: Mapping[str, str] = json.loads(text)["Values"]
    return values


def rows_of_the_readme() -> dict[str, str]:
    """The settings of the README's table with the rest of their rows."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+|AzureWebJobs\w+)` \|(.*)\|$", text, re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows), "a setting has two rows"
    return dict(rows)


def test_the_sample_has_every_setting_of_the_code_and_no_other() -> None:
    assert set(sample()) - HOSTS_OWN == settings_of_the_code()
    assert set(sample()) >= HOSTS_OWN


def test_the_readme_explains_every_setting_of_the_code_and_no_other() -> None:
    rows = set(rows_of_the_readme())
    assert settings_of_the_code() <= rows
    assert rows <= settings_of_the_code() | HOSTS_OWN


@pytest.mark.parametrize(
    "name",
    [
        "ROTATION_SCHEDULE", "ROTATE_AFTER_DAYS", "INACTIVITY_DAYS", "WARN_BEFORE_DAYS", "MAX_CONCURRENCY",
        "WRITES_PER_SECOND", "RUN_TIME_LIMIT_SECONDS",
    ],
)  # fmt: skip
def test_the_readme_says_the_default_that_the_sample_shows(name: str) -> None:
    default, _, _ = rows_of_the_readme()[name].strip().partition(" | ")
    assert default.strip(" `") == sample()[name]
