"""Run the certified issuer of `oidc_provider/` for a test: start it, say how to reach it, stop it.

Needs Node 20 or later and the packages that `npm ci --prefix tests/interop/oidc_provider` installs; without either it
fails and says which.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msal
import requests
import trustme

from emulators.tls import LOOPBACK
from tests.interop.node import line_of, node_for

SCOPE = "https://api.partnercenter.microsoft.com/user_impersonation"
_FOLDER = Path(__file__).parent / "oidc_provider"


@dataclass(frozen=True, slots=True)
class OidcIssuer:
    """The running issuer: what MSAL needs to redeem, and the first refresh token of each of its consents."""

    authority: str  # https://127.0.0.1:PORT/<tenant>
    tenant_id: str
    client_id: str
    account_id: str
    authority_file: Path
    client_secret: str = field(repr=False)
    refresh_tokens: tuple[str, ...] = field(repr=False)

    @property
    def refresh_token(self) -> str:
        """The first refresh token of the first consent."""
        return self.refresh_tokens[0]

    def redeem(self, refresh_token: str, *, secret: str | None = None) -> dict[str, Any]:
        """What MSAL gets for a refresh token; nothing of the product is involved."""
        with requests.Session() as session:
            session.verify, session.trust_env = str(self.authority_file), False
            app = msal.ConfidentialClientApplication(
                self.client_id,
                authority=self.authority,
                client_credential=secret or self.client_secret,
                instance_discovery=False,
                http_client=session,
            )
            answer: dict[str, Any] = app.acquire_token_by_refresh_token(refresh_token, [SCOPE])
            return answer


@contextmanager
def oidc_issuer(
    authority_file: Path,
    *,
    client_certificate: bytes | None = None,
    consents: int = 1,
    lost_requests: int = 0,
    lost_answers: int = 0,
) -> Iterator[OidcIssuer]:
    """Serve the issuer until the block ends. The authority of its certificate is appended to `authority_file`.

    With a `client_certificate` (PEM) its one client proves itself with `private_key_jwt` (RFC 7523), signed PS256 by
    the key of that certificate, and the client secret is good for nothing.

    The first `lost_requests` for a token are lost before they have an effect, the answers to the next `lost_answers`
    after it: the client sees a closed connection either way.

    Raises RuntimeError when Node or the packages are missing, or when the issuer does not start.
    """
    tenant_id, client_id, account_id, secret = (str(uuid.uuid4()) for _ in range(4))
    certificate_file = _certificate(authority_file)
    settings = {
        "ISSUER_TENANT": tenant_id,
        "ISSUER_ACCOUNT": account_id,
        "ISSUER_CLIENT_ID": client_id,
        "ISSUER_CLIENT_SECRET": secret,
        "ISSUER_CERTIFICATE_FILE": str(certificate_file),
        "ISSUER_CONSENTS": str(consents),
        "ISSUER_LOST_REQUESTS": str(lost_requests),
        "ISSUER_LOST_ANSWERS": str(lost_answers),
    }
    if client_certificate is not None:
        client_file = authority_file.with_name("oidc-client.pem")
        client_file.write_bytes(client_certificate)
        settings["ISSUER_CLIENT_CERTIFICATE_FILE"] = str(client_file)
    with _running(settings, certificate_file.with_suffix(".log")) as started:
        yield OidcIssuer(
            authority=f"https://{LOOPBACK}:{started['port']}/{tenant_id}",
            tenant_id=tenant_id,
            client_id=client_id,
            account_id=account_id,
            authority_file=authority_file,
            client_secret=secret,
            refresh_tokens=tuple(started["refresh_tokens"]),
        )


def _certificate(authority_file: Path) -> Path:
    authority = trustme.CA(organization_name="contoso loopback issuer")
    certificate_file = authority_file.with_name("oidc-issuer.pem")
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(certificate_file))
    authority.cert_pem.write_to_path(str(authority_file), append=True)
    return certificate_file


@contextmanager
def _running(settings: Mapping[str, str], log_file: Path) -> Iterator[Mapping[str, Any]]:
    command = [node_for(_FOLDER, "oidc-provider"), str(_FOLDER / "server.mjs")]
    with (
        log_file.open("w") as log,
        subprocess.Popen(
            command,
            env=os.environ | dict(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield json.loads(line_of(process, '"port"', log_file))
        finally:
            process.terminate()
