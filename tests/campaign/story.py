"""A schedule as a value: which tokens there are, and what happens one after the other. Printed, replayed, shrunk.

What each step does is left to `play`, which of them there are in a campaign to `machine`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE

type Trouble = Break | Stop | Meanwhile


@dataclass(frozen=True, slots=True)
class Break:
    """The next request of a kind fails; the first `skip` of them pass, and `times` fail."""

    kind: str
    fault: Fault
    moment: str = BEFORE
    times: int = 1
    skip: int = 0

    def __str__(self) -> str:
        effect = "before it has an effect" if self.moment == BEFORE else "its work done"
        return f"{_nth(self.skip)} {self.kind} fails {effect}: {self.fault}" + _times(self.times)


@dataclass(frozen=True, slots=True)
class Stop:
    """The process stops at a request."""

    kind: str
    moment: str = AFTER
    skip: int = 0

    def __str__(self) -> str:
        return f"the process stops {self.moment} {_nth(self.skip)} {self.kind}"


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else acts between two requests of a run; `token` is the position of the token that is meant.

    `at_once`: in the very second of what happens around it; else a vault's dates tell what came first.
    """

    act: str
    kind: str
    moment: str = BEFORE
    token: int = 0
    skip: int = 0
    at_once: bool = False

    def __str__(self) -> str:
        when = ", in the same second" * self.at_once
        return f"{self.moment} {_nth(self.skip)} {self.kind}: {self.act}, token {self.token}{when}"


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody else acts between two runs."""

    act: str
    token: int = 0

    def __str__(self) -> str:
        return f"{self.act}, token {self.token}"


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    days: int

    def __str__(self) -> str:
        return f"{self.days} days pass"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the timer, or `many` at once without a lease when `bursts` says how they take turns."""

    troubles: tuple[Trouble, ...] = ()
    force: bool = False
    hurried: bool = False
    bursts: tuple[int, ...] = ()
    many: int = 2

    def __str__(self) -> str:
        turns = f"{self.many} runs at once, taking turns after {', '.join(map(str, self.bursts))}"
        what = turns if self.bursts else "a run"
        how = ", forced" * self.force + ", with 30 seconds" * self.hurried
        return f"{what}{how}" + "".join(f"\n     - {trouble}" for trouble in self.troubles)


type Step = Run | Act | Wait


@dataclass(frozen=True, slots=True)
class Story:
    """Tokens by the state in which the story finds them, and the steps."""

    tokens: tuple[str, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        told = [f"{number:3}. {step}" for number, step in enumerate(self.steps, start=1)]
        return "\n".join([f"tokens: {', '.join(self.tokens)}", *told, "then everything is well again"])


def _nth(skip: int) -> str:
    return "the next" if not skip else f"after {skip} more, the next"


def _times(times: int) -> str:
    return "" if times == 1 else f", {times} times" if times < FOR_GOOD else ", for the rest of the run"


FOR_GOOD = 999
