"""Every two acts of operators around one store, whatever becomes of the run: `python -m tests.campaign.pairs`.

What two people do in the window of one request, or one person with a script, is where the dates of a vault say least.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from tests.campaign.conduct import CONSENTS
from tests.campaign.faults import Fault
from tests.campaign.journal import AFTER, BEFORE, STORE, VERSIONS
from tests.campaign.operators import ACTS
from tests.campaign.play import PromiseBroken, play
from tests.campaign.story import FOR_GOOD, Break, Meanwhile, Run, Stop, Story, Trouble

_MOMENTS = ((BEFORE, BEFORE), (BEFORE, AFTER), (AFTER, AFTER))
_CHANGES_NOTHING = ("re-consent without tags", "adopt", BEFORE)
"""Who adopts what is in care already, on top of such a consent: nobody sees that, and its tags are told as lost."""


def pairs() -> Iterator[Story]:
    """Each pair of acts around a store, and each act around the store that puts a re-consent back on top."""
    for one, other, (first, second), end in itertools.product(ACTS, ACTS, _MOMENTS, _ends(0)):
        yield Story(("due",), (Run((Meanwhile(one, STORE, first), Meanwhile(other, STORE, second), *end)),))
    for one, other, moment, end in itertools.product(sorted(CONSENTS), ACTS, (BEFORE, AFTER), _ends(1)):
        if (one, other, moment) != _CHANGES_NOTHING:
            yield Story(("due",), (Run((Meanwhile(one, STORE), Meanwhile(other, STORE, moment, skip=1), *end)),))


def _ends(skip: int) -> tuple[tuple[Trouble, ...], ...]:
    """The run ends well, dies, cannot list the versions, or loses the answer or the request of that store."""
    return (
        (),
        (Stop(STORE, skip=skip),),
        (Break(VERSIONS, Fault.ERROR, times=FOR_GOOD, skip=skip),),
        (Break(STORE, Fault.RESET, AFTER, skip=skip),),
        (Break(STORE, Fault.ERROR, BEFORE, skip=skip),),
    )


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
