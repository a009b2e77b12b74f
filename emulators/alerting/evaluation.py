"""One rule over time: evaluated every so often, one alert for each series, fired once and resolved after health.

A stateful alert fires once and stays fired until its series has not met the condition for the documented number of
evaluations; a stateless one fires at each evaluation. When a row is seen is the workspace's to say. Limits: "Azure
Monitor service limits", Alerts (2025-02-02).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulators.alerting.mail import Condition, Mail
from emulators.alerting.rule import AlertRule
from emulators.alerting.workspace import Workspace

STATEFUL_AN_EVALUATION = 300
STATEFUL_AT_A_TIME = 5_000
STATELESS_AN_EVALUATION = 6_000
NEVER = datetime.max.replace(tzinfo=UTC)

type Series = tuple[tuple[str, object], ...]
"""The dimensions of an alert, each with its value."""


@dataclass(slots=True)
class _Fired:
    since: datetime
    healthy: int = 0


@dataclass(slots=True)
class _Alerts:
    """The alerts of one rule that are fired now."""

    rule: AlertRule
    fired: dict[Series, _Fired] = field(default_factory=dict)

    def see(self, violating: dict[Series, float], at: datetime) -> Iterator[Mail]:
        """One evaluation: what fires, then what is resolved."""
        if not self.rule.stateful:
            for series, value in list(violating.items())[:STATELESS_AN_EVALUATION]:
                yield self._mail(Condition.FIRED, series, at, at, value)
            return
        new = [series for series in violating if series not in self.fired]
        for series in new[: min(STATEFUL_AN_EVALUATION, STATEFUL_AT_A_TIME - len(self.fired))]:
            self.fired[series] = _Fired(at)
            yield self._mail(Condition.FIRED, series, at, at, violating[series])
        for series, alert in list(self.fired.items()):
            alert.healthy = 0 if series in violating else alert.healthy + 1
            if alert.healthy >= self.rule.healthy_periods:
                del self.fired[series]
                yield self._mail(Condition.RESOLVED, series, at, alert.since, None)

    def _mail(self, condition: Condition, series: Series, sent: datetime, fired: datetime, value: float | None) -> Mail:
        return Mail(rule=self.rule, condition=condition, dimensions=dict(series), sent=sent, fired=fired, value=value)


def evaluate(rule: AlertRule, workspace: Workspace, *, since: datetime, until: datetime) -> list[Mail]:
    """Every mail of a rule that is deployed at `since`, by `until`.

    The query is run again only where its result can have changed; in between, the last result holds.
    """
    changes = workspace.changes(rule.query, reaching_back=rule.window)
    alerts, mails = _Alerts(rule), list[Mail]()
    violating, next_change = dict[Series, float](), since
    for at in _moments(since, until, rule.frequency):
        if next_change <= at:
            violating = _violating(rule, workspace, at)
            next_change = next(iter(changes[bisect_left(changes, at) :]), NEVER)
        mails += alerts.see(violating, at)
    return mails


def _moments(since: datetime, until: datetime, every: timedelta) -> Iterator[datetime]:
    at = since
    while at <= until:
        yield at
        at += every


def _violating(rule: AlertRule, workspace: Workspace, at: datetime) -> dict[Series, float]:
    """The series that meet the condition, each with its measure."""
    values: dict[Series, float] = {}
    for row in workspace.query(rule.query, at=at, reaching_back=rule.window):
        series = tuple((dimension, row[dimension]) for dimension in rule.dimensions)
        if rule.measure is None:
            values[series] = values.get(series, 0) + 1
        else:
            values[series] = max(values.get(series, 0), float(str(row[rule.measure])))
    return {series: values[series] for series in sorted(values, key=str) if values[series] > rule.threshold}
