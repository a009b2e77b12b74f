"""A problem is one alert while everything that can change about it changes: no dimension varies with any of it.

The runs are written by hand, since what varies here is everything; what real runs do is in `test_scenarios`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulators.alerting import Mail, Row, Workspace, evaluate, load_rules
from rotation.reason import Reason
from tests.alerts.events import NINE, SIX_HOURS, VAULT, Run, rows_of

FIRST = NINE + timedelta(hours=1)
TIMES = [FIRST + number * SIX_HOURS for number in range(6)]
FOUND = {
    "problems_critical": (Reason.CLIENT_CREDENTIAL_EXPIRED, "secret:partner-app"),
    "problems_error": (Reason.VAULT_DENIED, VAULT),
    "problems_warning": (Reason.THROTTLED, "an app in a tenant"),
}


def mails(name: str, rows: list[Row]) -> list[Mail]:
    (rule,) = (rule for rule in load_rules(vaults={VAULT: NINE}, runbook_url="") if rule.name == name)
    return evaluate(rule, Workspace(rows), since=NINE, until=TIMES[-1] + timedelta(hours=5))


@pytest.mark.parametrize("name", FOUND)
def test_a_problem_of_which_everything_changes_is_one_mail(name: str) -> None:
    def changing(number: int) -> dict[str, str]:
        texts = {text: f"{text} of run {number}" for text in ("sample", "who", "message", "runbook")}
        return texts | {"since": f"2026-11-{number + 1:02}", "tokens": str(400 - 66 * number)}

    runs = [Run(at=at, found=[FOUND[name]], day="", told=changing(number)) for number, at in enumerate(TIMES)]
    assert [mail.condition for mail in mails(name, rows_of(*runs))] == ["Fired"]


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("part", ["subject", "reason", "day"])
def test_another_problem_is_another_mail(name: str, part: str) -> None:
    values = {"subject": "another", "reason": FOUND[name][0].name, "day": "2026-11-01"}
    one, other = (Run(at=FIRST, found=[FOUND[name]], told=told) for told in ({}, {part: values[part]}))
    rows = rows_of(one) + [row for row in rows_of(other) if row["Name"] == "rotation.problem"]
    assert [mail.condition for mail in mails(name, rows)] == ["Fired", "Fired"]


def test_a_vault_that_stays_silent_is_one_mail_and_so_are_runs_that_die() -> None:
    assert [mail.condition for mail in mails("heartbeat", rows_of(Run(at=FIRST)))] == ["Fired"]
    assert [
        mail.condition for mail in mails("run_not_completed", rows_of(*(Run(at=at, killed=True) for at in TIMES)))
    ] == ["Fired"]
