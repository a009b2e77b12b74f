"""A vault emulator of a test's own, served over TLS, with a signing key instead of an issuer."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt
from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from starlette.types import ASGIApp

from emulators.bearer import BearerVerifier
from emulators.faults import Faults
from emulators.keyvault.access import SECRETS_OFFICER, AccessPolicy
from emulators.keyvault.app import RESOURCE, keyvault_app
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import Throttle
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.tls import LoopbackTls

AUTHORITY = "https://login.contoso.example/11111111-1111-4111-8111-111111111111"
OPERATOR = "22222222-2222-4222-8222-222222222222"
KEY_ID = "contoso-key"


@functools.cache
def signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def token_of(object_id: str, claims: Mapping[str, object] | None = None, *, key: RSAPrivateKey | None = None) -> str:
    now = int(time.time())
    payload = {"aud": RESOURCE, "oid": object_id, "nbf": now - 60, "exp": now + 3600}
    return jwt.encode({**payload, **(claims or {})}, key or signing_key(), algorithm="RS256", headers={"kid": KEY_ID})


@dataclass(frozen=True, slots=True)
class SignedCredential:
    """A `TokenCredential` whose tokens the emulated vault accepts."""

    object_id: str = OPERATOR
    claims: Mapping[str, object] = field(default_factory=dict)

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(token_of(self.object_id, self.claims), int(time.time()) + 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedVault:
    url: str
    authority_file: str
    state: VaultState
    access: AccessPolicy
    throttle: Throttle
    faults: Faults
    log: RequestLog

    def client(self, object_id: str = OPERATOR, *, claims: Mapping[str, object] | None = None) -> SecretClient:
        """The real SDK's client, which sends each request once and trusts this vault's certificate alone."""
        return SecretClient(
            self.url,
            SignedCredential(object_id, claims or {}),
            connection_verify=self.authority_file,
            verify_challenge_resource=False,
            retry_total=0,
        )


@contextmanager
def emulated_vault(
    tls: LoopbackTls, state: VaultState | None = None, *, layer: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> Iterator[EmulatedVault]:
    """`layer` wraps the application, for a test that wants it wrong."""
    bound = listen()
    vault = EmulatedVault(
        url=url_of(bound),
        authority_file=str(tls.authority_file),
        state=state or VaultState("contoso"),
        access=AccessPolicy(),
        throttle=Throttle(),
        faults=Faults(),
        log=RequestLog(),
    )
    vault.access.grant(OPERATOR, SECRETS_OFFICER)
    app = keyvault_app(
        vault.state,
        verify=BearerVerifier(lambda: {KEY_ID: signing_key().public_key()}, RESOURCE).verify,
        access=vault.access,
        authority_url=AUTHORITY,
        throttle=vault.throttle,
        faults=vault.faults,
        log=vault.log,
    )
    with serving([Site(bound, layer(app), tls.context)]):
        yield vault
