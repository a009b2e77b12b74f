"""NCRONTAB with six fields, as "Timer trigger for Azure Functions" documents it and the host's parser reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.schedule_expression import schedule_fault
from rotation.settings import DEFAULT_SCHEDULE

VALID = """
0 17 */6 * * *
0 5 * * * *
0 */5 * * * *
5,8,10 * * * * *
0 0 * * * *
0 0 */2 * * *
0 0 9-17 * * *
0 30 9 * * *
0 30 9 * * 1-5
0 30 9 * Jan Mon
0 30 9 * JAN,feb,March mon-Fri
0 0 0 1 1 0
59 59 23 31 12 6
0 0 6-18/4 * * *
0 5/15 * * * *
0 0 12 * september Wednesday
0 0 12 * Sept Tues,Thurs
* * * * * *
0 0 0 1,15 */3 *
00 07 06 * * *
"""

INVALID = """
17 */6 * * *
0 17 */6 * * * *
60 * * * * *
0 60 * * * *
0 0 24 * * *
0 0 0 0 * *
0 0 0 32 * *
0 0 0 * 0 *
0 0 0 * 13 *
0 0 0 * * 7
0 0 0 * * 0-7
-1 * * * * *
0 1.5 * * * *
0 */0 * * * *
0 / * * * *
0 */ * * * *
0 5- * * * *
0 -5 * * * *
0 *-5 * * * *
0 1,,2 * * * *
0 ,1 * * * *
0 17 9-5 * * *
0 0 0 ? * *
0 0 0 L * *
0 0 0 * * MON#1
0 0 0 * * Mondy
0 0 0 * * Monkey
0 0 0 * * Mondays
0 0 0 * Mon *
0 0 Jan * * *
0 0 0 * * MO-
every six hours
@daily
24:00:00
%ROTATION_SCHEDULE%
"""
LOOK_ALIKES = ["0 \u0661\u0667 * * * *", "0 */\u0662 * * * *", "0 0 0 * * \u017fun"]


@pytest.mark.parametrize("expression", VALID.strip().splitlines())
def test_what_the_host_fires_on_is_taken(expression: str) -> None:
    assert schedule_fault(expression) is None


@pytest.mark.parametrize(
    "expression", ["", " ", *INVALID.strip().splitlines(), "0 " + "9" * 5000 + " * * * *", *LOOK_ALIKES]
)
def test_what_the_host_would_never_fire_on_is_a_fault_that_does_not_repeat_it(expression: str) -> None:
    fault = schedule_fault(expression)
    assert fault is not None
    assert fault.startswith("has ")
    assert len(expression) < 4 or expression not in fault


@pytest.mark.parametrize(
    ("position", "name"),
    [*enumerate(["second", "minute", "hour", "day of month", "month", "day of week"])],
)
def test_the_fault_names_the_field(position: int, name: str) -> None:
    fields = ["*"] * 6
    fields[position] = "x"
    assert schedule_fault(" ".join(fields)) == f"has a {name} field that is not understood"


def test_the_default_is_every_six_hours_and_valid() -> None:
    assert DEFAULT_SCHEDULE == "0 17 */6 * * *"
    assert schedule_fault(f"  {DEFAULT_SCHEDULE.replace(' ', chr(9))} ") is None


@given(st.text(st.characters(exclude_categories=())) | st.text("0123456789*,-/ MONJAn", max_size=40))
def test_any_text_is_valid_or_has_a_fault(expression: str) -> None:
    fault = schedule_fault(expression)
    assert fault is None or fault.startswith("has ")
    assert fault is not None or len(expression.split()) == 6
