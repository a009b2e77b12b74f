"""Days in the life of a deployment: real runs of the product where something changes, their rows repeated where not.

Real are `function_app.py` in the Functions runtime for every run by timer and HTTP, the command line for every run by
hand, MSAL, the SDKs, the exporter, and the rows that it sends; around them is the emulated cloud with three vaults.
Between two runs the world is aged by the time that the timeline says has passed, so that every date that the product
reads or writes is of the right age. What a run sends is put at its place of the timeline: the time of the event and of
the run's start are moved, and the days on which something began; nothing else.

`repeat` stands for runs that would find the same: copies of the rows of the last run of the timer, six hours later
each, with a run id of their own. `killed` is a process of the timer's door that is killed while it waits for the
issuer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from emulators.alerting import Row
from emulators.faults import Hang
from emulators.functions_host import FunctionsHost
from emulators.world import World
from tests.alerts.events import NINE, SIX_HOURS
from tests.doors.command import rotation
from tests.waiting import wait_until

TIMER = "rotate_on_schedule"
_DAY = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])")
FIRST_RUN = NINE.replace(hour=12, minute=17)
_RUN = """
import datetime, os
from rotation import timer
timer.rotate(os.environ, now=datetime.datetime.now(datetime.UTC))
"""


@dataclass(slots=True)
class Timeline:
    """The product in its world, deployed on a Monday at nine; `now` is the timeline's own clock."""

    world: World
    host: FunctionsHost
    now: datetime = NINE
    rows: list[Row] = field(default_factory=list)
    _due: datetime = FIRST_RUN
    _last: list[Row] = field(default_factory=list)

    def timer(self, times: int = 1) -> None:
        """The timer fires when it is due, so many times, and runs for real."""
        for _ in range(times):
            self._pass(self._due)
            self._last = self._sent(lambda: self.host.fire_timer(TIMER))
            self._keep(self._last)

    def repeat(self, times: int) -> None:
        """So many more runs of the timer that find what the last one found."""
        for _ in range(times):
            later = self._due - self.now
            self._pass(self._due)
            self._last = [_moved(row, later, run_id=str(uuid.uuid4())) for row in self._last]
            self._keep(self._last)

    def no_timer(self, times: int) -> None:
        """The timer is due so many times, and nothing happens."""
        for _ in range(times):
            self._pass(self._due)
            self._due += SIX_HOURS

    def lost(self, times: int) -> None:
        """So many runs of the timer of which nothing is heard; the first is real, and its telemetry is thrown away."""
        self._pass(self._due)
        self._sent(lambda: self.host.fire_timer(TIMER))
        self._due += SIX_HOURS
        self.no_timer(times - 1)

    def killed(self) -> None:
        """A run of the timer that is killed while it waits for the issuer."""
        self._pass(self._due)
        self._keep(self._sent(self._kill))

    def cli(self, *arguments: str, hours: float = 1) -> None:
        """A run from the command line, so many hours after whatever was last."""
        self._by_hand(lambda: rotation("rotate", *arguments), hours)

    def http(self, hours: float = 1, **body: object) -> None:
        """A run by HTTP."""
        self._by_hand(lambda: self.host.invoke_http("rotate", "POST", body=json.dumps(body).encode()), hours)

    def wait_for_the_timer(self) -> None:
        """Time passes until a minute before the timer is due."""
        self._pass(self._due - timedelta(minutes=1))

    def wait(self, hours: float) -> None:
        """Time passes; the timer is not due meanwhile."""
        self._pass(self.now + timedelta(hours=hours))

    def _by_hand(self, run: Any, hours: float) -> None:
        self.wait(hours)
        assert self.now < self._due, "the timer was due before"
        self.rows += self._sent(run)

    def _keep(self, rows: Iterable[Row]) -> None:
        self.rows += rows
        self._due = self.now + SIX_HOURS

    def _pass(self, until: datetime) -> None:
        passed = until - self.now
        self.world.age(passed)
        self._turn_days((until.date() - self.now.date()).days - passed.days)
        self.now = until

    def _turn_days(self, days: int) -> None:
        """Move the dates in tags that have no time of day: the world moves those by whole days alone."""
        earlier = timedelta(days=days)
        for state in (vault.state for vault in self.world.vaults if days):
            for one in state.latest():
                tags = {
                    tag: _DAY.sub(lambda day: _before(day[0], earlier), text) for tag, text in (one.tags or {}).items()
                }
                state.retag(one.name, tags)

    def _sent(self, run: Any) -> list[Row]:
        """What a run sends, moved to the timeline's clock."""
        begun = datetime.now(UTC)
        run()
        days = self.now.date() - begun.date()
        rows = [_dated(_moved(row, self.now - begun), days) for row in self.world.monitor.state.rows("AppEvents")]
        self.world.monitor.state.clear()
        return rows

    def _kill(self) -> None:
        self.world.entra_faults.fail_next(Hang(), times=None, path="/token$")
        with subprocess.Popen([sys.executable, "-c", _RUN], env=os.environ, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: self.world.monitor.state.events("rotation.started"))
            finally:
                process.kill()
        self.world.entra_faults.clear()


def _before(day: str, earlier: timedelta) -> str:
    return (date.fromisoformat(day) - earlier).isoformat()


def _dated(row: Row, days: timedelta) -> Row:
    """The days that the product said are those of today; the timeline has its own."""
    told = row["Properties"]
    dated = {name: _before(told[name], -days) for name in ("since", "day") if told.get(name)}
    return {**row, "Properties": {**told, **dated}}


def _moved(row: Row, by: timedelta, **more: str) -> Row:
    properties = dict(row["Properties"])
    started = datetime.fromisoformat(properties["started_at"]) + by
    moved = {"started_at": started.isoformat(timespec="microseconds").replace("+00:00", "Z")}
    return {
        "TimeGenerated": row["TimeGenerated"] + by,
        "Name": row["Name"],
        "Properties": properties | moved | more,
    }
