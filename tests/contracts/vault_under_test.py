"""The vault that the contract is asked of: the emulator, or the one at `VAULT_URL` as the signed-in identity."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import AzureCliCredential, ClientSecretCredential
from azure.keyvault.secrets import SecretClient

VAULT_SUFFIXES = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
MICROSOFT_AUTHORITIES = ("login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn")


@dataclass(frozen=True, slots=True)
class VaultUnderTest:
    """The SDK's client and names of the test's own, so that nothing else in the vault is ever touched."""

    client: SecretClient
    verify: str | bool
    _names: list[str] = field(default_factory=list)

    def new_name(self) -> str:
        """A name that nobody else has, removed again after the test."""
        self._names.append(f"contract-{uuid.uuid4().hex}")
        return self._names[-1]

    def remove_all(self) -> None:
        """Delete and, where that is allowed, purge every secret of this test."""
        for name in self._names:
            if not self._is_deleted(name):
                try:
                    self.client.begin_delete_secret(name).wait()
                except ResourceNotFoundError:
                    continue
            self._purge(name)

    def _is_deleted(self, name: str) -> bool:
        try:
            self.client.get_deleted_secret(name)
        except ResourceNotFoundError:
            return False
        return True

    def _purge(self, name: str) -> None:
        try:
            self.client.purge_deleted_secret(name)
        except HttpResponseError as refused:
            if refused.status_code != 403:  # a role without purge, or purge protection: the retention ends it
                raise


@contextmanager
def vault_at(url: str) -> Iterator[VaultUnderTest]:
    """A vault from outside. The challenge is checked against the vault's domain wherever that has a known suffix."""
    known = (urlsplit(url).hostname or "").endswith(VAULT_SUFFIXES)
    with SecretClient(url, signed_in(), verify_challenge_resource=known) as client:
        yield VaultUnderTest(client, verify=True)


def signed_in() -> TokenCredential:
    """The `AZURE_*` triple when all of it is set, else whoever is signed in to the Azure CLI."""
    tenant, app, secret = (os.environ.get(f"AZURE_{each}") for each in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    if tenant and app and secret:
        authority = os.environ.get("AZURE_AUTHORITY_HOST", MICROSOFT_AUTHORITIES[0])
        known = (urlsplit(authority).hostname or authority) in MICROSOFT_AUTHORITIES
        return ClientSecretCredential(tenant, app, secret, disable_instance_discovery=not known)
    return AzureCliCredential()
