"""The client credential of an app as its tag names it: what a redemption proves itself with, read from the same vault.

Reading, and refusing what is not of its kind. How a PKCS#12 or PEM file is opened is in `client_certificate`, how the
issuer takes the proof in `client_assertion`, in which order several are tried in `redeeming`.
"""

from __future__ import annotations

from typing import assert_never

from rotation.client_certificate import UnusableCertificateError, looks_like_key, parse_certificate
from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.ports import (
    ClientProof,
    ClientProofError,
    FederatedIdentity,
    SecretDisabledError,
    SecretNotFoundError,
    SecretVersion,
    Vault,
    VaultError,
)
from rotation.reason import Reason
from rotation.secret_value import ClientSecret


def read_client_proof(ref: CredentialRef, vault: Vault) -> ClientProof:
    """Read what the tag names. Raises ClientProofError."""
    match ref.kind:
        case CredentialKind.SECRET:
            return _client_secret(ref, _read(ref, vault))
        case CredentialKind.CERTIFICATE:
            secret = _read(ref, vault)
            try:
                return parse_certificate(secret.value, secret.content_type)
            except UnusableCertificateError as error:
                raise _missing(ref, str(error)) from None  # the frames behind it hold the key
        case CredentialKind.MANAGED_IDENTITY:
            return FederatedIdentity(ref.name or None)
    assert_never(ref.kind)


def _read(ref: CredentialRef, vault: Vault) -> SecretVersion:
    """A certificate's key is in the secret of the same name (Azure Key Vault, "Get a certificate's private key")."""
    try:
        return vault.read(ref.name)
    except SecretNotFoundError as error:
        raise _missing(ref, "does not exist, or is deleted") from error
    except SecretDisabledError as error:
        raise _missing(ref, "is disabled") from error
    except VaultError as error:
        raise ClientProofError(error.reason, error.message) from error


def _client_secret(ref: CredentialRef, secret: SecretVersion) -> ClientSecret:
    if not secret.value.reveal().strip():
        raise _missing(ref, "is empty")
    if secret.holds_certificate:
        raise _missing(ref, f"is a certificate: write certificate:{ref.name}")
    if looks_like_key(secret.value):
        raise _missing(ref, "holds a private key or a certificate and no client secret; it was not sent to the issuer")
    return ClientSecret(secret.value.reveal())


def _missing(ref: CredentialRef, what: str) -> ClientProofError:
    return ClientProofError(Reason.CLIENT_CREDENTIAL_MISSING, f"the {ref.kind} {ref.name} that the tags name {what}")
