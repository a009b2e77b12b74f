"""Who may do what: the documented roles, and exactly four data actions on a vault. SECURITY.md says why."""

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
"""Of "Azure built-in roles", Azure RBAC documentation (2026-04-09); a role is added when it is looked up."""

SECRETS = "Microsoft.KeyVault/vaults/secrets"
DATA_ACTIONS = {f"{SECRETS}/{each}/action" for each in ("readMetadata", "getSecret", "setSecret", "update")}
ASSIGNED = {
    ("jobPrincipalId", "roleName", "vault"),
    ("principalId", "roleName", "vault"),
    ("jobPrincipalId", "roles.storageBlobDataOwner", "account"),
    ("jobPrincipalId", "roles.monitoringMetricsPublisher", "applicationInsights"),
    ("principalId", "roles.monitoringMetricsPublisher", "applicationInsights"),
    ("alertsPrincipalId", "roles.logAnalyticsReader", "workspace"),
}
"""To whom, which role, on what; `roleName` is the custom role, or the one that the operator named instead."""

WHAT_IT_IS = {
    "jobPrincipalId": "'ServicePrincipal'",
    "alertsPrincipalId": "'ServicePrincipal'",
    "principalId": "principalType",
}
"""Without it Azure looks the principal up, and does not find one of a moment ago: "Assign Azure roles using Bicep"."""

ONE_MORE = """resource oneMore 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, jobPrincipalId, roles.logAnalyticsReader)
  scope: account
  properties: {
    principalId: jobPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
  }
}

output id"""
NAMED = re.compile(r"guid\((?P<scope>\w+)\.id, (?P<principal>\w+), (?P<role>[\w.]+)\)")
GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def assignments(infra: Path) -> list[tuple[BicepFile, Declaration]]:
    kind = "Microsoft.Authorization/roleAssignments"
    return [(file, each) for file in files(infra).values() for each in file.resources(kind).values()]


def faults(infra: Path) -> list[str]:
    return [*_role_ids(infra), *_custom_role(infra), *_assignments(infra)]


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


def _assignments(infra: Path) -> list[str]:
    """A name of the scope, the principal and the role: deploying twice is no second assignment, nor a conflict."""
    found, given = list[str](), set[tuple[str, str, str]]()
    for file, each in assignments(infra):
        scope, principal = text(at(each.body, "scope")), text(at(each.body, "properties.principalId"))
        named = NAMED.fullmatch(text(at(each.body, "name")))
        if named is None or (named["scope"], named["principal"]) != (scope, principal):
            found.append(f"{each.name} is not named by its scope, its principal and its role")
        elif f", {named['role']})" not in _definition(file, each):
            found.append(f"{each.name} is named by another role than it assigns")
        elif text(at(each.body, "properties.principalType")) != WHAT_IT_IS.get(principal):
            found.append(f"{each.name} does not say what the principal is")
        else:
            given.add((principal, named["role"], scope))
    found += [f"{each} is assigned, and nobody decided that" for each in sorted(given - ASSIGNED)]
    return found + [f"{each} is not assigned" for each in sorted(ASSIGNED - given)]


def _definition(file: BicepFile, each: Declaration) -> str:
    definition = at(each.body, "properties.roleDefinitionId")
    variable = file.named("var").get(text(definition))
    return text(variable.value if variable is not None and variable.value is not None else definition)


def test_every_role_is_the_documented_one_and_no_more(infra: Path) -> None:
    assert faults(infra) == []


def test_nobody_but_the_job_gets_a_data_role_unless_named(infra: Path) -> None:
    for _, each in assignments(infra):
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
        ("modules/storage.bicep", "principalId: jobPrincipalId", "principalId: name", "is not named by its scope"),
        ("modules/storage.bicep", "jobPrincipalId, roles.storageB", "jobPrincipalId, roles.b", "by another role than"),
        ("modules/storage.bicep", "output id", ONE_MORE, "'account') is assigned, and nobody decided that"),
        ("modules/storage.bicep", "'ServicePrincipal'", "'User'", "does not say what the principal is"),
        ("modules/monitoring.bicep", "(workspace.id, alerts", "(workspace.id, job", "is not named by its scope"),
        (
            "modules/monitoring.bicep",
            "guid(applicationInsights.id, principalId, ",
            "guid(",
            "'roles.monitoringMetricsPublisher', 'applicationInsights') is not assigned",
        ),
        (
            "modules/key-vault-access.bicep",
            "guid(vault.id, principalId, ",
            "guid(",
            "'roleName', 'vault') is not assigned",
        ),
        ("modules/storage.bicep", "'ServicePrincipal'", f"'{DOCUMENTED['logAnalyticsReader']}'", "spells out the GUID"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(file, old, new)) if fault in each]
