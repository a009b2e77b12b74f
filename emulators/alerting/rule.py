"""An alert rule as the deployment makes it: `rules.json` and the `.kql` beside it, with the placeholders filled.

Sources, Azure Monitor documentation: "Create or edit a log search alert rule" (2025-07-22) and
"Overview of Azure Monitor alerts" (2025-05-08) for state and resolving; the supported windows are those that the
service names when it refuses another one (Azure/azure-rest-api-specs, issue 21258).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RULES_FOLDER = Path(__file__).resolve().parents[2] / "infra" / "alerts"

WINDOWS = frozenset(timedelta(minutes=m) for m in (5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880))
FREQUENCIES = WINDOWS - {timedelta(days=2)} | {timedelta(minutes=1)}
DIMENSIONS_AT_MOST = 6
_HEALTHY_PERIODS = (  # the documentation gives both three and two for 15 minutes: three is taken, the later end
    (timedelta(minutes=1), 10),
    (timedelta(minutes=15), 3),
    (timedelta(hours=10), 2),
    (timedelta(hours=12), 1),
)
_LONGEST_STATEFUL = timedelta(hours=12)
_LONGEST_DESCRIPTION = 4_096
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")


class UnsupportedRuleError(ValueError):
    """Azure would refuse the rule, or the emulation does not cover what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One rule; an alert fires for every combination of the dimensions whose value is above the threshold."""

    name: str
    title: str
    subject: str
    description: str
    severity: int
    frequency: timedelta
    window: timedelta
    dimensions: tuple[str, ...]
    measure: str | None
    threshold: float
    stateful: bool
    query: str

    @property
    def healthy_periods(self) -> int:
        """How many evaluations in a row must not meet the condition before a fired alert is resolved."""
        return next(periods for longest, periods in _HEALTHY_PERIODS if self.frequency <= longest)

    @classmethod
    def from_json(cls, name: str, of: Mapping[str, Any], *, query: str, description: str) -> AlertRule:
        """Read one entry of `rules.json`. Raises UnsupportedRuleError."""
        rule = cls(
            name=name,
            title=of["title"],
            subject=of["emailSubject"],
            description=description,
            severity=of["severity"],
            frequency=duration(of["evaluationFrequency"]),
            window=duration(of["windowSize"]),
            dimensions=tuple(of["dimensions"]),
            measure=of["metricMeasureColumn"],
            threshold=of["threshold"],
            stateful=of["autoMitigate"],
            query=query,
        )
        faults = [*_refused(rule), *_not_covered(of)]
        if faults:
            raise UnsupportedRuleError(f"{name}: {'; '.join(faults)}")
        return rule


def load_rules(
    *,
    vaults: Mapping[str, datetime],
    runbook_url: str,
    function_app: str = "contoso-rotation",
    resource_group: str = "rg-contoso-rotation",
    folder: Path = RULES_FOLDER,
) -> tuple[AlertRule, ...]:
    """Every rule of a folder, as deployed for `vaults`: the address of each, and when the job was given it.

    Raises UnsupportedRuleError.
    """
    places = {"{runbookUrl}": runbook_url, "{functionAppName}": function_app, "{resourceGroup}": resource_group}
    known = ", ".join(f'"{url}", "{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"' for url, at in vaults.items())
    return tuple(
        AlertRule.from_json(
            name,
            of,
            query=(folder / f"{name}.kql").read_text().replace("{vaults}", known),
            description=_filled(of["description"], places),
        )
        for name, of in json.loads((folder / "rules.json").read_text()).items()
    )


def _filled(text: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of days, hours and minutes."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UnsupportedRuleError(f"{text} is no duration of days, hours and minutes")
    return timedelta(**{unit: int(count) for unit, count in found.groupdict(default="0").items()})


def _refused(rule: AlertRule) -> list[str]:
    checks = {
        f"no window of {rule.window}": rule.window in WINDOWS,
        f"no frequency of {rule.frequency}": rule.frequency in FREQUENCIES,
        "stateful, and rarer than every 12 hours": not rule.stateful or rule.frequency <= _LONGEST_STATEFUL,
        "more than 6 dimensions": len(rule.dimensions) <= DIMENSIONS_AT_MOST,
        f"no severity {rule.severity}": rule.severity in range(5),
        "a description of more than 4,096 characters": len(rule.description) <= _LONGEST_DESCRIPTION,
    }
    return [fault for fault, well in checks.items() if not well]


def _not_covered(of: Mapping[str, Any]) -> list[str]:
    once = {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
    checks = {
        "which place a dimension has in the payload, but for an alphabetical order, is documented nowhere": of[
            "dimensions"
        ]
        == sorted(of["dimensions"]),
        "several periods need a datetime column in the result": of["failingPeriods"] == once,
        "another operator than GreaterThan": of["operator"] == "GreaterThan",
        "neither Count of rows nor Maximum of a column": of["timeAggregation"]
        == ("Maximum" if of["metricMeasureColumn"] else "Count"),
    }
    return [fault for fault, well in checks.items() if not well]
