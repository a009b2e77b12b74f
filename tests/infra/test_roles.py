"""Who may do what: the documented roles, exactly four data actions on a vault, and a table that says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tree_sitter import Node

from tests.infra.bicep import BicepFile, Declaration, at, descendants, files, literal, properties, text
from tests.infra.conftest import Break

DOCUMENTED = {
    "logAnalyticsReader": "73c42c96-874c-492b-b04d-ab87d138a893",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
}
"""Of "Azure built-in roles", Azure RBAC documentation (2026-04-09), read 2026-11-21; a role is added when looked up."""

SECRETS = "Microsoft.KeyVault/vaults/secrets"
DATA_ACTIONS = {f"{SECRETS}/{each}/action" for each in ("readMetadata", "getSecret", "setSecret", "update")}
ROW = re.compile(
    r"^\| `(?P<file>[\w-]+)`: `(?P<name>\w+)` \| (?P<who>[^|]+) \| (?P<role>[^|]+) \| (?P<on>[^|]+) \| [^|]{20,} \|$",
    re.MULTILINE,
)
WHO = {"jobPrincipalId": "job", "alertsPrincipalId": "alert rules", "principalId": "operator, when given"}
GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def assignments(infra: Path) -> dict[tuple[str, str], tuple[BicepFile, Declaration]]:
    return {
        (Path(name).stem, each.name): (file, each)
        for name, file in files(infra).items()
        for each in file.resources("Microsoft.Authorization/roleAssignments").values()
    }


def faults(infra: Path) -> list[str]:
    return [*_role_ids(infra), *_custom_role(infra), *_deterministic(infra), *_table(infra)]


def _role_ids(infra: Path) -> list[str]:
    roles = json.loads((infra / "roles.json").read_text(encoding="utf-8"))
    found = [
        f"{name} is not the documented {DOCUMENTED.get(name)}" for name in roles if roles[name] != DOCUMENTED.get(name)
    ]
    used = {text(each).removeprefix("roles.") for file in files(infra).values() for each in _members(file)}
    found += [f"{name} of roles.json is used nowhere" for name in roles.keys() - used]
    for name, file in files(infra).items():
        code = re.sub(r"^\s*(//|@description).*$", "", file.path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found += [f"{name} spells out the GUID {each[0]}" for each in GUID.finditer(code)]
    return found


def _members(file: BicepFile) -> list[Node]:
    return [each for each in descendants(file.root, "member_expression") if text(each).startswith("roles.")]


def _custom_role(infra: Path) -> list[str]:
    role = files(infra)["main.bicep"].resources("Microsoft.Authorization/roleDefinitions")["tokenRotationRole"]
    (permissions,) = at(role.body, "properties.permissions").named_children
    given = {name: {literal(each) for each in value.named_children} for name, value in properties(permissions).items()}
    found = [f"the custom role has {name} {each}" for name in given.keys() - {"dataActions"} for each in given[name]]
    found += [f"the custom role may {each}" for each in given["dataActions"] - DATA_ACTIONS]
    found += [f"the custom role may not {each}" for each in DATA_ACTIONS - given["dataActions"]]
    name = text(at(role.body, "properties.roleName"))
    if "${environmentName}" not in name or "${subscription().subscriptionId}" not in name:
        found.append("the custom role's name is not unique in a tenant")
    return found


def _deterministic(infra: Path) -> list[str]:
    """A name of the scope, the principal and the role: deploying twice is no second assignment, nor a conflict."""
    found = []
    for (file, name), (_, each) in assignments(infra).items():
        scope, principal = text(at(each.body, "scope")), text(at(each.body, "properties.principalId"))
        if not text(at(each.body, "name")).startswith(f"guid({scope}.id, {principal}, "):
            found.append(f"{file}: {name} is not named by its scope, its principal and its role")
    return found


def _table(infra: Path) -> list[str]:
    rows = {(row["file"], row["name"]): row for row in ROW.finditer((infra / "ROLES.md").read_text(encoding="utf-8"))}
    found = [f"ROLES.md does not explain {file}: {name}" for file, name in assignments(infra).keys() - rows.keys()]
    found += [
        f"ROLES.md explains {file}: {name}, which is not there"
        for file, name in rows.keys() - assignments(infra).keys()
    ]
    for key in assignments(infra).keys() & rows.keys():
        file, each = assignments(infra)[key]
        said, is_so = (rows[key]["who"], rows[key]["role"], rows[key]["on"]), _row(file, each)
        if said != is_so:
            found.append(f"ROLES.md says {said} of {key[1]}, which is {is_so}")
    return found


def _row(file: BicepFile, each: Declaration) -> tuple[str, str, str]:
    scope = file.named("resource")[text(at(each.body, "scope"))].source.partition("@")[0]
    role = re.search(r"roles\.(\w+)", text(at(each.body, "properties.roleDefinitionId")))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", role[1]).title() if role else "Token Rotation"
    return WHO[text(at(each.body, "properties.principalId"))], words, f"`{scope}`"


def test_every_role_is_the_documented_one_and_explained(infra: Path) -> None:
    assert faults(infra) == []
    assert len(assignments(infra)) == 5


def test_nobody_but_the_job_gets_a_data_role_unless_named(infra: Path) -> None:
    for _, each in assignments(infra).values():
        of_the_operator = text(at(each.body, "properties.principalId")) == "principalId"
        assert of_the_operator == each.is_conditional
    assert files(infra)["main.bicep"].named("param")["principalId"].value is not None
    assert "AZURE_PRINCIPAL_ID" not in (infra / "main.parameters.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("roles.json", "b7e6dc6d-f1e8", "ba92f5b4-2d11", "storageBlobDataOwner is not the documented"),
        ("roles.json", "{", '{"owner": "x",', "owner is not the documented None"),
        ("roles.json", "{", '{"owner": "x",', "owner of roles.json is used nowhere"),
        ("main.bicep", "secrets/update/action'", "secrets/delete'", "may Microsoft.KeyVault/vaults/secrets/delete"),
        ("main.bicep", "secrets/update/action'", "secrets/delete'", "may not Microsoft.KeyVault/vaults/secrets/update"),
        ("main.bicep", "        actions: []", "        actions: ['*']", "the custom role has actions *"),
        ("main.bicep", "rotation ${environmentName} ${", "rotation ${", "not unique in a tenant"),
        ("modules/storage.bicep", "name: guid(account.id, jobPrincipalId,", "name: guid(", "is not named by its scope"),
        ("modules/storage.bicep", "'ServicePrincipal'", f"'{DOCUMENTED['logAnalyticsReader']}'", "spells out the GUID"),
        ("modules/storage.bicep", "jobHostStorage", "hostStorage", "does not explain storage: hostStorage"),
        ("modules/storage.bicep", "jobHostStorage", "hostStorage", "explains storage: jobHostStorage, which"),
        ("modules/monitoring.bicep", "scope: workspace", "scope: applicationInsights", "alertsReadLogs, which is"),
        ("ROLES.md", "Log Analytics Reader", "Reader", "of alertsReadLogs, which is"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(file, old, new)) if fault in each]
