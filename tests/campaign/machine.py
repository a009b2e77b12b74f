"""The state machine that makes up stories: Hypothesis draws each step, the schedule plays it at once, and shrinks it.

Which steps there are and how often is said here; what they do in `play`, what must hold in `invariants` and `conduct`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.campaign.faults import cells
from tests.campaign.gate import Tally
from tests.campaign.journal import AFTER, BEFORE, KINDS
from tests.campaign.operators import ACTS
from tests.campaign.play import STATES, WORLD_ACTS, Play, PromiseBroken
from tests.campaign.story import FOR_GOOD, Act, Break, Meanwhile, Run, Step, Stop, Story, Trouble, Wait

_STEPS = 5
_moments = st.sampled_from((BEFORE, AFTER))
_skips = st.sampled_from((0, 0, 0, 1, 2))
_tokens = st.integers(0, 3)
_acts = st.sampled_from((*ACTS, "re-consent", *WORLD_ACTS))

_breaks = st.builds(
    lambda cell, times, skip: Break(cell[0], cell[1], cell[2], times, skip),
    st.sampled_from(tuple(cells())),
    st.sampled_from((1, 1, 3, 6, FOR_GOOD)),
    _skips,
)
_stops = st.builds(Stop, st.sampled_from(KINDS), _moments, _skips)
_meanwhiles = st.builds(Meanwhile, _acts, st.sampled_from(KINDS), _moments, _tokens, _skips)
_troubles: st.SearchStrategy[tuple[Trouble, ...]] = st.lists(
    st.one_of(_breaks, _breaks, _meanwhiles, _meanwhiles, _stops), max_size=4
).map(tuple)
_bursts = st.lists(st.integers(1, 8), min_size=1, max_size=6).map(tuple)
_beginnings = st.one_of(
    *[st.lists(st.sampled_from(STATES[:-1]), min_size=1, max_size=3).map(tuple)] * 15, st.just(("crowd",))
)


@dataclass(slots=True)
class Told:
    """The stories of one search: how many there were, and the last that broke a promise, which is the shrunk one."""

    tally: Tally
    stories: int = 0
    broken: Story | None = None
    found: str = ""


def search(number: int, *, stories: int, shrink: bool = True, progress: Callable[[], None] = lambda: None) -> Told:
    """Play `stories` stories that the seed `number` makes up, until one breaks a promise."""
    told = Told(Tally())

    @seed(number)
    class Schedule(RuleBasedStateMachine):
        """One story, step by step."""

        def __init__(self) -> None:
            super().__init__()
            self._steps: list[Step] = []
            self._beginning: tuple[str, ...] = ()
            self._play: Play | None = None
            told.stories += told.broken is None

        @initialize(tokens=_beginnings)
        def begin(self, tokens: tuple[str, ...]) -> None:
            self._beginning = tokens
            self._play = Play(tokens, told.tally)

        @rule(troubles=_troubles, force=st.booleans(), hurried=st.booleans())
        def run(self, troubles: tuple[Trouble, ...], *, force: bool, hurried: bool) -> None:
            self._take(Run(troubles, force, hurried))

        @rule(troubles=_troubles, bursts=_bursts)
        def overlap(self, troubles: tuple[Trouble, ...], bursts: tuple[int, ...]) -> None:
            self._take(Run(troubles, bursts=bursts))

        @rule(act=_acts, token=_tokens)
        def act(self, act: str, token: int) -> None:
            self._take(Act(act, token))

        @rule(days=st.sampled_from((1, 8)))
        def wait(self, days: int) -> None:
            self._take(Wait(days))

        def teardown(self) -> None:
            if self._play is not None:
                self._guarded(self._play.finish)
            progress()

        @property
        def _story(self) -> Story:
            return Story(self._beginning, tuple(self._steps))

        def _take(self, step: Step) -> None:
            self._steps.append(step)
            if self._play is not None:
                playing = self._play
                self._guarded(lambda: playing.take(step))

        def _guarded(self, do: Callable[[], None]) -> None:
            try:
                do()
            except PromiseBroken as broken:
                told.broken, told.found = self._story, str(broken)
                self._play = None
                raise

    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Schedule,
            settings=settings(
                max_examples=stories,
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                phases=phases,
                verbosity=Verbosity.quiet,
                report_multiple_bugs=False,
                print_blob=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except PromiseBroken:
        if told.broken is None:
            raise
    return told
