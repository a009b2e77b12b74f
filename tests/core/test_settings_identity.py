"""Who the job is, and where its lease lives: both follow from which settings are there, and half of them is a fault."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rotation.secret_value import ClientSecret, SecretValue
from rotation.settings import (
    AzureCliIdentity,
    ClientSecretIdentity,
    JobIdentity,
    LeaseStorage,
    ManagedIdentity,
    StorageConnection,
    StorageService,
)
from tests.core.environments import BLOBS, ENDPOINT, LEAST, PASTED, STORAGE, TRIPLE, faults_of, settings_of


@pytest.mark.parametrize(
    ("environ", "identity"),
    [
        ({}, AzureCliIdentity()),
        (ENDPOINT, ManagedIdentity(None)),
        ({**ENDPOINT, "AZURE_CLIENT_ID": TRIPLE["AZURE_CLIENT_ID"]}, ManagedIdentity(TRIPLE["AZURE_CLIENT_ID"])),
        (TRIPLE, ClientSecretIdentity(TRIPLE["AZURE_TENANT_ID"], TRIPLE["AZURE_CLIENT_ID"], ClientSecret(PASTED))),
        (
            {**TRIPLE, **ENDPOINT},
            ClientSecretIdentity(TRIPLE["AZURE_TENANT_ID"], TRIPLE["AZURE_CLIENT_ID"], ClientSecret(PASTED)),
        ),
    ],
)
def test_who_the_job_is_follows_from_what_is_set(environ: Mapping[str, str], identity: JobIdentity) -> None:
    assert settings_of(**environ).identity == identity
    assert PASTED not in repr(settings_of(**environ))


@pytest.mark.parametrize(
    "given_names",
    [
        ["AZURE_CLIENT_ID"], ["AZURE_TENANT_ID"], ["AZURE_CLIENT_SECRET"], ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
        ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"], ["AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"],
    ],
)  # fmt: skip
def test_a_part_of_the_triple_is_a_fault_that_names_what_is_missing(given_names: list[str]) -> None:
    (fault,) = faults_of({**LEAST, **{name: TRIPLE[name] for name in given_names}})
    here, missing = fault.split(" without ")
    assert here.split(" and ") == given_names
    assert {name for name in TRIPLE if name in missing} == set(TRIPLE) - set(given_names)


@pytest.mark.parametrize("tenant", ["contoso tenant", "tenant/x", "\ud800", "https://contoso.com", PASTED])
def test_a_tenant_that_cannot_be_one_is_a_fault(tenant: str) -> None:
    (fault,) = faults_of({**LEAST, **TRIPLE, "AZURE_TENANT_ID": tenant})
    assert fault.startswith("AZURE_TENANT_ID ")


@pytest.mark.parametrize(
    ("environ", "storage"),
    [
        (["UseDevelopmentStorage=true"], StorageConnection(SecretValue("UseDevelopmentStorage=true"))),
        (["", f"{BLOBS}/"], StorageService(BLOBS, None)),
        (["", BLOBS, "managedidentity"], StorageService(BLOBS, ManagedIdentity(None))),
        (["", BLOBS, "ManagedIdentity", "an-id"], StorageService(BLOBS, ManagedIdentity("an-id"))),
        (["", "https://127.0.0.1:10000/store1"], StorageService("https://127.0.0.1:10000/store1", None)),
        (["UseDevelopmentStorage=true", BLOBS], StorageConnection(SecretValue("UseDevelopmentStorage=true"))),
        (["", "", "managedidentity"], None),
    ],
)  # fmt: skip
def test_where_the_lease_lives_is_where_the_hosts_own_storage_is(
    environ: list[str], storage: LeaseStorage | None
) -> None:
    assert settings_of(**dict(zip(STORAGE, environ, strict=False))).lease_storage == storage


@pytest.mark.parametrize(
    "uri", ["contosorotation", "http://contoso.net", "https://", f"{BLOBS}/a/b", f"{BLOBS}?sv=x&sig=y", f"{BLOBS}:0"]
)
def test_a_blob_service_is_an_https_address_without_a_signature(uri: str) -> None:
    (fault,) = faults_of({**LEAST, "AzureWebJobsStorage__blobServiceUri": uri})
    assert fault.startswith("AzureWebJobsStorage__blobServiceUri is not of the form https://<account>.")


def test_a_client_id_without_a_credential_is_a_fault_that_says_both_ways_out() -> None:
    (fault,) = faults_of({**LEAST, "AzureWebJobsStorage__clientId": "an-id"})
    assert "set that to managedidentity, or remove both" in fault


def test_a_connection_string_is_not_shown() -> None:
    key = "AccountName=contosorotation;AccountKey=Y29udG9zbw=="
    assert "Y29udG9zbw" not in repr(settings_of(AzureWebJobsStorage=key))
