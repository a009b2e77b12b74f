"""Azure's own semantics of an alert: when it fires, how often, when it is resolved, and how many mails get through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from emulators.alerting import MAILS_AN_HOUR, AlertRule, Condition, Mail, Row, Workspace, delivered, evaluate
from tests.alerts.events import NINE

MINUTE = timedelta(minutes=1)
LATE = NINE + timedelta(hours=30)
RULE = AlertRule(
    name="failures",
    title="Failures",
    subject="",
    description="",
    severity=1,
    frequency=5 * MINUTE,
    window=15 * MINUTE,
    dimensions=("subject",),
    measure="tokens",
    threshold=0,
    stateful=True,
    query="AppEvents | where TimeGenerated > ago(10m) | summarize tokens = count() by subject = Name",
)


def rows(*minutes: float, name: str = "contoso") -> list[Row]:
    return [{"TimeGenerated": NINE + minute * MINUTE, "Name": name, "Properties": {}} for minute in minutes]


def told(mails: list[Mail]) -> list[tuple[str, float]]:
    return [(mail.condition, (mail.sent - NINE) / MINUTE) for mail in mails]


def mails_of(rule: AlertRule, *given: Row, until: datetime = LATE) -> list[Mail]:
    return evaluate(rule, Workspace(given), since=NINE, until=until)


def test_it_fires_at_the_next_evaluation_and_is_resolved_after_three_healthy_ones() -> None:
    # Seen at 5 and 10; the row of minute 1 is out of ago(10m) from 11 on: healthy at 15, 20 and 25.
    assert told(mails_of(RULE, *rows(1))) == [("Fired", 5), ("Resolved", 25)]


@pytest.mark.parametrize(
    ("frequency", "healthy"),
    [(MINUTE, 10), (5 * MINUTE, 3), (15 * MINUTE, 3), (30 * MINUTE, 2), (360 * MINUTE, 2), (720 * MINUTE, 1)],
)
def test_how_long_it_must_be_healthy_follows_from_the_frequency(frequency: timedelta, healthy: int) -> None:
    day = timedelta(days=1)
    rule = replace(RULE, frequency=frequency, window=day, query=RULE.query.replace("10m", "1d"))
    fired, resolved = mails_of(rule, *rows(0.5), until=NINE + 4 * day)
    last_violation = max(at for at in (fired.sent + n * frequency for n in range(1_500)) if at <= NINE + day)
    assert resolved.sent == last_violation + healthy * frequency


def test_it_mails_once_however_long_it_lasts_and_health_must_be_without_a_break() -> None:
    assert told(mails_of(RULE, *rows(1, 8, 20, 34))) == [("Fired", 5), ("Resolved", 55)]


def test_it_fires_again_after_it_was_resolved() -> None:
    assert [condition for condition, _ in told(mails_of(RULE, *rows(1, 61)))] == ["Fired", "Resolved"] * 2


def test_every_series_is_an_alert_of_its_own() -> None:
    mails = mails_of(RULE, *rows(1), *rows(2, name="fabrikam"), *rows(41, name="contoso"))
    assert [mail.dimensions["subject"] for mail in mails if mail.condition is Condition.FIRED] == [
        "contoso",
        "fabrikam",
        "contoso",
    ]


def test_a_stateless_rule_fires_at_every_evaluation_and_resolves_nothing() -> None:
    assert told(mails_of(replace(RULE, stateful=False), *rows(1))) == [("Fired", 5), ("Fired", 10)]


def test_a_rule_sees_no_further_back_than_its_window() -> None:
    query = RULE.query.replace("10m", "60m")
    assert told(mails_of(replace(RULE, query=query), *rows(1))) == [("Fired", 5), ("Resolved", 30)]


def test_a_rule_sees_nothing_before_it_happens() -> None:
    assert told(mails_of(RULE, *rows(61)))[0] == ("Fired", 65)


def test_a_rule_sees_a_row_when_it_is_ingested_whenever_it_was_sent() -> None:
    late = [{**row, "Visible": NINE + 7 * MINUTE} for row in rows(1)]
    assert told(mails_of(RULE, *late)) == [("Fired", 10), ("Resolved", 25)]
    assert told(mails_of(RULE, *({**row, "Visible": NINE + 20 * MINUTE} for row in rows(1)))) == []


def test_without_a_measure_the_rows_are_counted_against_the_threshold() -> None:
    rule = replace(
        RULE, measure=None, threshold=1, query="AppEvents | where TimeGenerated > ago(10m) | project subject = Name"
    )
    assert told(mails_of(rule, *rows(1))) == []
    assert told(mails_of(rule, *rows(1, 2)))[0] == ("Fired", 5)


def test_the_highest_value_of_a_series_is_its_measure() -> None:
    query = RULE.query.partition("| summarize")[0] + "| project subject = 'all', tokens = iff(Name == 'contoso', 3, 1)"
    first, *_ = mails_of(replace(RULE, query=query), *rows(1), *rows(2, name="fabrikam"))
    assert (first.value, dict(first.dimensions)) == (3, {"subject": "all"})


def test_a_stateful_rule_fires_300_alerts_in_an_evaluation_and_the_rest_in_the_next() -> None:
    many = [row for number in range(350) for row in rows(1, name=f"contoso-{number:03}")]
    fired = [mail.sent for mail in mails_of(RULE, *many) if mail.condition is Condition.FIRED]
    assert [fired.count(NINE + minutes * MINUTE) for minutes in (5, 10)] == [300, 50]


def test_a_stateful_rule_has_5_000_fired_alerts_and_not_one_more() -> None:
    day = timedelta(days=1)
    rule = replace(RULE, window=day, query=RULE.query.replace("10m", "1d"))
    many = [row for number in range(5_100) for row in rows(1, name=f"contoso-{number:04}")]
    fired = mails_of(rule, *many, until=NINE + 120 * MINUTE)
    assert {mail.condition for mail in fired} == {Condition.FIRED}
    assert len(fired) == 5_000


def test_an_address_gets_a_hundred_mails_in_an_hour() -> None:
    many = [row for number in range(150) for row in rows(1, name=f"contoso-{number:03}")]
    later = rows(70, name="fabrikam")
    got = delivered(mails_of(RULE, *many, *later))
    assert len([mail for mail in got if mail.sent < NINE + 60 * MINUTE]) == MAILS_AN_HOUR
    assert [mail.dimensions["subject"] for mail in got][MAILS_AN_HOUR] == "fabrikam"


# ---- the query is run only where its result can have changed


@pytest.mark.parametrize("minutes", [(0,), (1, 8), (5, 10, 11), (4.99, 5.01), tuple(range(0, 60, 7))], ids=str)
def test_what_is_left_out_changes_nothing(minutes: tuple[float, ...]) -> None:
    def every_time(rule: AlertRule, query: Callable[..., object]) -> list[bool]:
        return [bool(query(rule.query, at=NINE + n * rule.frequency, reaching_back=rule.window)) for n in range(20)]

    given = Workspace(rows(*minutes))
    stateless = replace(RULE, stateful=False)
    mailed = {mail.sent for mail in evaluate(stateless, given, since=NINE, until=NINE + 95 * MINUTE)}
    assert [NINE + n * RULE.frequency in mailed for n in range(20)] == every_time(RULE, given.query)
