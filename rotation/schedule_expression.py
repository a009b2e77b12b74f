"""Check the timer's schedule before the host sees it: NCRONTAB with six fields, as Azure Functions reads it.

The Functions runtime for Python does not check it, and the host only logs an error and never fires. Source: "Timer
trigger for Azure Functions", NCRONTAB expressions. When a schedule fires next is left to the host.
"""

from __future__ import annotations

import re

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _WEEKDAYS),
)
_VALUE = "[0-9]{1,2}|[a-z]{1,9}"
_PART = re.compile(rf"(?P<first>\*|{_VALUE})(-(?P<last>{_VALUE}))?(/(?P<step>[0-9]{{1,2}}))?")


def schedule_fault(expression: str) -> str | None:
    """What is wrong with a schedule, naming the field, or None when the host will take it."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        return f"has {len(fields)} fields instead of six"
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, low, high, names) for part in text.lower().split(",")):
            return f"has a {name} field that is not understood"
    return None


def _is_part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None or (match["step"] is not None and int(match["step"]) == 0):
        return False
    if match["first"] == "*":
        return match["last"] is None
    first = _value(match["first"], low, names)
    last = first if match["last"] is None else _value(match["last"], low, names)
    return first is not None and last is not None and low <= first <= last <= high


def _value(text: str, low: int, names: tuple[str, ...]) -> int | None:
    """A number, or a name of which the first letters are enough."""
    if text.isdigit():
        return int(text)
    return next((low + index for index, name in enumerate(names) if name.startswith(text)), None)
