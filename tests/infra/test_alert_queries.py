"""The alert rules' queries under Microsoft's own parser and our lint; each check is seen to fail on a broken copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from emulators.alerting import AlertRule, load_rules
from tests.infra.alert_lint import result_faults, text_faults
from tests.infra.kql import Analysis, analysed

RULES = {
    rule.name: rule
    for rule in load_rules(
        vaults={
            "https://contoso-vault.vault.azure.net": datetime(2026, 11, 2, 9, tzinfo=UTC),
            "https://fabrikam-vault.vault.azure.net": datetime(2026, 11, 2, 9, tzinfo=UTC),
        },
        runbook_url="https://contoso.example/runbook.md",
    )
}
CRITICAL = RULES["problems_critical"]


@pytest.fixture(scope="module")
def answers() -> dict[str, Analysis]:
    return analysed({name: rule.query for name, rule in RULES.items()})


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_parser_has_nothing_to_say(answers: Mapping[str, Analysis], rule: AlertRule) -> None:
    assert answers[rule.name].diagnostics == ()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_result_is_what_the_rule_measures_and_splits_by(answers: Mapping[str, Analysis], rule: AlertRule) -> None:
    assert answers[rule.name].columns
    assert [*result_faults(rule, answers[rule.name].columns)] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_nothing_that_rules_forbid(rule: AlertRule) -> None:
    assert [*text_faults(rule.query)] == []


# ---- the checks can fail


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("| project", "| projekt", "projekt"),
        ("TimeGenerated > ago(2d)", "TimeGeneratd > ago(2d)", "TimeGeneratd"),
        ("tostring(Properties.who)", "tostring(Properties.sample)", "sample"),
        ("tolong(Properties.tokens)", "Properties.tokens + now()", "type"),
    ],
)
def test_the_parser_tells_of_a_broken_query(right: str, wrong: str, told: str) -> None:
    assert right in CRITICAL.query
    found = analysed({"broken": CRITICAL.query.replace(right, wrong)})["broken"].diagnostics
    assert any(told in diagnostic for diagnostic in found), found


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("| evaluate bag_unpack(Properties)", "plug-ins such as bag_unpack"),
        ("| evaluate pivot(reason)", "plug-ins such as pivot"),
        ("| where first_told > ago(1h * 2)", "not with a literal"),
        ("| where first_told > ago(span)", "not with a literal"),
        ("| where first_told > ago(3d)", "more than two days"),
        ("| where first_told < now()", "ago() alone"),
        ("| extend AggregatedValue = tokens", "reserved word"),
        ("| union AppTraces", "do not support union"),
        ("| take 10", "do not support take"),
        ("| where vault in ({vaults})", "the placeholder vaults"),
        ("| where reason == '" + "a" * 65_536 + "'", "64 KB"),
    ],
)
def test_the_lint_tells_of_what_rules_forbid(added: str, told: str) -> None:
    assert any(told in fault for fault in text_faults(f"{CRITICAL.query}{added}"))


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("let vaults = datatable(vault: string) []; vaults | join (AppEvents) on vault", "datatable"),
        ("print vault = 1", "print"),
        ("let one = two; let two = one; one", "one"),
    ],
)
def test_the_lint_tells_of_a_query_that_does_not_start_with_a_table(query: str, source: str) -> None:
    assert f"it starts with {source}, which is no table" in [*text_faults(query)]


def test_the_lint_tells_of_a_table_without_bounds() -> None:
    assert [*text_faults("AppEvents | project reason = Name")] == ["no table is bounded by TimeGenerated"]


def test_comments_and_strings_are_not_code() -> None:
    query = 'AppEvents // union, now(), {vaults}\n| where TimeGenerated > ago(1d) and Name == "take 10 // limit 3"'
    assert [*text_faults(query)] == []


@pytest.fixture(scope="module")
def wrong() -> Analysis:
    return analysed({"wrong": "AppEvents | project TimeGenerated, Properties, Name"})["wrong"]


@pytest.mark.parametrize(
    ("dimension", "told"), [("TimeGenerated", "datetime"), ("Properties", "dynamic"), ("days_left", "missing")]
)
def test_a_dimension_is_a_string_or_a_number_of_the_result(wrong: Analysis, dimension: str, told: str) -> None:
    faults = [*result_faults(replace(CRITICAL, dimensions=("Name", dimension), measure=None), wrong.columns)]
    assert f"the dimension {dimension} is {told}, not a string or a number" in faults


def test_a_measure_is_a_number(wrong: Analysis) -> None:
    faults = [*result_faults(replace(CRITICAL, dimensions=("Name",), measure="Name"), wrong.columns)]
    assert "the measure Name is string, not a number" in faults


def test_no_result_has_a_datetime_that_would_make_periods(wrong: Analysis) -> None:
    faults = [*result_faults(replace(CRITICAL, dimensions=("Name",), measure=None), wrong.columns)]
    assert [fault.partition(":")[0] for fault in faults] == ["the column TimeGenerated is a datetime"]
