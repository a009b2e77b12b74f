"""The loop that a good engineer writes in an afternoon: list, read, redeem, store, one token after the other.

Good of its kind: it leaves what is not due by the list's own dates, keeps the tags, keeps one client and one MSAL
application for all, checks the answer, and goes on after a failure. What it cannot do is what the product is for: it
knows no crash between redeeming and storing, nobody who stores a re-consent meanwhile, no limit of the vault but the
SDK's own retries, and no second run.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import msal
from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from bench.spec import APP_SECRET
from emulators.world import CLIENT_ID, TENANT_ID

_SCOPES = ["https://api.partnercenter.microsoft.com/user_impersonation"]
_OLD, _LIFE = timedelta(days=7), timedelta(days=90)


def rotate() -> dict[str, int]:
    """Go over every vault."""
    counts: Counter[str] = Counter()
    authority = os.environ["AUTHORITY_OVERRIDES"].partition("=")[2]
    with ManagedIdentityCredential(client_id=os.environ["AZURE_CLIENT_ID"]) as credential:
        for url in os.environ["KEY_VAULT_URLS"].split(","):
            # an emulator's host is not of the domain that its challenge names
            with SecretClient(url, credential, verify_challenge_resource=False) as vault:
                _rotate_vault(vault, authority, counts)
    return dict(counts)


def _rotate_vault(vault: SecretClient, authority: str, counts: Counter[str]) -> None:
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{authority}/{TENANT_ID}",
        client_credential=vault.get_secret(APP_SECRET).value,
        instance_discovery=False,
    )
    for listed in vault.list_properties_of_secrets():
        if (listed.tags or {}).get("managed-by") != "token-rotation" or listed.name is None:
            continue
        if listed.updated_on is not None and datetime.now(UTC) - listed.updated_on < _OLD:
            counts["skipped"] += 1
            continue
        try:
            counts["rotated" if _rotate_token(vault, app, listed.name) else "failed"] += 1
        except HttpResponseError:
            counts["failed"] += 1


def _rotate_token(vault: SecretClient, app: msal.ConfidentialClientApplication, name: str) -> bool:
    secret = vault.get_secret(name)
    answer = app.acquire_token_by_refresh_token(secret.value, scopes=_SCOPES)
    if "refresh_token" not in answer:
        return False
    vault.set_secret(
        name,
        answer["refresh_token"],
        tags=secret.properties.tags,
        content_type=secret.properties.content_type,
        expires_on=datetime.now(UTC) + _LIFE,
    )
    return True
