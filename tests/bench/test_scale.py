"""The arithmetic of docs/scale.md, done again from the units that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")


def rows(head: str) -> list[list[float]]:
    """The numbers of the table that has this head."""
    table = TEXT.partition(f"| {head}")[2].partition("\n\n")[0].splitlines()[2:]
    assert table
    return [[float(cell) for cell in re.findall(r"\d[\d,.]*", line.replace(",", ""))] for line in table]


@pytest.mark.parametrize("row", rows("tokens in one vault"), ids=lambda row: f"{row[0]:.0f}")
def test_a_run_of_one_vault_follows_from_the_pace_and_the_list(row: list[float]) -> None:
    tokens, due, rotating, listing, seconds, share = row
    assert due == pytest.approx(tokens / 28, abs=0.5)
    assert rotating == pytest.approx(due / 29, abs=0.5)
    assert listing == pytest.approx(tokens * 0.001, abs=0.5)
    assert seconds == pytest.approx(due / 29 + listing, abs=1)
    assert share == pytest.approx(seconds / 480 * 100, abs=0.6)


@pytest.mark.parametrize(
    ("told", "follows"),
    [
        ("389,760", 480 * 29 * 28),
        ("13,920", 480 * 29),
        ("3,190", 110 * 29),
        ("150,000", 150 / 0.001),
        ("555,000", 150 / 0.00027),
        ("1,948,800", 5 * 29 * 480 * 28),
        ("594,000", 480 / (1 / 28 / 64 + 0.001 / 4)),
        ("860,000", 480 / (1 / 28 / 116 + 0.001 / 4)),
        ("706,000", 480 / (1 / 28 / 83 + 0.001 / 4)),
        ("724,000", 480 / (0.011 / 28 + 0.00027)),
        ("181,000", 480 / (0.011 / 28 + 0.00027) / 4),
        ("406", 29 * (2 + 1 + 11)),
    ],
)
def test_every_bound_is_what_its_arithmetic_says(told: str, follows: float) -> None:
    assert told in TEXT
    assert float(told.replace(",", "")) == pytest.approx(follows, rel=0.002)
