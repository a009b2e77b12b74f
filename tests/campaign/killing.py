"""SIGKILL for real processes: `python -m rotation rotate`, killed at a request of its own choosing by nobody's leave.

Each process runs on emulators that this process serves over TLS. The emulator that gets the chosen request kills the
process before the request has its effect, or after it and before the answer. Then every token must be alive as it
lies, and undisturbed runs must finish what was begun. `python -m tests.campaign.killing` kills a hundred and prints
where.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.faults import Meanwhile
from emulators.world import World
from rotation.outcome import Kind
from rotation.plan import RunRequest
from rotation.reason import Reason
from rotation.report import RunReport, Trigger
from rotation.wiring import application
from tests.campaign.moments import REQUESTS, RETAG_AT, settle
from tests.effects.partners import CLIENT_SECRET, DUE, Partner, values_of
from tests.waiting import LONG

CHECKOUT = Path(__file__).parents[2]
SEED, KILLS = 20261121, 100
_ISSUER_SECONDS = 0.02  # long enough for several tokens to be under way at once
_TAGS = {"label": "Contoso", "ticket": "4711"}
_CONTENT_TYPE = "text/plain"
_VERSIONS = 2
_FIRST_LIST = replace(REQUESTS["list"], after=1)  # the first request of a process is answered with the challenge
_WELL = ((Kind.ROTATED, Reason.DUE), (Kind.SKIPPED, Reason.NOT_DUE))


@dataclass(frozen=True, slots=True)
class Kill:
    """When a process dies: at which of its requests, for which of how many tokens, before or after the effect."""

    request: str
    after_effect: bool
    token: int
    tokens: int

    def __str__(self) -> str:
        when = "after" if self.after_effect else "before"
        return f"killed {when} the effect of {self.request!r} for token {self.token} of 0..{self.tokens - 1}"


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left behind: how many tokens were under way and stored by then, and every promise that is broken."""

    kill: Kill
    under_way: int
    stored: int
    broken: tuple[str, ...]


def kills(count: int, *, seed: int) -> list[Kill]:
    """So many kills, spread evenly over every request, before and after its effect; the tokens are drawn."""
    chance = random.Random(seed)  # noqa: S311 - a seed makes it replayable, and nothing is secret
    cells = [(request, after_effect) for request in REQUESTS for after_effect in (False, True)]
    drawn: list[Kill] = []
    for number in range(count):
        request, after_effect = cells[number % len(cells)]
        tokens = chance.randint(3, 6)
        drawn.append(Kill(request, after_effect, chance.randrange(tokens), tokens))
    return drawn


def carry_out(world: World, kill: Kill) -> Left:
    """Let a process die, look at what it left, let undisturbed runs follow at once and a week later, and look again."""
    site = _Site.furnished(world, kill.tokens)
    died, printed = site.killed(kill)
    broken = [] if died else [f"it ended by itself, and last said: {(printed.splitlines() or ['nothing'])[-1]}"]
    under_way, stored = site.under_way(), site.stored()
    broken += [f"after the kill: {each}" for each in site.damages()]
    repair = site.run()
    broken += [f"after the next run: {each}" for each in (*site.unwell(repair), *site.damages())]
    world.age(DUE)
    broken += [f"a week later: {each}" for each in (*site.unwell(site.run()), *site.damages(), *site.unsettled())]
    broken += ["a value was shown" for value in site.values() if value in printed + json.dumps(repair.to_json())]
    return Left(kill, under_way, stored, tuple(broken))


@dataclass(frozen=True, slots=True)
class _Site:
    """A world with tokens under care that are due, each with one superseded version to disable."""

    world: World
    partner: Partner
    names: tuple[str, ...]

    @classmethod
    def furnished(cls, world: World, tokens: int) -> _Site:
        world.empty()
        world.entra.latency = _ISSUER_SECONDS
        site = cls(world, Partner.new(world), tuple(f"token-{number}" for number in range(tokens)))
        for _ in range(2):
            for name in site.names:
                site.partner.put(name, tags=site.partner.tags() | _TAGS, content_type=_CONTENT_TYPE)
            world.age(DUE)
        return site

    def killed(self, kill: Kill) -> tuple[bool, str]:
        """Start the command and let it die; whether it did, and what it printed."""
        started: Future[int] = Future()
        fault = Meanwhile(lambda: _kill(started.result()), after_effect=kill.after_effect, cut=True)
        at = _FIRST_LIST if kill.request == "list" else REQUESTS[kill.request]
        at.meet(self.world, fault, name=self.names[kill.token], number=kill.token)
        if kill.request == "retag":
            retag = Meanwhile(lambda: self.retag(kill.token))
            REQUESTS[RETAG_AT].meet(self.world, retag, name=self.names[kill.token], number=kill.token)
        command = [sys.executable, "-m", "rotation", "rotate"]
        environ = {"PATH": os.environ["PATH"], **self.world.environment()}
        with subprocess.Popen(
            command, cwd=CHECKOUT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            started.set_result(process.pid)
            printed, _ = process.communicate(timeout=LONG)
        settle(self.world)
        return process.returncode == -signal.SIGKILL, printed

    def retag(self, token: int) -> None:
        """An operator adds a tag to the current version."""
        name, vault = self.names[token], self.world.vault.state
        vault.retag(name, {**(vault.current(name).tags or {}), "ticket-2": "4712"})

    def run(self) -> RunReport:
        """An undisturbed run of the timer, as it is wired in production."""
        self.world.entra_faults.clear()
        self.world.vault.faults.clear()
        self.world.entra_log.clear()
        settings = self.world.environment()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(name, value)
            with application(settings) as app:
                return app.rotate(RunRequest(trigger=Trigger.TIMER, list_all=True), now=datetime.now(UTC))

    def damages(self) -> Iterator[str]:
        """What no moment may show: a token that is not alive, or something of the operator's that is gone."""
        for name in self.names:
            current = self.world.vault.state.current(name)
            if not (current.enabled and self.world.entra.is_redeemable(current.value)):
                yield f"the current version of {name} cannot be redeemed"
            if not _TAGS.items() <= (current.tags or {}).items() or current.content_type != _CONTENT_TYPE:
                yield f"{name} lost what the operator gave it"

    def unwell(self, report: RunReport) -> Iterator[str]:
        """What an undisturbed run says beside that all is well."""
        told = {outcome.name: (outcome.kind, outcome.reason) for outcome in report.tokens}
        for name in self.names:
            if told.get(name) not in _WELL:
                yield f"{name} is {told.get(name)}"
        redeemed, rotated = self.world.entra_log.count("redeem"), report.counts.get(Kind.ROTATED, 0)
        if redeemed != rotated:
            yield f"{redeemed} redemptions for {rotated} rotated tokens"
        if report.problems or not report.complete:
            yield f"problems {[problem.reason for problem in report.problems]}, complete: {report.complete}"

    def unsettled(self) -> Iterator[str]:
        """Which tokens have other enabled versions than the current and the one before it."""
        for name in self.names:
            enabled = [version.enabled for version in self.world.vault.state.versions(name)]
            if enabled[-2:] != [True, True] or any(enabled[:-2]):
                yield f"the versions of {name} are enabled as {enabled}"

    def under_way(self) -> int:
        """How many tokens were read but not settled, as far as the vault has seen."""
        seen = {request.path.split("/")[2] for request in self.world.vault.log.requests if request.kind == "read"}
        settled = {request.path.split("/")[2] for request in self.world.vault.log.requests if request.kind == "update"}
        return len((seen & {*self.names}) - settled)

    def stored(self) -> int:
        """How many tokens have a new version."""
        return sum(len(self.world.vault.state.versions(name)) > _VERSIONS for name in self.names)

    def values(self) -> Iterator[str]:
        """Everything that nobody may see."""
        yield CLIENT_SECRET
        for name in self.names:
            yield from values_of(self.world.vault, name)


def _kill(pid: int) -> None:
    """End a child of this process at once, and return when it is dead; whoever started it still gets its status."""
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # whoever started it was faster
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def campaign(count: int, *, seed: int, workers: int) -> list[Left]:
    """So many kills, each worker a process with a world of its own: the environment of a run is the process's."""
    drawn = kills(count, seed=seed)
    shares = [drawn[first::workers] for first in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [left for share in pool.map(_share, shares) for left in share]


def _share(drawn: Sequence[Kill]) -> list[Left]:
    with World.open() as world:
        return [carry_out(world, kill) for kill in drawn]


def table(lefts: Sequence[Left]) -> Iterator[str]:
    """The kills of each request, before and after its effect."""
    counts = Counter((left.kill.request, left.kill.after_effect) for left in lefts)
    yield f"{'SIGKILL at':<16}{'before':>8}{'after':>8}"
    for request in REQUESTS:
        yield f"{request:<16}{counts[request, False]:>8}{counts[request, True]:>8}"
    several = sum(left.under_way > 1 for left in lefts)
    yield f"{len(lefts)} processes killed, {several} of them with two tokens or more under way"


def main() -> int:
    """Kill, print where, and end with 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.killing", description=__doc__)
    parser.add_argument("--count", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    lefts = campaign(asked.count, seed=asked.seed, workers=asked.workers)
    broken = [f"BROKEN  {left.kill}: {each}" for left in lefts for each in left.broken]
    sys.stdout.writelines(f"{line}\n" for line in (*table(lefts), *broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
