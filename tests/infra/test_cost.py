"""The cost page says what the model computes, for the rules that are deployed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.infra import cost

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", list(cost.rows()))
def test_the_page_has_every_row_of_the_model(row: str) -> None:
    assert row in PAGE.splitlines()


def test_the_page_has_no_amount_that_the_model_does_not_have() -> None:
    amounts = PAGE.partition("| meter | price |")[2].partition("The tables are computed")[0]
    rows = [line for line in amounts.splitlines() if re.match(r"\| [A-Z*]", line)]
    assert rows == list(cost.rows())


def test_the_rules_have_the_frequency_that_they_are_priced_at() -> None:
    rules = json.loads(cost.RULES.read_text(encoding="utf-8"))
    assert {rule["evaluationFrequency"] for rule in rules.values()} <= {"PT15M", "PT30M", "PT1H", "P1D"}


def test_a_run_more_a_day_costs_more() -> None:
    few, many = (cost.Usage(tokens=100, rules=6, runs_a_day=runs) for runs in (4, 24))
    assert sum(each.dollars(many) for each in cost.METERS) > sum(each.dollars(few) for each in cost.METERS)


def test_every_knob_is_a_variable_of_the_parameters() -> None:
    known = set(re.findall(r"\$\{(\w+)", (CHECKOUT / "infra" / "main.parameters.json").read_text(encoding="utf-8")))
    knobs = set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE))
    assert knobs
    assert knobs <= known
