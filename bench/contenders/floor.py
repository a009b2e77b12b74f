"""The bare SDK calls: the requests of the product, token by token in as many threads, and nothing else.

No decision, no check, no order, no pace: what these calls cost is what nobody who uses the SDKs can go below. One
client with enough connections, one MSAL application; the list is read, so that the names are known.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial

import msal
import requests
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from requests.adapters import HTTPAdapter

from bench.spec import APP_SECRET
from emulators.world import CLIENT_ID, TENANT_ID

_SCOPES = ["https://api.partnercenter.microsoft.com/user_impersonation"]
_LIFE = timedelta(days=90)


def rotate() -> dict[str, int]:
    """Every token of every vault."""
    threads = int(os.environ.get("MAX_CONCURRENCY", "16"))
    with ExitStack() as stack:
        credential = stack.enter_context(ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"]))
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        work = []
        for url in os.environ["KEY_VAULT_URLS"].split(","):
            vault = stack.enter_context(_client(url, credential, connections=threads))
            app = _app(vault)
            names = [each.name for each in vault.list_properties_of_secrets() if each.name != APP_SECRET]
            work += [partial(_rotate_token, vault, app, name) for name in names if name is not None]
        return dict(Counter(pool.map(lambda each: each(), work)))


def _client(url: str, credential: ManagedIdentityCredential, *, connections: int) -> SecretClient:
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=connections))
    # an emulator's host is not of the domain that its challenge names
    return SecretClient(
        url, credential, verify_challenge_resource=False, transport=RequestsTransport(session=session)
    )  # fmt: skip


def _app(vault: SecretClient) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{os.environ['AUTHORITY_OVERRIDES'].partition('=')[2]}/{TENANT_ID}",
        client_credential=vault.get_secret(APP_SECRET).value,
        instance_discovery=False,
    )


def _rotate_token(vault: SecretClient, app: msal.ConfidentialClientApplication, name: str) -> str:
    read = vault.get_secret(name)
    answer = app.acquire_token_by_refresh_token(read.value, scopes=_SCOPES)
    vault.get_secret(name)
    try:
        stored = vault.set_secret(
            name, answer["refresh_token"], tags=read.properties.tags, expires_on=datetime.now(UTC) + _LIFE
        )
    except HttpResponseError:  # refused again and again, by the limit: the SDK gives up, and the new token is gone
        return "stranded"
    keep = stored.properties.version, read.properties.version
    for version in vault.list_properties_of_secret_versions(name):
        if version.version is not None and version.enabled and version.version not in keep:
            vault.update_secret_properties(name, version.version, enabled=False)
    return "rotated"
