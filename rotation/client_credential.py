"""The client credential of an app, out of the vault that holds its refresh tokens.

Only a vault is asked here; how the issuer takes the credential is left to `entra`, how often it is read to `crew`.
"""

from __future__ import annotations

from rotation.ports import SecretDisabledError, SecretNotFoundError, Vault, VaultError
from rotation.reason import Reason
from rotation.secret_value import ClientSecret
from rotation.token import CredentialRef


class ClientCredentialError(Exception):
    """The client credential cannot be had: missing, disabled, empty, or the vault did not answer."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def read_client_secret(ref: CredentialRef, vault: Vault) -> ClientSecret:
    """Read the client secret that the tag names. Raises ClientCredentialError."""
    try:
        value = vault.read(ref.name).value.reveal()
    except SecretNotFoundError as error:
        raise _missing(ref, "does not exist, or is deleted") from error
    except SecretDisabledError as error:
        raise _missing(ref, "is disabled") from error
    except VaultError as error:
        raise ClientCredentialError(error.reason, error.message) from error
    if not value.strip():
        raise _missing(ref, "is empty")
    return ClientSecret(value)


def _missing(ref: CredentialRef, what: str) -> ClientCredentialError:
    return ClientCredentialError(Reason.CLIENT_CREDENTIAL_MISSING, f"the secret {ref.name} that the tags name {what}")
