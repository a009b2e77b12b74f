"""The settings of the function app are those that the code and the host read, with the same names and defaults."""

from __future__ import annotations

import json
from pathlib import Path

from rotation.settings import Settings, SettingsError
from tests.core.test_agreement import HOSTS_OWN, sample, settings_of_the_code
from tests.infra.bicep import BicepFile, Declaration, at, descendants, files, literal, properties, text
from tests.infra.conftest import Break

STORAGE_BY_IDENTITY = {
    "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId",
}  # fmt: skip
NOT_IN_AZURE = {
    "AZURE_TENANT_ID": "the job is a managed identity there",
    "AZURE_CLIENT_SECRET": "the same",
    "AZURE_AUTHORITY_HOST": "the same",
    "AzureWebJobsStorage": "a connection string has a key in it; the host is given the address and the identity",
    "FUNCTIONS_WORKER_RUNTIME": "Flex Consumption takes it from functionAppConfig",
}

BEYOND = {"minValue": -1, "maxValue": 1}


def chosen(main: BicepFile) -> dict[str, Declaration]:
    """What an operator may choose: the setting, and the parameter that it comes from."""
    settings = properties(at(main.named("module")["functionApp"].body, "params.settings"))
    parameters = main.named("param")
    return {
        setting: parameters[name]
        for setting, value in settings.items()
        for name in (text(each) for each in descendants(value, "identifier"))
        if name in parameters
    }


def deployed(infra: Path) -> set[str]:
    """Every setting that the function app gets."""
    everything = files(infra)
    given = at(everything["main.bicep"].named("module")["functionApp"].body, "params.settings")
    fixed = at(everything["modules/function-app.bicep"].named("resource")["appSettings"].body, "properties")
    return {*properties(given), *properties(next(descendants(fixed, "object")))}


def faults(infra: Path) -> list[str]:
    read, said = settings_of_the_code() | HOSTS_OWN | STORAGE_BY_IDENTITY, deployed(infra)
    missing = [f"{name} is not set" for name in sorted(read - said - NOT_IN_AZURE.keys())]
    unread = [f"{name} is set and read by nobody" for name in sorted(said - read)]
    needless = [f"{name} is set: {NOT_IN_AZURE[name]}" for name in sorted(said & NOT_IN_AZURE.keys())]
    return missing + unread + needless + _other_defaults(infra) + _other_bounds(infra)


def _other_defaults(infra: Path) -> list[str]:
    parameters = json.loads((infra / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    found = []
    for setting, parameter in chosen(files(infra)["main.bicep"]).items():
        assert parameter.value is not None
        default = literal(parameter.value) if parameter.value.type == "string" else text(parameter.value)
        if default != (shown := sample().get(setting)):
            found.append(f"{setting} is {default} by default, and {shown} in the sample")
        if parameters[parameter.name]["value"] != (place := f"${{{setting}={default}}}"):
            found.append(f"{parameter.name} is not {place} in main.parameters.json")
    return found


def _other_bounds(infra: Path) -> list[str]:
    """A number that the template lets through and the code refuses would stop every run."""
    found = []
    for setting, parameter in chosen(files(infra)["main.bicep"]).items():
        for decorator in parameter.decorators:
            name, *arguments = (text(each) for each in descendants(decorator, "identifier", "number"))
            if name in BEYOND and (
                not accepted(setting, int(arguments[0])) or accepted(setting, int(arguments[0]) + BEYOND[name])
            ):
                found.append(f"{setting} has another {name} than in the code")
    return found


def accepted(setting: str, value: int) -> bool:
    """Whether the code takes a number for what it is, whatever it says of its neighbours."""
    try:
        Settings.from_environ({"KEY_VAULT_URLS": "https://contoso-vault.vault.azure.net", setting: str(value)})
    except SettingsError as error:
        return not any(fault.startswith(f"{setting} is not a number") for fault in error.faults)
    return True


def test_the_app_has_every_setting_that_is_read_and_no_other(infra: Path) -> None:
    assert faults(infra) == []
    assert len(chosen(files(infra)["main.bicep"])) == 8


def test_a_forgotten_setting_is_noticed(broken: Break) -> None:
    copy = broken("main.bicep", "      WARN_BEFORE_DAYS: string(warnBeforeDays)\n", "")
    assert faults(copy) == ["WARN_BEFORE_DAYS is not set"]


def test_a_setting_that_nobody_reads_is_noticed(broken: Break) -> None:
    copy = broken("main.bicep", "MAX_CONCURRENCY: string", "CONCURRENCY: string")
    assert faults(copy)[:2] == ["MAX_CONCURRENCY is not set", "CONCURRENCY is set and read by nobody"]


def test_a_secret_in_the_settings_is_noticed(broken: Break) -> None:
    connection = "AzureWebJobsStorage: blobEndpoint\n    AZURE_CLIENT_ID: "
    copy = broken("modules/function-app.bicep", "AZURE_CLIENT_ID: ", connection)
    assert [each for each in faults(copy) if "has a key in it" in each]


def test_another_default_is_noticed(broken: Break) -> None:
    copy = broken("main.bicep", "param rotateAfterDays int = 7", "param rotateAfterDays int = 1")
    assert faults(copy) == [
        "ROTATE_AFTER_DAYS is 1 by default, and 7 in the sample",
        "rotateAfterDays is not ${ROTATE_AFTER_DAYS=1} in main.parameters.json",
    ]


def test_another_default_of_azd_is_noticed(broken: Break) -> None:
    copy = broken("main.parameters.json", "${INACTIVITY_DAYS=90}", "${INACTIVITY_DAYS=60}")
    assert faults(copy) == ["inactivityDays is not ${INACTIVITY_DAYS=90} in main.parameters.json"]


def test_another_limit_is_noticed(broken: Break) -> None:
    assert faults(broken("main.bicep", "@maxValue(64)", "@maxValue(65)")) == [
        "MAX_CONCURRENCY has another maxValue than in the code"
    ]
