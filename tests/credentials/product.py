"""The product as its wiring makes it, in a world of emulators: runs, the status, and what both said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from emulators.world import EmulatedVault, World
from rotation.plan import RunRequest
from rotation.reason import Reason
from rotation.report import RunReport, Trigger
from rotation.status_report import StatusReport
from rotation.wiring import application
from tests.effects.partners import Partner


@dataclass(frozen=True, slots=True)
class Product:
    """The product with the settings of a world."""

    cloud: World
    settings: Mapping[str, str]

    def run(self, *names: str, trigger: Trigger = Trigger.TIMER) -> RunReport:
        """A run that lists every token."""
        with application(self.settings) as app:
            return app.rotate(RunRequest(trigger=trigger, tokens=names, list_all=True), now=datetime.now(UTC))

    def status(self) -> StatusReport:
        """The status."""
        with application(self.settings) as app:
            return app.status(now=datetime.now(UTC))

    def with_settings(self, **settings: str) -> Product:
        """The same product with other settings."""
        return replace(self, settings={**self.settings, **settings})


def put_behind(partner: Partner, credential: str, count: int = 1, *, prefix: str = "token", **tags: str) -> list[str]:
    """Put due tokens of an app under care whose client credential is this; returns their names."""
    names = [f"{prefix}-{number:03}" for number in range(count)]
    ours = partner.tags() | {"client-credential": credential}
    for name in names:
        partner.put(name, tags=ours | {tag.replace("_", "-"): value for tag, value in tags.items()})
    return names


def told(report: RunReport) -> list[tuple[Reason, str, int]]:
    """The problems of a run: reason, subject, how many tokens."""
    return [(problem.reason, problem.subject, problem.tokens) for problem in report.problems]


def asked(vault: EmulatedVault, kind: str) -> list[str]:
    """The names of the secrets that requests of a kind were about, in order."""
    return [request.path.split("/")[2] for request in vault.log.requests if request.kind == kind]


def counted(vault: EmulatedVault) -> dict[str, int]:
    """How many requests of each kind, but for the challenge, which the SDK remembers beyond a run."""
    return {kind: count for kind, count in vault.log.counts().items() if kind != "challenge"}
