"""The token with which a managed identity stands in for a client secret, asked for where the job runs.

Who the job itself is, for the vault, is another matter and left to `wiring`: the two may be different identities.
"""

from __future__ import annotations

import threading

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.identity import ManagedIdentityCredential

from rotation.ports import ClientProofError
from rotation.reason import Reason
from rotation.secret_value import SecretValue


class ManagedIdentities:
    """Tokens of the managed identities that are assigned to where this runs. Safe for several threads.

    `default_client_id` is the one that a tag means which names none: the job's, where the job is a managed identity.
    """

    def __init__(self, *, default_client_id: str | None) -> None:
        self._default_client_id = default_client_id
        self._credentials: dict[str | None, ManagedIdentityCredential] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        for credential in self._credentials.values():
            credential.close()

    def token(self, client_id: str | None, audience: str) -> SecretValue:
        """A token of an identity for an audience, kept while it is valid. Raises ClientProofError.

        `from None`: the frames behind the library's own error hold the answer.
        """
        which = f"the managed identity {client_id}" if client_id else "the managed identity"
        try:
            credential = self._credential(client_id or self._default_client_id)
            return SecretValue(credential.get_token(f"{audience}/.default").token)
        except (ServiceRequestError, ServiceResponseError) as error:
            message = f"{which} gave no token for {audience}: its endpoint did not answer ({type(error).__name__})"
            raise ClientProofError(Reason.ISSUER_UNAVAILABLE, message) from None
        except (AzureError, ValueError, TypeError, AttributeError) as error:  # MSAL reads any JSON as an object
            message = f"{which} gave no token for {audience} ({type(error).__name__}): assign it to the function app"
            raise ClientProofError(Reason.CLIENT_CREDENTIAL_MISSING, message) from None

    def _credential(self, client_id: str | None) -> ManagedIdentityCredential:
        with self._lock:
            if client_id not in self._credentials:
                self._credentials[client_id] = ManagedIdentityCredential(
                    client_id=client_id, connection_timeout=4, read_timeout=8, retry_total=1
                )
            return self._credentials[client_id]
