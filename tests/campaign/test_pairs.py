"""A part of all pairs of acts around one store; the whole is in `make campaign`."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.campaign.conduct import CONSENTS
from tests.campaign.operators import ACTS
from tests.campaign.pairs import broken, pairs

PARTS = 32


def test_there_is_every_pair_of_acts_at_every_moment_with_every_end() -> None:
    stories = list(pairs())

    assert len(stories) == len(set(map(str, stories))) == (len(ACTS) * 3 + len(CONSENTS) * 2) * len(ACTS) * 5 - 5


@pytest.mark.parametrize("part", [0, 5])
def test_what_two_acts_around_one_store_leave_stands_or_is_told(part: int) -> None:
    assert list(broken(islice(pairs(), part, None, PARTS))) == []
