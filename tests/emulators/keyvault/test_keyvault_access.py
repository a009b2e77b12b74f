"""The vault lets in whoever holds a token for it, and then does only what their data actions allow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.keyvault.secrets import SecretClient
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from emulators.keyvault.access import SECRETS_OFFICER, DataAction
from tests.contracts.emulated_vault import AUTHORITY, OPERATOR, EmulatedVault, token_of

NOW = int(time.time())
NEEDED: dict[DataAction, Callable[[SecretClient], object]] = {
    DataAction.READ_METADATA: lambda client: list(client.list_properties_of_secrets()),
    DataAction.GET_SECRET: lambda client: client.get_secret("live"),
    DataAction.SET_SECRET: lambda client: client.set_secret("live", "two"),
    DataAction.UPDATE: lambda client: client.update_secret_properties("live", enabled=False),
    DataAction.DELETE: lambda client: client.begin_delete_secret("live").result(),
    DataAction.RECOVER: lambda client: client.begin_recover_deleted_secret("gone").result(),
    DataAction.PURGE: lambda client: client.purge_deleted_secret("gone"),
    DataAction.BACKUP: lambda client: client.backup_secret("live"),
    DataAction.RESTORE: lambda client: client.restore_secret_backup(b"blob"),
}


def raw_get(vault: EmulatedVault, **headers: str) -> tuple[int, str, str]:
    url = f"{vault.url}/secrets?api-version=7.6"
    with requests.get(url, headers=headers, verify=vault.authority_file, timeout=60) as answer:
        return answer.status_code, answer.json()["error"]["code"], answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("action", NEEDED)
def test_each_operation_needs_its_own_data_action(vault: EmulatedVault, action: DataAction) -> None:
    vault.state.put("live", "one")
    vault.state.put("gone", "one")
    vault.state.delete("gone")
    vault.access.deny(OPERATOR, {action})
    with vault.client() as client, pytest.raises(HttpResponseError) as refused:
        NEEDED[action](client)
    assert refused.value.status_code == 403
    assert "ForbiddenByRbac" in refused.value.message
    assert action in refused.value.message


@pytest.mark.parametrize("action", [action for action in NEEDED if action is not DataAction.RESTORE])
def test_one_data_action_alone_is_enough_for_its_operation(vault: EmulatedVault, action: DataAction) -> None:
    vault.state.put("live", "one")
    vault.state.put("gone", "one")
    vault.state.delete("gone")
    vault.access.deny(OPERATOR, SECRETS_OFFICER - {action, DataAction.READ_METADATA})
    with vault.client() as client:
        NEEDED[action](client)
    assert vault.log.requests[-1].status in {200, 204}


def test_whoever_has_no_role_is_refused(vault: EmulatedVault) -> None:
    with vault.client("somebody-else") as client, pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
        client.set_secret("live", "one")
    assert vault.state.names() == ()


@pytest.mark.parametrize("scheme", ["", "Basic dXNlcjpwYXNz", "Bearer"])
def test_a_request_without_a_bearer_token_gets_the_challenge(vault: EmulatedVault, scheme: str) -> None:
    challenge = f'Bearer authorization="{AUTHORITY}", resource="https://vault.azure.net"'
    assert raw_get(vault, Authorization=scheme) == (401, "Unauthorized", challenge)


@pytest.mark.parametrize(
    "claims",
    [{"aud": "https://graph.microsoft.com"}, {"exp": NOW - 3600}, {"nbf": NOW + 3600}],
    ids=["another audience", "expired", "not yet valid"],
)
def test_a_token_that_does_not_hold_is_refused(vault: EmulatedVault, claims: dict[str, object]) -> None:
    with vault.client(claims=claims) as client, pytest.raises(ClientAuthenticationError) as refused:
        client.set_secret("live", "one")
    assert refused.value.status_code == 401
    assert vault.state.names() == ()


def test_a_token_that_somebody_else_signed_is_refused(vault: EmulatedVault) -> None:
    token = token_of(OPERATOR, key=generate_private_key(public_exponent=65537, key_size=2048))
    assert raw_get(vault, Authorization=f"Bearer {token}")[:2] == (401, "Unauthorized")


def test_a_refusal_shows_nothing_of_the_token(vault: EmulatedVault) -> None:
    url, token = f"{vault.url}/secrets?api-version=7.6", token_of(OPERATOR, {"exp": NOW - 3600})
    headers = {"Authorization": f"Bearer {token}"}
    with requests.get(url, headers=headers, verify=vault.authority_file, timeout=60) as answer:
        assert answer.status_code == 401
        assert not any(part in answer.text for part in token.split("."))
