"""How the issuer takes each kind of client proof: what MSAL is given as `client_credential`.

A certificate signs an assertion for each redemption (RFC 7523; Microsoft identity platform, "Certificate credentials":
PS256 and the SHA-256 thumbprint); its chain goes along, for apps that trust by subject name and issuer. A managed
identity's token is itself the assertion ("Configure an application to trust a managed identity").
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import assert_never

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from msal.oauth2cli import JwtAssertionCreator

from rotation.clouds import Cloud
from rotation.ports import ClientCertificate, ClientProof, FederatedIdentity
from rotation.secret_value import ClientSecret, SecretValue

type IdentityToken = Callable[[str | None, str], SecretValue]
"""The token of a managed identity (by client id, None for the only one) for an audience. Raises ClientProofError."""

type MsalContext = Mapping[str, str]


def msal_client_credential(
    proof: ClientProof, *, cloud: Cloud, identity_token: IdentityToken
) -> str | dict[str, Callable[..., str | bytes]]:
    """The proof in the form that MSAL takes; an assertion is made when it is asked for, and used once."""
    match proof:
        case ClientSecret():
            return proof.reveal()
        case ClientCertificate():
            return {"client_assertion": _signer(proof)}
        case FederatedIdentity(client_id):
            return {"client_assertion": lambda: identity_token(client_id, cloud.federation_audience).reveal()}
    assert_never(proof)


def _signer(certificate: ClientCertificate) -> Callable[[MsalContext], bytes]:
    leaf = certificate.chain[0]
    creator = JwtAssertionCreator(
        certificate.private_key,
        "PS256",
        sha256_thumbprint=leaf.fingerprint(SHA256()).hex(),
        headers={"x5c": [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificate.chain]},
    )

    def sign(context: MsalContext) -> bytes:
        assertion: bytes = creator.create_normal_assertion(context["token_endpoint"], context["client_id"])
        return assertion

    return sign
