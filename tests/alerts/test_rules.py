"""The rules themselves: which reason is whose, what the queries share, and what a mail tells whoever gets it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.alerting import AlertRule, Condition, Mail, load_rules
from emulators.alerting.rule import RULES_FOLDER, UnsupportedRuleError, duration
from rotation.reason import Reason, Severity
from tests.alerts.events import NINE, VAULT

CHECKOUT = Path(__file__).parents[2]
RUNBOOK = "https://contoso.example/runbook.md"
RULES = {rule.name: rule for rule in load_rules(vaults={VAULT: NINE}, runbook_url=RUNBOOK)}
OF_PROBLEMS = ["problems_critical", "problems_error", "problems_warning"]
_SEVERITY = re.compile(r'^let severity = "(\w+)";$', re.MULTILINE)


def severity_of(name: str) -> str:
    return str(_SEVERITY.findall(RULES[name].query)[0])


def test_every_reason_belongs_to_exactly_one_rule_and_no_severity_to_none() -> None:
    rules = {reason: [name for name in OF_PROBLEMS if severity_of(name) == reason.severity] for reason in Reason}
    for reason, names in rules.items():
        assert len(names) == (0 if reason.severity is Severity.NONE else 1), reason


def test_the_rules_of_problems_differ_in_the_severity_alone() -> None:
    texts = {(RULES_FOLDER / f"{name}.kql").read_text() for name in OF_PROBLEMS}
    assert len(texts) == len(OF_PROBLEMS)
    assert len({_SEVERITY.sub("", text) for text in texts}) == 1
    settings = [json.loads((RULES_FOLDER / "rules.json").read_text())[name] for name in OF_PROBLEMS]
    own = {"title", "emailSubject", "description", "severity"}
    alike = [{k: v for k, v in of.items() if k not in own} for of in settings]
    assert alike[0] == alike[1] == alike[2]


def lines(name: str) -> list[str]:
    return [line for line in RULES[name].query.splitlines() if not line.startswith("//")]


def test_what_the_reminder_reminds_of_is_what_the_rule_of_critical_problems_tells() -> None:
    reminded, told = lines("critical_reminder"), lines("problems_critical")
    assert reminded[: (open_now := told.index("| project"))] == told[:open_now]
    assert reminded[open_now] == "| where first_told < ago(12h)"


def test_the_reminder_of_the_heartbeat_is_the_heartbeat_with_another_time() -> None:
    assert [line.replace("ago(1d)", "ago(13h)") for line in lines("heartbeat_reminder")] == lines("heartbeat")


def test_a_query_for_every_rule_and_a_rule_for_every_query() -> None:
    assert {path.stem for path in RULES_FOLDER.glob("*.kql")} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_mail_tells_what_to_whom_since_when_and_what_to_do(rule: AlertRule) -> None:
    words = ("What happened: ", "To whom: ", "Since when: ", "What to do: ")
    paragraphs = rule.description.splitlines()
    assert [word for word, paragraph in zip(words, paragraphs, strict=False) if paragraph.startswith(word)] == [*words]
    assert all(place in rule.description for place in (RUNBOOK, "contoso-rotation in the resource group rg-contoso"))
    assert "{" not in rule.description + rule.query
    assert all(dimension in rule.description for dimension in rule.dimensions)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_words_hold_of_an_alert_that_fired_and_of_one_that_is_resolved(rule: AlertRule) -> None:
    assert rule.description.startswith("What happened: this alert tells ")
    assert ("Resolved: " in rule.description) == rule.stateful


def test_only_the_reminders_are_stateless() -> None:
    assert {rule.name for rule in RULES.values() if not rule.stateful} == {"critical_reminder", "heartbeat_reminder"}
    assert {rule.frequency for rule in RULES.values() if not rule.stateful} == {timedelta(days=1)}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_subject_line_names_what_is_the_matter_and_where(rule: AlertRule) -> None:
    mail = Mail(
        rule=rule,
        condition=Condition.FIRED,
        dimensions={name: f"<{name}>" for name in rule.dimensions},
        sent=NINE,
        fired=NINE,
        value=1,
    )
    of_problems = "<reason>, <subject>" if "reason" in rule.dimensions else "<vault>"
    assert of_problems in mail.subject
    assert mail.subject.startswith("Fired" if rule.stateful else "Reminder: ")
    assert "$" not in mail.subject


def test_a_path_that_no_payload_has_is_refused() -> None:
    rule = replace(RULES["heartbeat"], subject="${data.essentials.whatever}")
    with pytest.raises(UnsupportedRuleError, match=r"no data\.essentials\.whatever"):
        _ = Mail(rule=rule, condition=Condition.FIRED, dimensions={}, sent=NINE, fired=NINE, value=1).subject


def test_every_heading_that_a_mail_links_to_is_in_the_runbook() -> None:
    headings = re.findall(r"^### (\w+)$", (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    for rule in RULES.values():
        linked = re.findall(rf"{re.escape(RUNBOOK)}#(\w+)", rule.description)
        assert set(linked) <= set(headings), rule.name
    assert {"heartbeat", "run_not_completed"} <= set(headings)


# ---- what Azure would refuse


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"windowSize": "P3D"}, "no window"),
        ({"windowSize": "PT13H"}, "no window"),
        ({"evaluationFrequency": "P2D"}, "no frequency"),
        ({"evaluationFrequency": "P1D"}, "stateful"),
        ({"dimensions": ["a", "b", "c", "d", "e", "f", "g"]}, "dimensions"),
        ({"dimensions": ["vault", "reason"]}, "alphabetical"),
        ({"severity": 5}, "severity"),
        ({"failingPeriods": {"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 2}}, "datetime column"),
        ({"operator": "LessThan"}, "operator"),
        ({"timeAggregation": "Count"}, "Maximum"),
    ],
)  # fmt: skip
def test_a_rule_that_azure_would_refuse_is_refused(changes: dict[str, Any], told: str) -> None:
    of = json.loads((RULES_FOLDER / "rules.json").read_text())["problems_critical"]
    with pytest.raises(UnsupportedRuleError, match=told):
        AlertRule.from_json("broken", of | changes, query="AppEvents", description="")


def test_too_many_words_are_refused() -> None:
    of = json.loads((RULES_FOLDER / "rules.json").read_text())["problems_critical"]
    with pytest.raises(UnsupportedRuleError, match="4,096"):
        AlertRule.from_json("broken", of, query="AppEvents", description="a" * 4_097)


@pytest.mark.parametrize(
    ("text", "minutes"), [("PT1M", 1), ("PT15M", 15), ("PT1H", 60), ("P1D", 1_440), ("P2D", 2_880), ("PT1H30M", 90)]
)
def test_durations(text: str, minutes: int) -> None:
    assert duration(text) == timedelta(minutes=minutes)


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(UnsupportedRuleError, match="15 minutes is no duration"):
        duration("15 minutes")


# ---- what the README says of them


def rows_of_the_readme() -> dict[str, list[str]]:
    """The cells of the README's table of rules, by rule."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d) \|(.+)\|$", text, re.MULTILINE)
    return {name: [severity, *(cell.strip() for cell in rest.split("|"))] for name, severity, rest in rows}


def test_the_readme_has_every_rule_with_its_severity_and_what_one_mail_is_for() -> None:
    said = {name: (int(cells[0]), cells[1]) for name, cells in rows_of_the_readme().items()}
    own = ["label", "action", "who", "last_run"]  # they follow from the others, or belong to a reminder
    assert said == {
        name: (rule.severity, ", ".join(dimension for dimension in rule.dimensions if dimension not in own))
        for name, rule in RULES.items()
    }


@pytest.mark.parametrize(
    ("name", "said", "query"),
    [
        ("heartbeat", "13 hours", "ago(13h)"),
        ("heartbeat_reminder", "a day", "ago(1d)"),
        ("run_not_completed", "45 minutes", "ago(45m)"),
        ("critical_reminder", "12 hours", "ago(12h)"),
    ],
)
def test_the_readme_has_the_times_of_the_queries(name: str, said: str, query: str) -> None:
    assert said in rows_of_the_readme()[name][2]
    assert query in RULES[name].query
