"""Environments that name a job, and what is made of one: settings, or the faults that are said of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rotation.settings import Settings, SettingsError

URL = "https://contoso-tokens.vault.azure.net"
LEAST = {"KEY_VAULT_URLS": URL}
PASTED = "Q7x8~contoso-client-secret-pasted-into-the-wrong-setting"
TRIPLE = {
    "AZURE_CLIENT_ID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_CLIENT_SECRET": PASTED,
}
STORAGE = (
    "AzureWebJobsStorage", "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
)  # fmt: skip
BLOBS = "https://contosorotation.blob.core.windows.net"
ENDPOINT = {"IDENTITY_ENDPOINT": "http://localhost:4141/msi/token"}


def settings_of(**more: str) -> Settings:
    return Settings.from_environ({**LEAST, **more})


def faults_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ)
    assert str(refused.value) == "; ".join(refused.value.faults)
    return refused.value.faults


def faults_or_none(environ: Mapping[str, str]) -> SettingsError | None:
    try:
        Settings.from_environ(environ)
    except SettingsError as refused:
        return refused
    return None


def first_word(fault: str) -> str:
    return fault.replace(",", " ").split()[0]
