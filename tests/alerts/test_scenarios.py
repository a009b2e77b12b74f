"""Rules x scenarios: for each scenario what every rule mails, cell by cell; what is not in the table is silent.

`timeline` says what of it is real. The rules are deployed on Monday at 09:00 and evaluated from then on; the timer is
due at 00:17, 06:17, 12:17 and 18:17. A mail is written here as when it is sent, what became of the alert, its
reason, subject, first day and vault, and the measure of what fired.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import pytest

from emulators.alerting import Condition, Mail, Workspace, delivered, evaluate, load_rules
from tests.alerts.events import NINE
from tests.alerts.scenarios import SCENARIOS
from tests.alerts.timeline import Timeline

type Cells = Mapping[str, list[str]]

EVERY_RULE = (
    "problems_critical",
    "problems_error",
    "problems_warning",
    "critical_reminder",
    "run_not_completed",
    "heartbeat",
    "heartbeat_reminder",
)
_APP, _TENANT = re.compile(r"[0-9a-f-]{36}(?= in )"), re.compile(r"(?<= in )[0-9a-f-]{36}")
CREDENTIAL = "client_credential_expired secret:partner-app"

VAULTS = ("vault-1", "vault-2", "vault-3")


def each_vault(when: str, condition: str, value: str = "") -> list[str]:
    return [f"{when} {condition} {vault}{value}" for vault in VAULTS]


TABLE: Mapping[str, Cells] = {
    "a death": {
        "problems_critical": ["Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)"],
        "critical_reminder": [
            "Tue 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
        ],
    },
    "a client secret expires": {
        "problems_critical": [
            f"Mon 12:30 Fired {CREDENTIAL} vault-1 (40)",
            f"Tue 13:00 Resolved {CREDENTIAL} vault-1",
        ],
        "critical_reminder": [f"Tue 09:00 Fired {CREDENTIAL} since Mon vault-1 (40)"],
    },
    "a policy change": {
        "problems_critical": ["Mon 12:30 Fired blocked_by_policy * since Mon vault-1 (400)"],
        "critical_reminder": [
            "Tue 09:00 Fired blocked_by_policy * since Mon vault-1 (400)",
            "Wed 09:00 Fired blocked_by_policy * since Mon vault-1 (400)",
        ],
    },
    "an app disabled at home": {
        "problems_critical": ["Mon 12:30 Fired app_not_in_tenant APP in * since Mon vault-1 (120)"],
        "critical_reminder": ["Tue 09:00 Fired app_not_in_tenant APP in * since Mon vault-1 (120)"],
    },
    "ten then eleven then ten": {
        "problems_critical": ["Mon 12:30 Fired token_revoked * since Mon vault-1 (10)"],
        "critical_reminder": ["Tue 09:00 Fired token_revoked * since Mon vault-1 (10)"],
    },
    "one more on another day": {
        "problems_critical": [
            "Mon 12:30 Fired token_revoked * since Mon vault-1 (2)",
            "Tue 00:30 Fired token_revoked litware since Tue vault-1 (1)",
            "Wed 01:00 Resolved token_revoked litware since Tue vault-1",
            "Wed 12:30 Fired token_revoked fabrikam since Mon vault-1 (1)",  # what is left goes on under its own name
            "Wed 13:00 Resolved token_revoked * since Mon vault-1",
        ],
        "critical_reminder": [
            "Tue 09:00 Fired token_revoked * since Mon vault-1 (2)",
            "Wed 09:00 Fired token_revoked * since Mon vault-1 (2)",
        ],
    },
    "one of several tried by hand": {
        "problems_critical": ["Mon 12:30 Fired token_revoked * since Mon vault-1 (3)"],
    },
    "a repair by the job": {
        "problems_critical": [
            "Mon 12:30 Fired account_unusable contoso since Mon vault-1 (1)",
            "Tue 01:00 Resolved account_unusable contoso since Mon vault-1",
        ],
    },
    "a repair by hand": {
        "problems_critical": [
            "Mon 12:30 Fired account_unusable contoso since Mon vault-1 (1)",
            "Mon 15:00 Resolved account_unusable contoso since Mon vault-1",
        ],
    },
    "a re consent in the portal": {
        "problems_critical": [
            "Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)",
            "Mon 19:00 Resolved token_revoked contoso since Mon vault-1",
        ],
        "problems_error": [
            "Mon 18:30 Fired tags_lost contoso since Mon vault-1 (1)",
            "Tue 01:00 Resolved tags_lost contoso since Mon vault-1",
        ],
    },
    "deleting and untagging": {
        "problems_critical": [
            "Mon 12:30 Fired token_revoked * since Mon vault-1 (2)",
            "Mon 19:00 Resolved token_revoked * since Mon vault-1",
        ],
    },
    "a throttled week": {
        "problems_warning": [
            "Tue 00:30 Fired throttled APP in TENANT vault-1 (3)",
            "Mon 13:00 Resolved throttled APP in TENANT vault-1",
        ],
    },
    "the tags are lost for good": {
        "problems_error": [
            "Mon 12:30 Fired tags_lost contoso since Tue vault-1 (1)",  # that of two weeks before
            "Tue 13:00 Resolved tags_lost contoso since Tue vault-1",  # given up, as the mail said: not mended
        ],
    },
    "the job stops for three days": {
        "problems_critical": [
            "Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 19:00 Resolved token_revoked contoso since Mon vault-1",  # forgotten: the heartbeat has said so
            "Thu 18:30 Fired token_revoked contoso since Mon vault-1 (1)",
        ],
        "critical_reminder": [
            "Tue 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
        ],
        "heartbeat": [*each_vault("Tue 07:30", "Fired", " (1)"), *each_vault("Thu 19:00", "Resolved")],
        "heartbeat_reminder": [
            *each_vault("Wed 09:00", "Fired", " (1)"),
            *each_vault("Thu 09:00", "Fired", " (1)"),
        ],
    },
    "thirty silent days": {
        "problems_critical": [
            "Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 13:00 Resolved token_revoked contoso since Mon vault-1",
        ],
        "critical_reminder": [
            "Tue 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
        ],
        "heartbeat": each_vault("Tue 01:30", "Fired", " (1)"),
        "heartbeat_reminder": [
            mail
            for day in range(2, 31)
            for mail in each_vault(f"{NINE + timedelta(days=day):%a %H:%M}", "Fired", " (1)")
        ],
    },
    "one of three vaults": {
        "heartbeat": ["Tue 07:30 Fired vault-3 (1)", "Tue 13:00 Resolved vault-3"],
    },
    "runs by hand while the timer is dead": {
        "problems_critical": ["Mon 19:30 Fired token_revoked contoso since Mon vault-1 (1)"],
        "heartbeat": each_vault("Tue 01:30", "Fired", " (1)"),
    },
    "a run is killed": {
        "run_not_completed": [*each_vault("Mon 19:15", "Fired", " (1)"), *each_vault("Tue 01:00", "Resolved")],
    },
    "telemetry is lost for a day": {
        "problems_critical": ["Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)"],
        "critical_reminder": [
            "Tue 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
            "Wed 09:00 Fired token_revoked contoso since Mon vault-1 (1)",
        ],
        "heartbeat": [*each_vault("Tue 01:30", "Fired", " (1)"), *each_vault("Tue 19:00", "Resolved")],
    },
    "the end of a run is visible before its problems": {
        "problems_critical": ["Mon 12:30 Fired token_revoked contoso since Mon vault-1 (1)"],
        "critical_reminder": ["Tue 09:00 Fired token_revoked contoso since Mon vault-1 (1)"],
    },
    "a first deployment": {},
    "a deployment that never runs": {
        "heartbeat": each_vault("Mon 22:15", "Fired", " (1)"),
    },
}


def test_every_scenario_is_in_the_table(record_property: Callable[[str, object], None]) -> None:
    record_property("row", ["", *EVERY_RULE])
    assert set(TABLE) == set(SCENARIOS)


@pytest.mark.parametrize("scenario", TABLE)
def test_what_is_mailed(scenario: str, days: Timeline, record_property: Callable[[str, object], None]) -> None:
    SCENARIOS[scenario](days)
    mails = mailed(days)
    record_property("row", row(scenario, mails))
    assert {rule: found for rule, found in mails.items() if found} == TABLE[scenario]


def mailed(days: Timeline) -> dict[str, list[str]]:
    """What an address gets of every rule from the deployment to the end of a timeline."""
    vaults = [vault.url for vault in days.world.vaults]
    rules = load_rules(vaults=dict.fromkeys(vaults, NINE), runbook_url="docs/runbook.md")
    assert tuple(rule.name for rule in rules) == EVERY_RULE
    workspace = Workspace(days.rows)
    sent = (mail for rule in rules for mail in evaluate(rule, workspace, since=NINE, until=days.now))
    mails = delivered(sent)
    return {rule.name: in_order([mail for mail in mails if mail.rule is rule], vaults) for rule in rules}


def in_order(mails: list[Mail], vaults: list[str]) -> list[str]:
    """Mails as the table has them: by time, and at one time by their text, since the vaults' ports are random."""
    told = sorted((mail.sent, written(mail, vaults)) for mail in mails)
    return [text for _, text in told]


def written(mail: Mail, vaults: list[str]) -> str:
    """One mail as the table has it."""
    named = [str(mail.dimensions[name]) for name in ("reason", "subject") if name in mail.dimensions]
    since = str(mail.dimensions.get("since", "-"))
    named += [f"since {date.fromisoformat(since):%a}"] if since != "-" else []
    vault = f"vault-{vaults.index(str(mail.dimensions['vault'])) + 1}"
    value = [f"({mail.value:.0f})"] if mail.value is not None else []
    text = " ".join([f"{mail.sent:%a %H:%M}", mail.condition, *named, vault, *value])
    return _TENANT.sub("TENANT", _APP.sub("APP", text))


def row(scenario: str, mails: Cells) -> list[str]:
    """The scenario and, for each rule, how many mails told of an alert that fired, and how many of one resolved."""
    counted = {rule: Counter(line.split()[2] for line in lines) for rule, lines in mails.items()}
    cells = (f"{count[Condition.FIRED]} + {count[Condition.RESOLVED]}" for count in counted.values())
    return [scenario, *(cell if cell != "0 + 0" else "-" for cell in cells)]
