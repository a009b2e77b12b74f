"""Play a story in a cloud of its own, in this process: the product over its real adapters, and a clock that is turned.

After each run its conduct is judged; when the story is over, everything is well again for a few runs, and what is left
is judged. The first promise that is broken is raised.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial

from emulators.entra.state import EntraState
from emulators.entra.tokens import SigningKey, base64url
from emulators.keyvault.access import DataAction
from emulators.keyvault.errors import ThrottledError
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import CREATES, OTHERS, Throttle
from emulators.world import CLIENT_ID, JOB_ACTIONS, TENANT_ID
from rotation.pace import Clock
from rotation.plan import RunRequest
from rotation.ports import HeldLease, LeaseHolder, always
from rotation.report import RunReport, Trigger
from rotation.run import Limits, Ports, run
from rotation.token import REDEEMED_AT, Thresholds, timestamp
from tests.campaign import conduct, invariants
from tests.campaign.faults import ProcessStopped, RunsForEver
from tests.campaign.gate import STOPS, Armed, Gate, Tally
from tests.campaign.invariants import SILENT, Violation
from tests.campaign.journal import Acted, Journal, Slept
from tests.campaign.ledger import Ledger
from tests.campaign.operators import ACTS, Operators
from tests.campaign.state_issuer import state_issuer
from tests.campaign.state_vault import EmulatedVault, StateVault
from tests.campaign.story import Act, Break, Meanwhile, Run, Step, Stop, Story, Trouble, Wait
from tests.campaign.turned_clock import TurnedClock
from tests.campaign.turns import Turns

CLIENT_SECRET, CREDENTIAL = "contoso client secret of the campaign", "partner-app"
CROWD = 12
"""More tokens than the pace lets through in one burst, at a permit a second."""

_NAMES = ("contoso", "fabrikam", "adventure-works", "tailspin")
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

STATES = ("due", "fresh", "never redeemed", "revoked", "due with a content type", "crowd")
"""How a story finds a token; a crowd is twelve of them."""


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


class Play:
    """One story while it is played."""

    def __init__(self, tokens: Sequence[str], tally: Tally | None = None) -> None:
        self.clock = TurnedClock()
        self.journal = Journal()
        self.tally = tally or Tally()
        self.ledger = Ledger(secrets={CLIENT_SECRET})
        self.entra = EntraState("https://login.loopback.example", key=_signing_key(), now=self.clock.now)
        self.vault = _vault(self.clock)
        self.operators = Operators(
            vault=self.vault.state,
            entra=self.entra,
            tenant_id=TENANT_ID,
            client_id=CLIENT_ID,
            client_credential=f"secret:{CREDENTIAL}",
            ledger=self.ledger,
            later=self.clock.turn,
            observe=lambda act, name: self.journal.events.append(Acted(act, name)),
        )
        self.names: list[str] = []
        self._states: dict[str, str] = {}
        self._runs = 0
        self._days = 0
        self._begin(tokens)

    def _begin(self, tokens: Sequence[str]) -> None:
        self.entra.add_tenant(TENANT_ID, "contoso.onmicrosoft.com")
        self.entra.register_app(TENANT_ID, CLIENT_ID, secrets=[CLIENT_SECRET])
        self.vault.state.put(CREDENTIAL, CLIENT_SECRET)
        for state, name in zip(tokens, _NAMES, strict=False):
            crowd = [f"{name}-{number:02}" for number in range(CROWD)] if state == "crowd" else [name]
            for one in crowd:
                self._consent(one, state)
            self.names += crowd
        for days, fresh in ((20, False), (7, True), (1, None)):
            self.clock.turn(days=days)
            for name, state in self._states.items():
                if state != "never redeemed" and (state == "fresh") is fresh:
                    self._rotated(name)

    def _consent(self, name: str, state: str) -> None:
        """A token of this state, when somebody put it under care."""
        self.operators.begin(
            name,
            tags={"label": f"{name.title()} Ltd", "owner": "identity team"},
            content_type="text/plain" if state == "due with a content type" else None,
        )
        self._states[name] = state

    def _rotated(self, name: str) -> None:
        """The token as a run left it at this moment, with the version before it still enabled."""
        meant = self.ledger.tokens[name]
        value = self.entra.descendant(meant.consents[0])
        self.ledger.secrets.add(value)
        tags = {**meant.tags, REDEEMED_AT: timestamp(self.clock.now())}
        self.vault.state.put(name, value, tags=tags, content_type=meant.content_type)
        if self._states[name] == "revoked":
            self.entra.revoke(self.operators.accounts[name])

    # --- the steps

    def take(self, step: Step) -> None:
        """The next step. Raises PromiseBroken."""
        match step:
            case Run():
                self.run(step)
            case Act():
                self._do(step.act, step.token)
                self._expect(invariants.kept(self.vault.state, self.entra, self.ledger))
            case Wait():
                days = max(0, min(step.days, _SOME_DAYS - self._days))
                self._days += days
                self.clock.turn(days=days)

    def finish(self) -> None:
        """Everything is well again: nothing may be lost, silent or out of order now. Raises PromiseBroken."""
        self.vault.access.grant(self.vault.job, JOB_ACTIONS)
        self.vault.twice = False
        (report,) = self.run(Run())
        self._expect(invariants.told(_there(report), self.vault.state, self.entra, self.ledger))
        self.clock.turn(days=8)
        for _ in range(2):
            (report,) = self.run(Run(force=True))
        for name, meant in self.ledger.tokens.items():
            if any(outcome.name == name and outcome.kind == "rotated" for outcome in _there(report).tokens):
                meant.overwritten.discard("consent")
        self._expect(
            (
                *invariants.settled(self.vault.state, self.entra, self.ledger),
                *invariants.tidy(self.vault.state, _there(report)),
            )
        )

    def _do(self, act: str, token: int) -> None:
        if act in WORLD_ACTS:
            WORLD_ACTS[act](self.vault)
        else:
            ACTS[act](self.operators, self.names[token % len(self.names)])

    def run(self, step: Run) -> list[RunReport | None]:
        """Carry out one run, or two at once; their reports, None for one that was stopped. Raises PromiseBroken."""
        armed = [self._armed(trouble) for trouble in step.troubles]
        gate = Gate(self.clock, self.journal, self.tally, Turns(step.bursts), armed)
        numbers = range(self._runs, self._runs + (2 if step.bursts else 1))
        self._runs = numbers.stop
        self.clock.turn(_BETWEEN_SECONDS)
        ended: dict[int, RunReport | None] = {}
        with logged() as logs:
            gate.turns.play([partial(self._carry_out, number, gate, step, ended) for number in numbers], numbers)
        for number in numbers:
            if number not in ended:
                self._expect([Violation(SILENT, "", f"the run ended with an exception: {logs[-1]}")])
            self._judge(number, ended[number])
        texts = [text for report in ended.values() if report for text in _texts(report)]
        self._expect(invariants.unseen([*logs, *texts], self.ledger))
        return list(ended.values())

    def _carry_out(self, number: int, gate: Gate, step: Run, ended: dict[int, RunReport | None]) -> None:
        def sleep(seconds: float) -> None:
            self.journal.events.append(Slept(number, seconds))
            self.clock.turn(seconds)

        clock = Clock(monotonic=self.clock.monotonic, sleep=sleep)
        vault = StateVault(self.vault, gate, run=number, clock=clock)
        issuer = state_issuer(self.entra, gate, run=number, vault=vault.client, ledger=self.ledger)
        try:
            ended[number] = run(
                RunRequest(trigger=Trigger.TIMER, force=step.force, list_all=True),
                Ports(vaults=[vault], issuer=issuer, lease=NoLease(), clock=clock),
                _HURRIED if step.hurried else _LIMITS,
                run_id=f"run-{number}",
                now=self.clock.now(),
            )
        except ProcessStopped:
            ended[number] = None
        except (Exception, RunsForEver):
            logging.getLogger(__name__).exception("a run ended with an exception")

    def _judge(self, number: int, report: RunReport | None) -> None:
        conduct.note_what_may_be_overwritten(self.journal, number, report, self.ledger)
        self._expect(
            (
                *invariants.kept(self.vault.state, self.entra, self.ledger),
                *conduct.redeemed_once(self.journal, number),
                *conduct.stored_once(self.journal, number),
                *conduct.looked_before_each_store(self.journal, number),
                *conduct.never_waited_with_a_token(self.journal, number),
                *(conduct.reported(self.journal, number, report) if report else ()),
            )
        )

    def _armed(self, trouble: Trouble) -> Armed:
        match trouble:
            case Break(kind, fault, moment, times, skip):
                return Armed(kind=kind, moment=moment, what=fault, times=times, skip=skip)
            case Stop(kind, moment, skip):
                return Armed(kind=kind, moment=moment, what=STOPS, skip=skip)
            case Meanwhile(act, kind, moment, token, skip):
                do = partial(self._do, act, token)
                return Armed(kind=kind, moment=moment, what=act, act=do, skip=skip)

    def _expect(self, violations: Iterable[Violation]) -> None:
        found = tuple(violations)
        if found:
            raise PromiseBroken(found)


def _deny(vault: EmulatedVault, *, action: DataAction) -> None:
    vault.access.deny(vault.job, [action])


def _eat(vault: EmulatedVault, *, create: bool, times: int) -> None:
    with contextlib.suppress(ThrottledError):
        for _ in range(times):
            vault.throttle.take(create=create)


class _Unsigned(SigningKey):
    """Nobody verifies a token in a schedule, and signing is most of what a redemption costs."""

    def sign(self, claims: Mapping[str, object]) -> str:
        parts = ({"alg": "RS256", "kid": "the issuer's"}, claims)
        encoded = (base64url(json.dumps(part).encode()) for part in parts)
        return ".".join((*encoded, base64url(secrets.token_bytes(256))))


@cache
def _signing_key() -> SigningKey:
    return _Unsigned()


def _vault(clock: TurnedClock) -> EmulatedVault:
    vault = EmulatedVault(
        url="https://vault.loopback.example",
        state=VaultState("contoso", now=clock.now),
        throttle=Throttle(monotonic=clock.monotonic, retry_after=True),
        job="the job",
        credential=CREDENTIAL,
    )
    vault.access.grant(vault.job, JOB_ACTIONS)
    return vault


class _Kept(logging.Handler):
    """Keeps everything that a log record can show."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [record.getMessage(), str(vars(record))]
        if record.exc_info:
            self.texts.append("".join(traceback.format_exception(*record.exc_info)))


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """Everything that is logged in a block, by whatever library, from DEBUG on."""
    root, kept = logging.getLogger(), _Kept()
    level, handlers = root.level, root.handlers
    root.setLevel(logging.DEBUG)
    root.handlers = [kept]
    try:
        yield kept.texts
    finally:
        root.setLevel(level)
        root.handlers = handlers


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


WORLD_ACTS: Mapping[str, Callable[[EmulatedVault], None]] = {
    **{f"{action.name.lower()} is taken away": partial(_deny, action=action) for action in JOB_ACTIONS},
    "every permission is back": lambda vault: vault.access.grant(vault.job, JOB_ACTIONS),
    "another app eats the creates": partial(_eat, create=True, times=CREATES),
    "another app eats the other requests": partial(_eat, create=False, times=OTHERS),
    "the list shows a secret twice": lambda vault: setattr(vault, "twice", True),
}
"""Acts that are about the vault and no token."""
