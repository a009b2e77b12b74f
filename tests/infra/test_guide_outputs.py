"""What docs/deploy.md says that a command prints, beside what it prints in a world of emulators, step for step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.world import CLIENT_ID, TENANT_ID, World
from rotation import web
from tests.infra.guide import FENCE

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = (CHECKOUT / "docs" / "deploy.md").read_text(encoding="utf-8")
CHANGING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\dZ| UTC)|\d+\.\d+ s\b"
)
"""Run ids, times and durations: no two runs have the same."""


def shown_after(command: str, kind: str = "text") -> str:
    """The first block of that kind after a command of the guide."""
    rest = GUIDE.partition(command)[2]
    assert rest, f"the guide has no {command}"
    return next(match["body"] for match in FENCE.finditer("```console\n" + rest) if match["kind"] == kind)


def comparable(text: str) -> str:
    return "\n".join(line.rstrip() for line in CHANGING.sub("...", text).strip().splitlines())


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who does what the guide says, in a vault of the world."""

    world: World
    tags: dict[str, str] = field(
        default_factory=lambda: {
            "managed-by": "token-rotation",
            "tenant-id": TENANT_ID,
            "client-id": CLIENT_ID,
            "label": "Contoso",
        }
    )

    def stores(self, name: str, *, app_secret: str) -> None:
        """Consents, and stores token and client secret as the guide does: neither with an expiry date."""
        self.world.entra.register_app(TENANT_ID, CLIENT_ID)
        value = "an-app-secret-of-contoso"
        self.world.entra.add_client_secret(CLIENT_ID, value, datetime.now(UTC) + timedelta(days=180))
        self.world.vault.state.put(app_secret, value)
        token = self.world.consent(client_id=CLIENT_ID)
        self.world.vault.state.put(name, token, tags=self.tags | {"client-credential": f"secret:{app_secret}"})

    def runs(self, *words: str) -> str:
        """What the command line prints; it must be content."""
        environ = self.world.environment() | {"COLUMNS": "100"}
        command = [sys.executable, "-m", "rotation", *words]
        done = subprocess.run(command, env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def walker() -> Iterator[Walker]:
    with World.open() as world:
        yield Walker(world)


def test_the_status_of_the_first_token_is_what_the_guide_shows(walker: Walker) -> None:
    walker.stores("contoso", app_secret="partner-app-secret")
    walker.runs("rotate")
    shown = shown_after("$ .venv/bin/python -m rotation status\n")
    assert comparable(walker.runs("status")) == comparable(shown)


def test_the_dry_run_after_adopting_is_what_the_guide_shows(walker: Walker) -> None:
    walker.stores("RefreshToken", app_secret="ApplicationSecret")
    shown = shown_after("$ .venv/bin/python -m rotation rotate --dry-run\n")
    assert comparable(walker.runs("rotate", "--dry-run")) == comparable(shown)


def test_the_report_of_the_forced_rotation_is_what_the_guide_shows(
    walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in walker.world.environment().items():
        monkeypatch.setenv(name, value)  # as the functions host has them
    walker.stores("contoso", app_secret="partner-app-secret")
    walker.world.vault.state.age(timedelta(minutes=1))  # nobody stores and rotates within one second
    walker.runs("rotate")
    walker.world.entra.add_federated_credential(CLIENT_ID, walker.world.job)
    walker.world.vault.state.retag(
        "contoso", walker.tags | {"client-credential": "managed-identity,secret:partner-app-secret"}
    )
    body = re.findall(r"-d '(.+)'", GUIDE)[0].encode()
    answer = web.rotate(body, os.environ, now=datetime.now(UTC))
    assert same(answer.text(), walker.world.vault.url) == same(
        shown_after("-H @key-header.txt", "json"), "https://kv-xwz2k4.vault.azure.net"
    )


def same(report: str, vault: str) -> dict[str, Any]:
    """A report without what no two runs have in common."""
    plain: dict[str, Any] = json.loads(report.replace(vault, "the vault"))
    return plain | dict.fromkeys(("run_id", "started_at", "seconds"))
