"""Every rule of `infra/alerts` is deployed, with every word of it; what it leaves open is filled in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tree_sitter import Node

from tests.infra.bicep import BicepFile, at, descendants, files, literal, properties, text
from tests.infra.conftest import CHECKOUT, Break

ALARM_ON_THE_ALARM = {
    "ruleUnhealthy": {
        ("category", "ResourceHealth"),
        ("status", "Active"),
        ("properties.currentHealthStatus", "Unavailable"),
        ("properties.currentHealthStatus", "Degraded"),
    },
    "ruleDeleted": {
        ("category", "Administrative"),
        ("status", "Succeeded"),
        ("operationName", "Microsoft.Insights/scheduledQueryRules/delete"),
        ("operationName", "Microsoft.Insights/activityLogAlerts/delete"),
    },
    "ruleChanged": {
        ("category", "Administrative"),
        ("status", "Succeeded"),
        ("operationName", "Microsoft.Insights/scheduledQueryRules/write"),
        ("operationName", "Microsoft.Insights/activityLogAlerts/write"),
        ("operationName", "Microsoft.Insights/actionGroups/write"),
    },
}
"""What is looked for in the activity log, as field and value."""

OF_THE_TYPE = {"scopes", "condition", "actions", "enabled", "description"}
"""Of Microsoft.Insights/activityLogAlerts@2020-10-01, in Bicep's type data; a condition has `field` with `equals`."""

TOLD_BY_BICEP = {*ALARM_ON_THE_ALARM, "dailyCapReached"}
"""Alerts whose mail is written in the Bicep file, because no query of ours is behind them."""

RUNBOOK = (CHECKOUT / "docs" / "runbook.md").read_text(encoding="utf-8")

FILLED = {"{vaults}", "{runbookUrl}", "{functionAppName}", "{resourceGroup}"}

REMINDERS = {"critical_reminder", "heartbeat_reminder"}
"""Stateless and daily, which Azure reports no health of; what they repeat, another rule has told."""

EVERY_SIX_HOURS = re.compile(r"0 17 (\*|\*/(2|3|4|6)) \* \* \*")
"""Hours that divide the day: whatever is longer, or uneven, lets two runs be 13 hours apart with one missing."""


def faults(infra: Path) -> list[str]:
    file = files(infra)["modules/alerts.bicep"]
    return [
        *_names(infra, file),
        *_fields(infra, file),
        *_places(infra, file),
        *_health(infra, file),
        *_watch(file),
        *_mails(file),
        *_given(infra, file),
        *_often_enough(infra),
    ]


def _often_enough(infra: Path) -> list[str]:
    """The heartbeat waits for two runs of the schedule and an hour: a rarer one would alarm every day."""
    (allowed,) = (
        decorator
        for decorator in files(infra)["main.bicep"].named("param")["rotationSchedule"].decorators
        if text(decorator).startswith("@allowed(")
    )
    schedules = {literal(each) or "" for each in descendants(allowed, "string")}
    found = [
        f"{each} is not every six hours or more often" for each in schedules if not EVERY_SIX_HOURS.fullmatch(each)
    ]
    query = (infra / "alerts" / "heartbeat.kql").read_text(encoding="utf-8")
    return found + (["the heartbeat is not two runs of six hours and one hour"] if "ago(13h)" not in query else [])


def _watch(file: BicepFile) -> list[str]:
    found = []
    for name, looked_for in ALARM_ON_THE_ALARM.items():
        body = file.named("resource")[name].body
        objects = [properties(each) for each in descendants(at(body, "properties.condition"), "object")]
        pairs = {tuple(literal(part) for part in each.values()) for each in objects if "field" in each}
        words = {" ".join(each) for each in objects} - {"allOf", "anyOf", "field equals"}
        unknown = words | ({*properties(at(body, "properties"))} ^ OF_THE_TYPE)
        found += [f"{name} is not what its type says: {each}" for each in sorted(unknown)]
        if pairs != looked_for or text(at(body, "properties.enabled")) != "true":
            found.append(f"{name} looks for something else")
        if text(at(body, "properties.actions.actionGroups.0.actionGroupId")) != "actionGroup.id":
            found.append(f"{name} tells nobody")
    return found


def _mails(file: BicepFile) -> list[str]:
    """Each says what happened, what to do, and under which heading of the runbook the steps are."""
    found = []
    for name in sorted(TOLD_BY_BICEP):
        body = file.named("resource")[name].body
        said, heading = text(at(body, "properties.description")), literal(at(body, "name"))
        if not re.search(r"^'What happened: .+\\nWhat to do: .+python -m rotation status", _filled(said, file)):
            found.append(f"{name} does not say what happened and what to do")
        if not said.endswith(f" Step by step: ${{runbookUrl}}#{heading}'") or f"\n### {heading}\n" not in RUNBOOK:
            found.append(f"{name} does not lead to the runbook")
    return found


def _filled(said: str, file: BicepFile) -> str:
    return said.replace("${restore}", literal(_value(file, "restore")) or "")


def _given(infra: Path, file: BicepFile) -> list[str]:
    """Before its first run a vault counts from Azure's own note of when the job got it: no clock, nobody's memory."""
    everything = files(infra)
    said = everything["modules/key-vault-access.bicep"].named("output").get("given")
    handed = text(at(everything["main.bicep"].named("module")["alerts"].body, "params.vaults"))
    chain = (
        said is not None
        and said.value is not None
        and text(said.value) == "jobRotatesTokens.properties.?createdOn ?? ''",
        "given: keyVaultAccess[i].outputs.given" in handed,
        '"${vault.given}"' in text(_value(file, "vaultRows")),
    )
    return [] if all(chain) else ["a new vault does not count from its role assignment"]


def rules(infra: Path) -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = json.loads((infra / "alerts" / "rules.json").read_text(encoding="utf-8"))
    return content


def _value(file: BicepFile, name: str) -> Node:
    value = file.named("var")[name].value
    assert value is not None
    return value


def _names(infra: Path, file: BicepFile) -> list[str]:
    queries = {path.stem for path in (infra / "alerts").glob("*.kql")}
    listed = {literal(each) or "" for each in _value(file, "ruleNames").named_children}
    told = {
        "has no query": rules(infra).keys() - queries,
        "is not in rules.json": queries - rules(infra).keys(),
        "is not deployed": rules(infra).keys() - listed,
        "is deployed without its query": listed - properties(_value(file, "queries")).keys(),
        "is deployed and does not exist": listed - rules(infra).keys(),
    }
    wrong = [
        f"{name} is deployed with the query {source}"
        for name, value in properties(_value(file, "queries")).items()
        for source in (literal(next(descendants(value, "string"))),)
        if source != f"../alerts/{name}.kql"
    ]
    return wrong + [f"{name} {fault}" for fault, names in told.items() for name in sorted(names)]


def _fields(infra: Path, file: BicepFile) -> list[str]:
    """A field that is written and not deployed would be a promise of the tests alone."""
    used = set(re.findall(r"rules\[name\]\.(\w+)", text(file.root)))
    written = {field for rule in rules(infra).values() for field in rule}
    incomplete = [
        f"{name} has no {field}" for name, rule in rules(infra).items() for field in sorted(used - rule.keys())
    ]
    return incomplete + [f"{field} of rules.json is not deployed" for field in sorted(written - used)]


def _places(infra: Path, file: BicepFile) -> list[str]:
    content = "".join(path.read_text(encoding="utf-8") for path in (infra / "alerts").iterdir())
    filled = {literal(call.named_children[1].named_children[1]) for call in file.calls("replace")}
    found = [
        f"{{vaults}} of {name} is not filled"
        for name, value in properties(_value(file, "queries")).items()
        if "{vaults}" in (infra / "alerts" / f"{name}.kql").read_text("utf-8") and "'{vaults}'" not in text(value)
    ]
    found += [f"{place} is filled and stands nowhere" for place in filled - set(re.findall(r"\{\w+\}", content))]
    return found + [f"{place} is not filled" for place in sorted(FILLED - filled)]


def _health(infra: Path, file: BicepFile) -> list[str]:
    """Only the daily reminders may be too rare to report their health: their alerts have been told before."""
    reports = {literal(each) for each in _value(file, "reportingFrequencies").named_children}
    silent = {name for name, rule in rules(infra).items() if rule["evaluationFrequency"] not in reports}
    found = [f"{name} is evaluated too seldom to report its health" for name in sorted(silent - REMINDERS)]
    if "dailyCapGb == -1 ? [] : ['daily_cap_reached']" not in text(_value(file, "reportingRules")):
        found.append("daily_cap_reached reports its health to nobody")
    return found


def test_every_rule_is_deployed_as_written(infra: Path) -> None:
    assert faults(infra) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("modules/alerts.bicep", "  'heartbeat'\n", "", "heartbeat is not deployed"),
        ("modules/alerts.bicep", "rules[name].emailSubject", "'Alert'", "emailSubject of rules.json is not deployed"),
        ("modules/alerts.bicep", "'{functionAppName}'", "'{app}'", "{functionAppName} is not filled"),
        ("main.bicep", "'0 17 */6 * * *'])", "'0 17 */8 * * *'])", "0 17 */8 * * * is not every six hours"),
        ("alerts/heartbeat.kql", "ago(13h)", "ago(7h)", "the heartbeat is not two runs"),
        (
            "modules/alerts.bicep",
            "/problems_error.kql'",
            "/problems_warning.kql'",
            "problems_error is deployed with the",
        ),
        ("modules/alerts.bicep", "rules[name].threshold", "0", "threshold of rules.json is not deployed"),
        ("modules/alerts.bicep", "'{vaults}'", "'{vault}'", "{vaults} of heartbeat is not filled"),
        ("modules/alerts.bicep", "'{vaults}'", "'{vault}'", "{vault} is filled and stands nowhere"),
        ("modules/alerts.bicep", "rules[name].title", "rules[name].header", "has no header"),
        ("modules/alerts.bicep", "'Unavailable'", "'Available'", "ruleUnhealthy looks for something else"),
        ("modules/alerts.bicep", "          equals: 'Administrative'\n", "", "ruleDeleted looks for something else"),
        ("modules/alerts.bicep", "Id: actionGroup.id", "Id: workspaceId", "ruleUnhealthy tells nobody"),
        (
            "modules/alerts.bicep",
            "activityLogAlerts/write",
            "activityLogAlerts/read",
            "ruleChanged looks for something",
        ),
        ("modules/alerts.bicep", "equals: 'ResourceHealth'", "equal: 'ResourceHealth'", "type says: field equal"),
        (
            "modules/alerts.bicep",
            "    scopes: [groupId]",
            "    scope: [groupId]",
            "ruleDeleted is not what its type says: scope",
        ),
        ("modules/alerts.bicep", "#rule_deleted'", "#rule_gone'", "ruleDeleted does not lead to the runbook"),
        ("modules/alerts.bicep", "What to do: ${restore} Step", "${restore} Step", "ruleDeleted does not say what"),
        (
            "modules/alerts.bicep",
            "yourself: python -m rotation status.",
            "yourself.",
            "ruleUnhealthy does not say what",
        ),
        ("modules/alerts.bicep", "['daily_cap_reached']", "[]", "daily_cap_reached reports its health to nobody"),
        ("modules/key-vault-access.bicep", "createdOn ?? ", "updatedOn ?? ", "does not count from its role assignment"),
        ("main.bicep", "outputs.given", "outputs.since", "does not count from its role assignment"),
        ("alerts/rules.json", '"heartbeat"', '"pulse"', "pulse has no query"),
        ("alerts/rules.json", '"heartbeat"', '"pulse"', "heartbeat is not in rules.json"),
        (
            "alerts/rules.json",
            '"evaluationFrequency": "PT15M"',
            '"evaluationFrequency": "PT1H"',
            "too seldom to report",
        ),
        ("alerts/rules.json", '"severity": 0', '"urgency": 0', "urgency of rules.json is not deployed"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(file, old, new)) if fault in each]
