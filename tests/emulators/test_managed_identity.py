"""The managed-identity endpoint, through the real azure-identity over plain http as App Service serves it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

from emulators.bearer import BearerVerifier
from emulators.entra import EntraState, Principal
from emulators.faults import Faults
from emulators.managed_identity import PATH, ManagedIdentities, managed_identity_app
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of

TENANT = str(uuid.uuid4())
VAULT = "https://vault.azure.net"


@dataclass(frozen=True, slots=True)
class Host:
    endpoint: str
    entra: EntraState
    identities: ManagedIdentities
    user_assigned: Principal


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    entra = EntraState("https://127.0.0.1:1")
    identities = ManagedIdentities(entra)
    user_assigned = entra.add_managed_identity(TENANT, str(uuid.uuid4()))
    identities.assign(user_assigned)
    bound = listen()
    app = managed_identity_app(identities, faults=Faults(), log=RequestLog())
    with serving([Site(bound, app, None)]):
        yield Host(url_of(bound, scheme="http") + PATH, entra, identities, user_assigned)


@pytest.fixture
def environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("IDENTITY_ENDPOINT", host.endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", host.identities.header)
    return host


def test_azure_identity_gets_a_vault_token_of_a_user_assigned_identity(environment: Host) -> None:
    with ManagedIdentityCredential(client_id=environment.user_assigned.client_id) as credential:
        token = credential.get_token(f"{VAULT}/.default")
    claims = BearerVerifier(environment.entra.public_keys, VAULT).verify(token.token)
    assert (claims["oid"], claims["tid"]) == (environment.user_assigned.object_id, TENANT)
    assert claims["exp"] == pytest.approx(token.expires_on, abs=2)


def test_the_system_assigned_identity_answers_once_it_is_on(environment: Host) -> None:
    with ManagedIdentityCredential() as credential, pytest.raises(CredentialUnavailableError, match="400"):
        credential.get_token(f"{VAULT}/.default")
    system = environment.entra.add_managed_identity(TENANT)
    environment.identities.assign_system(system)
    with ManagedIdentityCredential() as credential:
        token = credential.get_token(f"{VAULT}/.default").token
    assert BearerVerifier(environment.entra.public_keys, VAULT).verify(token)["oid"] == system.object_id


def test_an_identity_that_is_not_assigned_is_refused(environment: Host) -> None:
    stranger = environment.entra.add_managed_identity(TENANT)
    environment.identities.assign(stranger)
    environment.identities.unassign(stranger)
    with (
        ManagedIdentityCredential(client_id=stranger.client_id) as credential,
        pytest.raises(
            (CredentialUnavailableError, ClientAuthenticationError), match="No managed identity with this id"
        ),
    ):
        credential.get_token(f"{VAULT}/.default")


def ask(host: Host, *, header: str | None = None, **query: str) -> requests.Response:
    query = {"api-version": "2019-08-01", "resource": VAULT, "client_id": host.user_assigned.client_id} | query
    sent = {"X-IDENTITY-HEADER": host.identities.header if header is None else header}
    return requests.get(host.endpoint, params=query, headers=sent, timeout=60)


def test_a_request_without_the_right_header_is_refused(host: Host) -> None:
    assert [ask(host, header=header).status_code for header in ("", "guessed")] == [401, 401]


@pytest.mark.parametrize("query", [{"api-version": "2017-09-01"}, {"resource": ""}])
def test_another_api_version_or_no_resource_is_refused(host: Host, query: dict[str, str]) -> None:
    assert ask(host, **query).status_code == 400


def test_an_unknown_resource_is_a_vague_500_with_a_correlation_id(host: Host) -> None:
    answer = ask(host, resource="https://unknown.contoso.example")
    assert (answer.status_code, answer.json()["statusCode"]) == (500, 500)
    assert uuid.UUID(answer.json()["correlationId"]).version == 4


def test_the_answer_has_the_fields_of_app_service_as_strings(host: Host) -> None:
    body = ask(host).json()
    assert body.keys() == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert all(isinstance(value, str) for value in body.values())


def test_federation_tokens_carry_the_v2_issuer_and_the_identity_as_subject(host: Host) -> None:
    token = ask(host, resource="api://AzureADTokenExchange").json()["access_token"]
    claims = BearerVerifier(host.entra.public_keys, "api://AzureADTokenExchange").verify(token)
    assert claims["iss"] == f"{host.entra.url}/{TENANT}/v2.0"
    assert claims["sub"] == host.user_assigned.object_id
