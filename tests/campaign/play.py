"""Play a story in a cloud of its own, in this process: the product over its real adapters, and a clock that is turned.

After each run its conduct is judged; when the story is over, everything is well again for a few runs, and what is left
is judged. The first promise that is broken is raised.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Sequence
from functools import partial

from emulators.world import JOB_ACTIONS
from rotation.outcome import Kind
from rotation.pace import Clock
from rotation.plan import RunRequest
from rotation.ports import HeldLease, LeaseHolder, always
from rotation.reason import TOKEN_IS_DEAD
from rotation.report import RunReport, Trigger
from rotation.run import Limits, Ports, run
from rotation.token import Thresholds
from tests.campaign import conduct, invariants
from tests.campaign.cloud import Cloud
from tests.campaign.faults import ProcessStopped, RunsForEver
from tests.campaign.gate import STOPS, Armed, Gate, Tally
from tests.campaign.invariants import SILENT, Violation
from tests.campaign.journal import Slept
from tests.campaign.logged import logged
from tests.campaign.state_issuer import state_issuer
from tests.campaign.state_requests import StateLease, job_identity
from tests.campaign.state_vault import StateVault
from tests.campaign.story import Act, Break, Meanwhile, Run, Step, Stop, Story, Trouble, Wait
from tests.campaign.turns import Turns

_LIMITS = Limits(
    thresholds=Thresholds(rotate_after_days=7, inactivity_days=90, warn_before_days=30),
    concurrency=1,
    writes_per_second=1,
    start_seconds=480,
    finish_seconds=120,
)
_HURRIED = Limits(
    thresholds=_LIMITS.thresholds, concurrency=1, writes_per_second=1, start_seconds=30, finish_seconds=20
)
_BETWEEN_SECONDS = 60  # another app's requests are forgotten, and no two runs begin in the same second
_SOME_DAYS = 60  # a story ends before a token could die of inactivity by itself


class PromiseBroken(AssertionError):
    """A story that ended badly; the text says what was found, and never a value."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(map(str, self.violations)))


class NoLease:
    """Runs that do not know of each other."""

    def hold(self, vault_url: str, holder: LeaseHolder) -> contextlib.AbstractContextManager[HeldLease]:
        """Hold nothing, and never lose it."""
        del vault_url, holder
        return contextlib.nullcontext(HeldLease(always))

    def is_lost(self) -> bool:
        """Never."""
        return False


class Play:
    """One story while it is played."""

    def __init__(self, tokens: Sequence[str], tally: Tally | None = None) -> None:
        self.cloud = Cloud(tokens)
        self.tally = tally or Tally()
        self._runs = 0
        self._alone: set[int] = set()  # the runs that had the vault to themselves
        self._days = 0

    # --- the steps

    def take(self, step: Step) -> None:
        """The next step. Raises PromiseBroken."""
        match step:
            case Run():
                self.run(step)
            case Act():
                self.cloud.do(step.act, step.token)
                self._expect(invariants.kept(self.cloud.vault.state, self.cloud.entra, self.cloud.ledger))
            case Wait():
                days = max(0, min(step.days, _SOME_DAYS - self._days))
                self._days += days
                self.cloud.clock.turn(days=days)

    def finish(self) -> None:
        """Everything is well again: nothing may be lost, silent or out of order now. Raises PromiseBroken."""
        self.cloud.vault.access.grant(self.cloud.vault.job, JOB_ACTIONS)
        self.cloud.vault.twice = False
        (report,) = self.run(Run())
        self._expect(invariants.told(_there(report), self.cloud.vault.state, self.cloud.entra, self.cloud.ledger))
        self.cloud.clock.turn(days=8)
        for _ in range(2):
            (report,) = self.run(Run(force=True))
        for outcome in _there(report).tokens:
            if outcome.kind is Kind.ROTATED or outcome.reason in TOKEN_IS_DEAD:
                self.cloud.ledger.tokens[outcome.name].overwritten.discard("consent")
        self._expect(
            (
                *invariants.settled(self.cloud.vault.state, self.cloud.entra, self.cloud.ledger),
                *invariants.tidy(self.cloud.vault.state, _there(report)),
                *invariants.told(_there(report), self.cloud.vault.state, self.cloud.entra, self.cloud.ledger),
            )
        )

    def run(self, step: Run) -> list[RunReport | None]:
        """Carry out one run, or two at once; their reports, None for one that was stopped. Raises PromiseBroken."""
        decidable = not step.bursts and not any(isinstance(trouble, Stop) for trouble in step.troubles)
        armed = [self._armed(trouble, decidable=decidable) for trouble in step.troubles]
        gate = Gate(self.cloud.clock, self.cloud.journal, self.tally, Turns(step.bursts), armed)
        numbers = range(self._runs, self._runs + (step.many if step.bursts else 1))
        self._runs = numbers.stop
        self.cloud.clock.turn(_BETWEEN_SECONDS)
        ended: dict[int, RunReport | None] = {}
        with logged() as logs:
            gate.turns.play([partial(self._carry_out, number, gate, step, ended) for number in numbers], numbers)
        for number in numbers:
            if number not in ended:
                self._expect([Violation(SILENT, "", f"the run ended with an exception: {logs[-1]}")])
            conduct.note_what_may_be_overwritten(self.cloud.journal, number, ended[number], self.cloud.ledger)
        for number in numbers:
            self._judge(number, ended[number])
        self._alone |= set() if step.bursts else set(numbers)
        texts = [text for report in ended.values() if report for text in _texts(report)]
        self._expect(invariants.unseen([*logs, *texts], self.cloud.ledger))
        return list(ended.values())

    def _carry_out(self, number: int, gate: Gate, step: Run, ended: dict[int, RunReport | None]) -> None:
        def sleep(seconds: float) -> None:
            self.cloud.journal.events.append(Slept(number, seconds))
            self.cloud.clock.turn(seconds)

        cloud, clock = self.cloud, Clock(monotonic=self.cloud.clock.monotonic, sleep=sleep)
        lease = NoLease() if step.bursts else StateLease(cloud.lease, gate, run=number, clock=cloud.clock)
        identity = job_identity(cloud.entra, gate, run=number, clock=cloud.clock, ledger=cloud.ledger)
        vault = StateVault(cloud.vault, gate, run=number, clock=clock, identity=identity, is_unleased=lease.is_lost)
        issuer = state_issuer(cloud.entra, gate, run=number, vault=vault.client, ledger=cloud.ledger)
        try:
            ended[number] = run(
                RunRequest(trigger=Trigger.TIMER, force=step.force, list_all=True),
                Ports(vaults=[vault], issuer=issuer, lease=lease, clock=clock),
                _HURRIED if step.hurried else _LIMITS,
                run_id=f"run-{number}",
                now=self.cloud.clock.now(),
            )
        except ProcessStopped:
            ended[number] = None
        except (Exception, RunsForEver):
            logging.getLogger(__name__).exception("a run ended with an exception")

    def _judge(self, number: int, report: RunReport | None) -> None:
        self._expect(
            (
                *invariants.kept(self.cloud.vault.state, self.cloud.entra, self.cloud.ledger),
                *conduct.redeemed_once(self.cloud.journal, number),
                *conduct.stored_once(self.cloud.journal, number),
                *conduct.stored_nothing_used(self.cloud.journal, number, self._alone, self.cloud.ledger),
                *conduct.looked_before_each_store(self.cloud.journal, number),
                *conduct.never_waited_with_a_token(self.cloud.journal, number),
                *conduct.started_with_the_lease(self.cloud.journal, number),
                *(conduct.reported(self.cloud.journal, number, report) if report else ()),
            )
        )

    def _armed(self, trouble: Trouble, *, decidable: bool) -> Armed:
        match trouble:
            case Break(kind, fault, moment, times, skip):
                return Armed(kind=kind, moment=moment, what=fault, times=times, skip=skip)
            case Stop(kind, moment, skip):
                return Armed(kind=kind, moment=moment, what=STOPS, skip=skip)
            case Meanwhile(act, kind, moment, token, skip, at_once):
                do = partial(self.cloud.do, act, token, at_once=at_once, decidable=decidable)
                return Armed(kind=kind, moment=moment, what=act, act=do, skip=skip)

    def _expect(self, violations: Iterable[Violation]) -> None:
        found = tuple(violations)
        if found:
            raise PromiseBroken(found)


def _texts(report: RunReport) -> tuple[str, ...]:
    return json.dumps(report.to_json()), repr(report), str(report)


def _there(report: RunReport | None) -> RunReport:
    if report is None:
        raise TypeError("a run in which nothing stops has a report")
    return report


def play(story: Story, tally: Tally | None = None) -> Play:
    """Play a story to its end. Raises PromiseBroken."""
    playing = Play(story.tokens, tally)
    for step in story.steps:
        playing.take(step)
    playing.finish()
    return playing
