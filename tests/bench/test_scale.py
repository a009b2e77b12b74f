"""docs/scale.md says what the README's measurements make of it, and its arithmetic comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.readme import NoPlaceError
from bench.scale import units_of, with_tables

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT, README = ((CHECKOUT / page).read_text(encoding="utf-8") for page in ("docs/scale.md", "README.md"))


def rows(head: str) -> list[list[str]]:
    """The cells of the table that has this head."""
    table = TEXT.partition(f"| {head}")[2].partition("\n\n")[0].splitlines()[2:]
    assert table
    return [line.strip("| ").split(" | ") for line in table if line.startswith("|")]


def numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d[\d.]*", cell.replace(",", ""))]


def test_the_page_says_what_the_measurements_in_the_readme_make_of_it() -> None:
    assert with_tables(TEXT, units_of(README)) == TEXT, "run: make bench ARGS=readme"


def test_a_unit_is_a_measurement_rounded_up() -> None:
    (listed,) = re.findall(r"\| 100,000 not due +\| this project +\| ([\d,]+) +\|", README)
    measured, unit = 1000 / numbers(listed)[0], units_of(README).list_ms

    assert unit - 0.1 < measured <= unit
    assert f"{unit:g} ms a token" in TEXT


def test_other_measurements_make_another_page() -> None:
    slower = re.sub(r"(\| 100,000 not due +\| this project +\|) [\d,]+ ", r"\1 500 ", README)

    assert units_of(slower).list_ms == 2.0
    assert "50 ms a page: 2 ms a token" in with_tables(TEXT, units_of(slower))


def test_without_a_row_or_a_place_nothing_is_written() -> None:
    with pytest.raises(NoPlaceError, match="100,000 not due"):
        units_of(README.replace("| 100,000 not due", "| 90,000 not due"))
    with pytest.raises(NoPlaceError, match="one vault"):
        with_tables(TEXT.replace("<!-- one vault: end -->", ""), units_of(README))


@pytest.mark.parametrize("row", rows("tokens in one vault"), ids=lambda row: row[0])
def test_a_run_of_one_vault_follows_from_the_pace_and_the_list(row: list[str]) -> None:
    (tokens, due, rotating, listing, seconds, share) = (numbers(cell)[0] for cell in row)
    (each,) = re.findall(r"N . ([\d.]+)  seconds", TEXT)
    assert due == pytest.approx(tokens / 28, abs=0.5)
    assert rotating == pytest.approx(due / 29, abs=0.5)
    assert listing == pytest.approx(tokens * float(each), abs=0.5)
    assert seconds == pytest.approx(due / 29 + listing, abs=1)
    assert share == pytest.approx(seconds / 480 * 100, abs=0.6)


@pytest.mark.parametrize("row", [row for row in rows("bound") if "/" in row[1]], ids=lambda row: row[0])
def test_a_bound_is_what_its_arithmetic_says(row: list[str]) -> None:
    _, arithmetic, tokens = row
    match numbers(arithmetic):
        case [seconds, one, weekly, rate, each, vaults]:
            follows = seconds / (one / weekly / rate + each / vaults)
        case [seconds, rotated, weekly, listed]:
            follows = seconds / (rotated / weekly + listed)
        case [seconds, each]:
            follows = seconds / each
        case other:
            raise AssertionError(other)
    assert numbers(tokens)[0] == follows // 1000 * 1000


@pytest.mark.parametrize(
    ("told", "follows"),
    [
        ("389,760", 480 * 29 * 28),
        ("13,920", 480 * 29),
        ("3,190", 110 * 29),
        ("1,948,800", 5 * 29 * 480 * 28),
        ("406", 29 * (2 + 1 + 11)),
    ],
)
def test_what_the_text_says_is_what_its_arithmetic_says(told: str, follows: float) -> None:
    assert told in TEXT
    assert float(told.replace(",", "")) == follows
