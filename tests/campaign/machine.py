"""The state machine that makes up stories: Hypothesis draws each step, and the step is played at once.

Which steps there are and how often is said here; what they do in `play`, what must hold in `invariants` and `conduct`,
how a story that broke a promise becomes a short one in `shortening`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.campaign.cloud import LEASE_BROKEN, STATES, WORLD_ACTS
from tests.campaign.conduct import CONSENTS
from tests.campaign.faults import Fault, cells
from tests.campaign.gate import Tally
from tests.campaign.journal import (
    ACQUIRE,
    AFTER,
    BEFORE,
    CREDENTIAL,
    DISABLE,
    DISCOVERY,
    HOLDER,
    IDENTITY,
    KINDS,
    LIST,
    LOOK,
    READ,
    REDEEM,
    RELEASE,
    RENEW,
    RETAG,
    ROTATION,
    STORE,
    VERSIONS,
)
from tests.campaign.operators import ACTS
from tests.campaign.play import Play, PromiseBroken
from tests.campaign.story import FOR_GOOD, Act, Break, Meanwhile, Run, Step, Stop, Story, Trouble, Wait

# Hypothesis' own way of making examples repeats and varies parts of those before: five in six are of that kind. Under
# another name the same provider draws each story afresh ("Alternative backends for Hypothesis").
AVAILABLE_PROVIDERS["afresh"] = "hypothesis.internal.conjecture.providers.HypothesisProvider"

_MOST_STEPS = 6
_WEIGHTS = {
    HOLDER: 3,
    ACQUIRE: 3,
    IDENTITY: 2,
    LIST: 2,
    READ: 3,
    CREDENTIAL: 4,
    DISCOVERY: 4,
    REDEEM: 3,
    LOOK: 4,
    STORE: 5,
    VERSIONS: 4,
    DISABLE: 8,
    RETAG: 18,
    RENEW: 9,
    RELEASE: 16,
}  # what comes late or seldom in a run
_CELLS = tuple(cell for cell in cells() for _ in range(_WEIGHTS.get(cell[0], 1)))
_KINDS = (*KINDS, *ROTATION, *ROTATION)  # most of what may be lost is lost in a rotation
_moments = st.sampled_from((BEFORE, AFTER))
_skips = st.sampled_from((0, 0, 0, 1))
_MOST_TOKENS = 3
_tokens = st.integers(0, _MOST_TOKENS - 1)


def _met(troubles: tuple[Trouble, ...]) -> tuple[Trouble, ...]:
    """With what it takes that a rare request is sent: where a lease is to be renewed, a request before it is slow.

    Tags are written where somebody changed them while a token was stored.
    """
    renewed = any(trouble.kind == RENEW for trouble in troubles)
    retagged = any(isinstance(trouble, Break) and trouble.kind == RETAG for trouble in troubles)
    broken = any(isinstance(trouble, Meanwhile) and trouble.act == LEASE_BROKEN for trouble in troubles)
    slow = (Break(LIST, Fault.SLOW),) * renewed + (Break(REDEEM, Fault.SLOW),) * broken
    tagged = tuple(Meanwhile("retag", STORE, token=token) for token in range(_MOST_TOKENS))
    return slow + tagged * retagged + troubles


_acts = st.sampled_from((*ACTS, "re-consent", "retag", *WORLD_ACTS, LEASE_BROKEN))
_breaks = st.builds(
    lambda cell, times, skip: Break(cell[0], cell[1], cell[2], times, skip),
    st.integers(0, len(_CELLS) - 1).map(_CELLS.__getitem__),
    st.sampled_from((1, 1, 1, 3, 6, FOR_GOOD)),
    _skips,
)
_consents = st.sampled_from(sorted(CONSENTS))
_meanwhiles = st.one_of(
    *[st.builds(Meanwhile, _acts, st.sampled_from(_KINDS), _moments, _tokens, _skips)] * 5,
    st.builds(Meanwhile, _consents, st.sampled_from(_KINDS), _moments, _tokens, _skips, at_once=st.just(value=True)),
)
_stops = st.builds(Stop, st.sampled_from(_KINDS), _moments, _skips)
_troubles: st.SearchStrategy[tuple[Trouble, ...]] = st.lists(
    st.one_of(*[_breaks] * 6, _meanwhiles, _meanwhiles, _stops), min_size=1, max_size=6
).map(lambda troubles: _met(tuple(troubles)))
_runs = st.builds(
    Run,
    troubles=_troubles,
    force=st.sampled_from((False, True, True)),
    hurried=st.sampled_from((False, False, True)),
    bursts=st.one_of(st.just(()), st.just(()), st.lists(st.integers(1, 8), min_size=1, max_size=6).map(tuple)),
    many=st.sampled_from((2, 2, 3)),
)
_between = st.one_of(st.builds(Act, _acts, _tokens), st.builds(Wait, st.sampled_from((1, 8))))
_beginnings = st.one_of(
    *[st.lists(st.sampled_from((*STATES[:-1], "revoked")), min_size=1, max_size=_MOST_TOKENS).map(tuple)] * 24,
    st.just(("crowd",)),
)


@dataclass(slots=True)
class Told:
    """What came of a search: how many stories were played, what happened in them, and the one that broke a promise."""

    stories: int = 0
    tally: Tally = field(default_factory=Tally)
    broken: Story | None = None
    found: str = ""


class Schedule(RuleBasedStateMachine):
    """One story while it is made up."""

    def __init__(self, told: Told, progress: Callable[[], None]) -> None:
        super().__init__()
        self._told = told
        self._progress = progress
        self._steps: list[Step] = []
        self._playing: Play | None = None

    @initialize(tokens=_beginnings)
    def begin(self, tokens: tuple[str, ...]) -> None:
        """The tokens that there are."""
        self._tokens = tokens
        self._playing = Play(tokens, self._told.tally)

    @rule(step=_runs)
    def run(self, step: Run) -> None:
        """A run, or two at once, in which things happen."""
        self._take(step)

    @rule(step=_between)
    def between(self, step: Step) -> None:
        """Something happens between two runs."""
        self._take(step)

    def teardown(self) -> None:
        """Everything is well again."""
        if self._playing is not None and self._told.broken is None:
            self._guarded(self._playing.finish)
            self._told.stories += 1
            self._progress()

    def _take(self, step: Step) -> None:
        playing = self._playing
        if playing is not None:
            self._steps.append(step)
            self._guarded(lambda: playing.take(step))

    def _guarded(self, do: Callable[[], None]) -> None:
        try:
            do()
        except PromiseBroken as broken:
            self._playing = None
            self._told.stories += self._told.broken is None
            self._told.broken, self._told.found = Story(self._tokens, tuple(self._steps)), str(broken)
            raise


def search(number: int, *, stories: int, progress: Callable[[], None] = lambda: None) -> Told:
    """Play as many stories, made up from the seed `number`, until one breaks a promise."""
    told = Told()

    @seed(number)
    class Seeded(Schedule):
        def __init__(self) -> None:
            super().__init__(told, progress)

    quietly = settings(
        backend="afresh",
        max_examples=stories,
        stateful_step_count=_MOST_STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Seeded, settings=quietly)
    except (PromiseBroken, Flaky):  # flaky: it did not break the second time; the story is told all the same
        if told.broken is None:
            raise
    return told
