"""Every two acts of operators around one store, whatever becomes of the run: `python -m tests.campaign.pairs`.

What two people do in the window of one request, or one person with a script, is where the dates of a vault say least.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE, STORE, VERSIONS
from tests.campaign.operators import ACTS
from tests.campaign.play import PromiseBroken, play
from tests.campaign.story import FOR_GOOD, Break, Meanwhile, Run, Stop, Story, Trouble

_MOMENTS = ((BEFORE, BEFORE), (BEFORE, AFTER), (AFTER, AFTER))
_ENDS: tuple[tuple[Trouble, ...], ...] = (
    (),
    (Stop(STORE),),
    (Break(VERSIONS, Fault.ERROR, times=FOR_GOOD),),
    (Break(STORE, Fault.RESET, AFTER),),
    (Break(STORE, Fault.ERROR, BEFORE),),
)


def pairs() -> Iterator[Story]:
    """Each pair of acts, before and after the store, in a run that ends well, dies, or loses a request there."""
    for one, other, (first, second), end in itertools.product(ACTS, ACTS, _MOMENTS, _ENDS):
        yield Story(("due",), (Run((Meanwhile(one, STORE, first), Meanwhile(other, STORE, second), *end)),))


def broken(stories: Iterator[Story]) -> Iterator[str]:
    """The stories of these that break a promise, each with what was found."""
    for story in stories:
        try:
            play(story)
        except PromiseBroken as found:
            yield f"{found}\n{story}"


def main() -> int:
    """Play all of them; exit code 1 when one breaks a promise."""
    found = list(broken(pairs()))
    count = sum(1 for _ in pairs())
    print(*found, f"{count} pairs of acts around one store: {len(found)} broke a promise", sep="\n")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
