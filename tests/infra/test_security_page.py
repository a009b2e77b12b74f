"""SECURITY.md names every role assignment of the Bicep, and the four data actions, and nothing that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
INFRA = CHECKOUT / "infra"
PAGE = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
ASSIGNMENT = re.compile(
    r"^resource (?P<name>\w+) 'Microsoft\.Authorization/roleAssignments@[^']+' = (?:if \([^\n]*\) )?\{\n"
    r"(?P<body>.*?)^\}",
    re.MULTILINE | re.DOTALL,
)
BUILT_IN = {
    "storageBlobDataOwner": "Storage Blob Data Owner",
    "monitoringMetricsPublisher": "Monitoring Metrics Publisher",
    "logAnalyticsReader": "Log Analytics Reader",
}


class Assignment(NamedTuple):
    """One role assignment, in the words of the Bicep: where it is declared, who, on what, which role."""

    declared: str
    principal: str
    scope: str
    role: str


def assignments(infra: Path) -> set[Assignment]:
    found = set()
    for file in sorted(infra.rglob("*.bicep")):
        for match in ASSIGNMENT.finditer(file.read_text(encoding="utf-8")):
            body = match["body"]
            principal, scope = (re.search(rf"\b{key}: (\w+)", body) for key in ("principalId", "scope"))
            role = re.search(r"\broleDefinitionId: [^\n]*roles\.(\w+)", body)
            assert principal
            assert scope
            declared = f"`{match['name']}` in `infra/{file.relative_to(infra).as_posix()}`"
            found.add(
                Assignment(declared, principal[1], scope[1], BUILT_IN[role[1]] if role else "token rotation role")
            )
    return found


WHO = {
    "jobPrincipalId": "the job",
    "alertsPrincipalId": "the alert rules",
    "principalId": "`OPERATOR_PRINCIPAL_ID`, if given",
}
WHERE = {
    "vault": "each vault",
    "account": "the storage account",
    "applicationInsights": "Application Insights",
    "workspace": "the workspace",
}


def rows(page: str) -> set[Assignment]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if " in `" in line]
    who, where = ({words: name for name, words in table.items()} for table in (WHO, WHERE))
    table = [each for each in cells if len(each) == 5 and each[0].endswith(".bicep`")]
    return {Assignment(declared, who[person], where[scope], role) for declared, person, role, scope, _ in table}


def test_the_table_has_every_role_assignment_and_no_other() -> None:
    assert rows(PAGE) == assignments(INFRA)
    assert len(assignments(INFRA)) >= 5


def test_every_role_assignment_of_the_bicep_was_understood() -> None:
    declared = sum(
        len(re.findall("'Microsoft.Authorization/roleAssignments@", file.read_text(encoding="utf-8")))
        for file in INFRA.rglob("*.bicep")
    )
    assert len(assignments(INFRA)) == declared


def test_the_page_names_the_data_actions_of_the_jobs_role() -> None:
    actions = re.findall(
        r"'Microsoft\.KeyVault/vaults/secrets/(\w+)/action'", (INFRA / "main.bicep").read_text("utf-8")
    )
    said = PAGE.partition("these data actions and no others: ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", said)) == set(actions) == {"readMetadata", "getSecret", "setSecret", "update"}


def test_the_built_in_roles_are_those_of_the_deployment() -> None:
    assert set(json.loads((INFRA / "roles.json").read_text(encoding="utf-8"))) == set(BUILT_IN)


def test_a_role_that_only_the_bicep_has_is_missed(tmp_path: Path) -> None:
    resource = (
        "resource one 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (a) {\n  name: 'x'\n  scope: vault\n"
        "  properties: {\n    principalId: principalId\n    roleDefinitionId: r(roles.logAnalyticsReader)\n  }\n}\n"
    )
    (tmp_path / "more.bicep").write_text(resource, encoding="utf-8")
    added = Assignment("`one` in `infra/more.bicep`", "principalId", "vault", "Log Analytics Reader")
    assert assignments(tmp_path) == {added}
    assert added not in rows(PAGE)
