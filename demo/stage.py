"""Where the demonstration plays: the world with its nine tokens, and the real `function_app.py` in its host.

The product reads `os.environ`, as it does in Azure; for the length of a block that is the developer's environment
with the world's settings in it, and none of the developer's own settings of the product or of a proxy.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from demo.partners import Operator
from emulators.alerting import Mail, Workspace, evaluate, load_rules
from emulators.functions_host import FunctionsHost
from emulators.world import World
from rotation.report import RunReport
from rotation.status_report import StatusReport
from rotation.timer import Summary
from rotation.wiring import application

APP_FOLDER = Path(__file__).resolve().parent.parent
TIMER = "rotate_on_schedule"
RUNBOOK = "docs/runbook.md"

_OTHERS = (
    "ROTATE_AFTER_DAYS", "INACTIVITY_DAYS", "WARN_BEFORE_DAYS", "MAX_CONCURRENCY", "WRITES_PER_SECOND",
    "RUN_TIME_LIMIT_SECONDS", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST", "AzureWebJobsStorage",
    "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "no_proxy",  # the requests library prefers it to NO_PROXY
)  # fmt: skip


class NoReportError(Exception):
    """The timer ended without a run: another one holds every vault, or nothing was told."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The world, the person who looks after it, and the host that runs the product in it."""

    world: World
    operator: Operator
    host: FunctionsHost

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """Set everything up for the length of a block. Raises what `World.open` and `FunctionsHost.start` raise."""
        with ExitStack() as stack:
            world = stack.enter_context(World.open(telemetry=True))
            operator = Operator(world)
            operator.set_up()
            stack.enter_context(_environment(world.environment()))
            yield cls(world, operator, stack.enter_context(FunctionsHost.start(APP_FOLDER)))

    def fire_timer(self) -> RunReport:
        """Fire the timer and return the report that the product logs. Raises InvocationFailed, NoReportError."""
        with _listening() as reports:
            self.host.fire_timer(TIMER)
        if not reports:
            raise NoReportError("the timer ended without a run report in its log")
        return reports[-1]

    def mails(self) -> list[Mail]:
        """What the alert rules mail within a quarter of an hour of all that was sent to Azure Monitor so far."""
        workspace = Workspace(self.world.monitor.state.rows("AppEvents"))
        deployed = datetime.now(UTC)
        rules = load_rules(vaults={self.world.vault.url: deployed}, runbook_url=RUNBOOK)
        until = deployed + timedelta(minutes=15)
        return [mail for rule in rules for mail in evaluate(rule, workspace, since=deployed, until=until)]

    def status(self) -> StatusReport:
        """What `python -m rotation status` would show now."""
        with application(os.environ) as app:
            return app.status(now=datetime.now(UTC))


class _Reports(logging.Handler):
    """Keeps the run reports that log records carry."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[RunReport] = []

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.reports += [argument.report for argument in arguments if isinstance(argument, Summary)]


@contextmanager
def _listening() -> Iterator[list[RunReport]]:
    logger, handler = logging.getLogger("rotation.timer"), _Reports()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))
    try:
        yield handler.reports
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
