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

import trustme

from emulators.tls import LOOPBACK
from tests.interop.node import line_of, node_for

_FOLDER = Path(__file__).parent / "oidc_provider"


@dataclass(frozen=True, slots=True)
class OidcIssuer:
    """The running issuer: what MSAL needs to redeem, and the first refresh token of its one consent."""

    authority: str  # https://127.0.0.1:PORT/<tenant>
    tenant_id: str
    client_id: str
    account_id: str
    authority_file: Path
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@contextmanager
def oidc_issuer(authority_file: Path, *, client_certificate: bytes | None = None) -> Iterator[OidcIssuer]:
    """Serve the issuer until the block ends. The authority of its certificate is appended to `authority_file`.

    With a `client_certificate` (PEM) its one client proves itself with `private_key_jwt` (RFC 7523), signed PS256 by
    the key of that certificate, and the client secret is good for nothing.

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
            refresh_token=str(started["refresh_token"]),
        )


def _certificate(authority_file: Path) -> Path:
    authority = trustme.CA(organization_name="contoso loopback issuer")
    certificate_file = authority_file.with_name("oidc-issuer.pem")
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(certificate_file))
    authority.cert_pem.write_to_path(str(authority_file), append=True)
    return certificate_file


@contextmanager
def _running(settings: Mapping[str, str], log_file: Path) -> Iterator[Mapping[str, object]]:
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
