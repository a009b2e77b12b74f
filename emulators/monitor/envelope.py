"""One telemetry item as it is sent: what the endpoint checks of it, and its parts. Which row it becomes is in `tables`.

Source: Application Insights, "Data collection endpoint protocol" and its schemas (Envelope, Data, ContextTagKeys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

OLDEST = timedelta(hours=48)
"""Older items are refused ("Telemetry channel plug-ins", offline storage: the service takes two days)."""


class RefusedItem(Exception):
    """An item that the endpoint does not take; the text goes back to the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One accepted item. `time` is when it happened, `data` the part that is its type's own."""

    time: datetime
    base_type: str
    data: Mapping[str, Any]
    tags: Mapping[str, str]
    instrumentation_key: str
    sample_rate: float

    @classmethod
    def parse(cls, item: object, *, now: datetime) -> Self:
        """Read one item of a batch. Raises RefusedItem."""
        if not isinstance(item, dict):
            raise RefusedItem("Invalid item: not an object")
        if not item.get("name"):
            raise RefusedItem("Field 'name' on type 'Envelope' is required but missing or empty")
        time = _time(item.get("time"))
        if now - time > OLDEST:
            raise RefusedItem("Field 'time' on type 'Envelope' is older than the allowed min date")
        body = item.get("data")
        if not isinstance(body, dict) or not isinstance(body.get("baseData"), dict):
            raise RefusedItem("Field 'data' on type 'Envelope' is required but missing or empty")
        return cls(
            time=time,
            base_type=str(body.get("baseType", "")),
            data=body["baseData"],
            tags=item.get("tags") or {},
            instrumentation_key=str(item.get("iKey", "")),
            sample_rate=float(item.get("sampleRate") or 100),
        )

    def earlier(self, delta: timedelta) -> Self:
        """The same item, as long ago as `delta` more."""
        return replace(self, time=self.time - delta, data=_shifted(self.data, delta))


def _time(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise RefusedItem("Field 'time' on type 'Envelope' is not a valid time") from None
    if moment.tzinfo is None:
        raise RefusedItem("Field 'time' on type 'Envelope' has no time zone")
    return moment


def _shifted(data: Mapping[str, Any], delta: timedelta) -> Mapping[str, Any]:
    """Dates stand in properties too: a property that is one moves along, or the item would contradict itself."""
    properties = {name: _earlier(text, delta) for name, text in (data.get("properties") or {}).items()}
    return {**data, "properties": properties}


def _earlier(text: str, delta: timedelta) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:  # a date
        return (moment - delta).date().isoformat() if len(text) == len("2026-11-21") else text
    return f"{moment - delta:%Y-%m-%dT%H:%M:%S.%fZ}"
