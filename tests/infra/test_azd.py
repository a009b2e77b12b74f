"""What `azd` finds here: a subscription's template, its parameters from the environment, tags, outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.infra.bicep import at, descendants, files, literal, properties, text
from tests.infra.conftest import CHECKOUT, Break

PLACE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(=(?P<default>[^}]*))?\}")
WHO_THE_JOB_IS = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"}
"""azd hands its environment to hooks: with one of these the command line would take itself for somebody else."""


FEDERATION = {
    "FEDERATED_CREDENTIAL_ISSUER": "'${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'",
    "FEDERATED_CREDENTIAL_SUBJECT": "identities.outputs.jobPrincipalId",
    "FEDERATED_CREDENTIAL_AUDIENCE": "federationAudiences[environment().name]",
}
AUDIENCES = {
    "AzureCloud": "api://AzureADTokenExchange",
    "AzureUSGovernment": "api://AzureADTokenExchangeUSGov",
    "AzureChinaCloud": "api://AzureADTokenExchangeChina",
}
"""Of "Configure an application to trust a managed identity", Microsoft Entra Workload ID (2024-12-03)."""


def faults(infra: Path) -> list[str]:
    return [*_parameters(infra), *_outputs(infra), *_template(infra)]


def places(infra: Path) -> dict[str, re.Match[str] | None]:
    given = json.loads((infra / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    return {name: PLACE.fullmatch(each["value"]) for name, each in given.items()}


def _parameters(infra: Path) -> list[str]:
    declared, given = files(infra)["main.bicep"].named("param"), places(infra)
    found = [f"{name} cannot be set by azd" for name in declared.keys() - given.keys()]
    found += [f"{name} is no parameter" for name in given.keys() - declared.keys()]
    for name in declared.keys() & given.keys():
        place, parameter = given[name], declared[name]
        if place is None:
            found.append(f"{name} does not come from the environment")
        elif (place["default"] is None) != (parameter.value is None):
            found.append(f"{name} has a default in one place and none in the other")
        elif parameter.value is not None:
            default = literal(parameter.value) if parameter.value.type == "string" else text(parameter.value)
            if default != place["default"]:
                found.append(f"{name} is {place['default']} for azd and {default} for the template")
    return found


def _outputs(infra: Path) -> list[str]:
    outputs = files(infra)["main.bicep"].named("output").keys()
    read = {place["name"] for place in places(infra).values() if place}
    found = [
        f"output {name} would set a parameter of the next deployment" for name in outputs & read - {"AZURE_LOCATION"}
    ]
    found += [f"output {name} changes who the command line is" for name in outputs & WHO_THE_JOB_IS]
    return found + [f"output {name} is not upper case" for name in outputs if name != name.upper()]


def _template(infra: Path) -> list[str]:
    everything = files(infra)
    main = everything["main.bicep"]
    scope = next((literal(each.named_children[0]) for each in main.root.named_children if "scope" in each.type), None)
    found = [] if scope == "subscription" else ["main.bicep is not deployed to a subscription"]
    if text(at(main.named("resource")["group"].body, "tags")) != "tags" or "azd-env-name" not in _tags(infra):
        found.append("the resource group has no tag azd-env-name")
    service = at(everything["modules/function-app.bicep"].named("resource")["app"].body, "tags")
    if "azd-service-name" not in text(service):
        found.append("the function app has no tag azd-service-name")
    untagged = [
        f"{name}: {each.name} has no {one}"
        for name, file in everything.items()
        for each in file.named("resource").values()
        for one, other in (("tags", "location"), ("location", "tags"))
        if other in properties(each.body) and one not in properties(each.body)
    ]
    return found + untagged


def _tags(infra: Path) -> dict[str, str]:
    value = files(infra)["main.bicep"].named("var")["tags"].value
    assert value is not None
    return {name: text(each) for name, each in properties(value).items()}


def test_the_template_follows_the_conventions_of_azd(infra: Path) -> None:
    assert faults(infra) == []


def test_the_outputs_are_what_a_federated_credential_asks_for(infra: Path) -> None:
    main = files(infra)["main.bicep"]
    outputs = {name: text(each.value) for name, each in main.named("output").items() if each.value is not None}
    assert {name: outputs[name] for name in FEDERATION} == FEDERATION
    audiences = main.named("var")["federationAudiences"].value
    assert audiences is not None
    assert {cloud: literal(each) for cloud, each in properties(audiences).items()} == AUDIENCES


def test_whoever_uninstalls_is_told_only_of_a_role_that_was_made_here(infra: Path) -> None:
    said = files(infra)["main.bicep"].named("output")["JOB_ROLE_NAME"].value
    assert said is not None
    assert text(said) == "empty(keyVaultRoleDefinitionId) ? tokenRotationRole.name : ''"
    guide = (CHECKOUT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert '$ if [ -n "$ROLE" ]; then az role definition delete --name "$ROLE"; fi' in guide


def test_azd_deploys_to_the_function_app_by_its_tag(infra: Path) -> None:
    services = yaml.safe_load((CHECKOUT / "azure.yaml").read_text(encoding="utf-8"))["services"]
    app = files(infra)["modules/function-app.bicep"].named("resource")["app"]
    tag = next(each for each in descendants(at(app.body, "tags"), "object"))
    assert [literal(each) for each in properties(tag).values()] == [*services]


def oldest(project: str) -> tuple[int, ...]:
    """The oldest azd that a project asks for."""
    wanted = yaml.safe_load(project)["requiredVersions"]["azd"]
    return tuple(int(number) for number in wanted.removeprefix(">= ").split("."))


def test_no_azd_is_taken_that_would_delete_the_groups_of_existing_vaults() -> None:
    """Before 1.24.1 `azd down` took every resource group of a deployment for its own, and before 1.25.0 it did not ask.

    azure-dev pull requests 7698 and 7998; the second asks unless `--force` is given, which no page here may say.
    """
    project = (CHECKOUT / "azure.yaml").read_text(encoding="utf-8")
    assert oldest(project) >= (1, 25, 0) > oldest(project.replace("1.25.0", "1.24.3"))
    version = ".".join(str(number) for number in oldest(project))
    assert f"| [azd](https://aka.ms/azd-install) {version} or later |" in (CHECKOUT / "docs" / "deploy.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "main.bicep",
            "targetScope = 'subscription'",
            "targetScope = 'resourceGroup'",
            "not deployed to a subscription",
        ),
        ("main.bicep", "'azd-env-name'", "'env-name'", "no tag azd-env-name"),
        ("main.bicep", "output JOB_ROLE_NAME", "output jobRoleName", "is not upper case"),
        ("main.bicep", "output JOB_ROLE_NAME", "output ALERT_EMAILS", "would set a parameter"),
        ("main.bicep", "output TENANT_ID", "output AZURE_TENANT_ID", "changes who the command line is"),
        ("main.bicep", "param principalType", "param kindOfPrincipal", "principalType is no parameter"),
        ("main.bicep", "param principalType", "param kindOfPrincipal", "kindOfPrincipal cannot be set by azd"),
        ("main.bicep", "param alertEmails string", "param alertEmails string = ''", "alertEmails has a default in one"),
        ("main.parameters.json", "${ALERT_EMAILS}", "somebody@contoso.example", "does not come from the environment"),
        ("main.parameters.json", "DAILY_CAP_GB=-1", "DAILY_CAP_GB=5", "dailyCapGb is 5 for azd and -1"),
        ("modules/function-app.bicep", "'azd-service-name'", "'service'", "no tag azd-service-name"),
        ("modules/storage.bicep", "  tags: tags\n", "", "account has no tags"),
        ("modules/storage.bicep", "  location: location\n", "", "account has no location"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(file, old, new)) if fault in each]
