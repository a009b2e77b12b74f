"""What happens in a schedule that runs over the wire: which request meets which fault, and who acts meanwhile.

A schedule follows from its number and the seed alone, tells itself as a story, and can be shrunk. Carrying it out is
left to `wire`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from emulators.faults import Answer, Delay, Fault, Hang, Reset
from tests.campaign import operators
from tests.campaign.moments import REQUESTS, RETAG_AT

SEED, SCHEDULES = 20261121, 300
SECONDS = 0.4
"""How long the product waits for an answer."""

_FORBIDDEN = {"error": {"code": "Forbidden", "message": "", "innererror": {"code": "ForbiddenByRbac"}}}
_REJECTED = {"error": "invalid_grant", "error_codes": [70000]}
_HTML = {"content-type": "text/html"}

BOTH: dict[str, Callable[[bool, bool], Fault]] = {
    "reset": lambda after, _: Reset(after_effect=after),
    "no answer": lambda after, _: Hang(after_effect=after),
    "refused": lambda after, issuer: (
        Answer(400, body=_REJECTED, after_effect=after) if issuer else Answer(403, body=_FORBIDDEN, after_effect=after)
    ),
    "429": lambda after, _: Answer(429, after_effect=after),
    "429 Retry-After": lambda after, _: Answer(429, {"Retry-After": "3"}, after_effect=after),
    "500": lambda after, _: Answer(500, after_effect=after),
    "HTML": lambda after, _: Answer(200, _HTML, b"<html>Please sign in</html>", after_effect=after),
}
"""Faults that hit before the effect or after it; told whether the issuer is asked."""

BEFORE: dict[str, Fault] = {"slow": Delay(SECONDS / 8), "late effect": Delay(SECONDS * 1.5)}
"""Faults that delay the effect: the answer is late, or the effect comes when nobody waits for it any more."""

RESTORED, DENIED, QUOTA_EATEN = "delete and restore", "deny", "eat the quota"
ACTS = (*(act for act in operators.ACTS if act not in ("enable", "restore", "adopt")), RESTORED, DENIED, QUOTA_EATEN)
"""What others do meanwhile: operators, an administrator who takes a right away, another app that eats the quota."""

_ONCE, _ACTS, _OVERLAPPED = 0.6, 0.6, 0.1  # how often the first fault is single, a further event an act, a run two
_WAITED_FOR = ("no answer", "late effect")


@dataclass(frozen=True, slots=True)
class Event:
    """One request of one token's rotation, and what happens there: a fault, `times` in a row, or somebody's act."""

    request: str
    token: int
    what: str
    after_effect: bool = False
    times: int | None = 1

    def __str__(self) -> str:
        times = "for good" if self.times is None else f"{self.times} times"
        how_often = "" if self.times == 1 else f", {times}"
        moment = "after" if self.after_effect else "before"
        return f"token {self.token}: {self.what} {moment} the effect of {self.request!r}{how_often}"

    def fault(self) -> Fault:
        """The fault of the emulators that this is. KeyError for an act."""
        if self.what in BEFORE:
            return replace(BEFORE[self.what])
        return BOTH[self.what](self.after_effect, REQUESTS[self.request].issuer)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Some tokens that are due, what happens while a run rotates them, and whether a second run overlaps it."""

    number: int
    tokens: int
    events: tuple[Event, ...]
    workers: int = 1
    overlapped: bool = False

    def __str__(self) -> str:
        runs = "two runs at once without a lease" if self.overlapped else "one run"
        what = f"schedule {self.number}: {self.tokens} tokens, {runs}, {self.workers} tokens at a time"
        return "\n".join([what, *(f"  {event}" for event in self.events)])

    def smaller(self) -> Iterator[Schedule]:
        """The schedules that have one event less, or no second run."""
        for index in range(len(self.events)):
            yield replace(self, events=self.events[:index] + self.events[index + 1 :])
        if self.overlapped:
            yield replace(self, overlapped=False)


def cells() -> list[tuple[str, str, bool]]:
    """Every request with every fault, before and after its effect: the table that a campaign has to fill."""
    both = [(request, fault, after) for request in REQUESTS for fault in BOTH for after in (False, True)]
    return both + [(request, fault, False) for request in REQUESTS for fault in BEFORE]


def schedule(number: int, *, seed: int = SEED) -> Schedule:
    """The schedule of this number: one fault out of the table in its turn, and up to three more events by chance.

    In the first round of the table, and in every other one, that fault is met for certain: whatever else happens,
    operators do to other tokens.
    """
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - replayable, and nothing is secret
    table = cells()
    random.Random(seed).shuffle(table)  # noqa: S311
    certain = number // len(table) % 2 == 0
    tokens = chance.randint(2, 4)
    events = _possible([_fault(chance, table[number % len(table)], tokens, once=chance.random() < _ONCE)])
    for _ in range(chance.randint(0, 3)):
        acts = chance.random() < _ACTS
        drawn = _act(chance, tokens) if acts else _fault(chance, chance.choice(table), tokens, once=False)
        apart = drawn.what in operators.ACTS and drawn.token != events[0].token
        if all(_goes_with(each, events) and (apart or not certain) for each in _possible([drawn])):
            events += _possible([drawn])
    late = any((event.request, event.what) == ("store", "late effect") for event in events)
    overlapped = chance.random() < _OVERLAPPED and not certain and not late
    return Schedule(number, tokens, tuple(events), chance.choice([1, 1, 4]), overlapped=overlapped)


def _possible(events: list[Event]) -> list[Event]:
    """These, and what it takes to meet them: tags are changed by a run only where somebody has changed them."""
    followed = [Event(RETAG_AT, event.token, "retag") for event in events if event.request == "retag"]
    return followed + events


def _fault(chance: random.Random, cell: tuple[str, str, bool], tokens: int, *, once: bool) -> Event:
    request, fault, after = cell
    often = [1] if once else [1, 2] if fault in _WAITED_FOR else [2, 4, None, None]
    return Event(request, chance.randrange(tokens), fault, after, chance.choice(often))


def _act(chance: random.Random, tokens: int) -> Event:
    return Event(chance.choice([*REQUESTS]), chance.randrange(tokens), chance.choice(ACTS), chance.random() < 0.5)


def _goes_with(drawn: Event, events: list[Event]) -> bool:
    """Whether it can be told what should come of it: one act for a token, and nothing that no client could prevent.

    A store that takes effect when its run has ended covers whatever was done meanwhile: Key Vault has no
    compare-and-swap (docs/adr/0002).
    """
    alike = [event for event in (*events, drawn) if event.token == drawn.token]
    late = any((event.request, event.what) == ("store", "late effect") for event in alike)
    acts = sum(event.what in ACTS for event in alike)
    return acts <= (0 if late else 1)
