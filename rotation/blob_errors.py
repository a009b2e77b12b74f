"""What the storage SDK raises, as a StorageError with words of our own.

The texts of the service and of the SDK stay out: they name addresses, signatures and what was signed. Only the status
and the error code pass. What a refusal means to a lease is left to `blob_lease`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

_CODE = re.compile(r"[A-Za-z]{1,64}")

# Codes of a 403 ("Common REST API error codes" and "Blob Storage error codes"), for the person who can mend it.
_DENIED = {
    "AuthorizationPermissionMismatch": "the identity lacks the role Storage Blob Data Contributor there",
    "AuthorizationFailure": "its firewall forbids the address the job comes from, or the SAS allows too little",
    "AuthenticationFailed": "it does not accept this key, SAS or token",
    "KeyBasedAuthenticationNotPermitted": "it takes no keys: use AzureWebJobsStorage__blobServiceUri and an identity",
}

# The SDK's own failure on an answer of no known form, or on what it was given.
_UNUSABLE = (AzureError, OSError, RuntimeError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError)


class StorageError(Exception):
    """A storage account refused, with its status and error code, or did not answer: then there is no status."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", passes: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.passes = passes  # whether trying again may be enough


def translated[T](call: Callable[[], T]) -> T:
    """What the call answers. Raises a StorageError for whatever the SDK raises.

    `from None`: the frames behind the SDK's own error hold the key, the SAS or the token.
    """
    try:
        return call()
    except DecodeError:
        raise StorageError("the storage account answered something that is not of a storage account") from None
    except HttpResponseError as error:
        raise _answered(error) from None
    except (ServiceRequestError, ServiceResponseError) as error:
        raise StorageError(_unanswered(error), passes=True) from None
    except _UNUSABLE as error:
        raise StorageError(f"the storage account's answer could not be used ({type(error).__name__})") from None


def _unanswered(error: AzureError) -> str:
    if isinstance(error.inner_exception, requests.exceptions.SSLError):
        return (
            "the storage account's certificate is not trusted: an authority of your own is trusted with "
            "REQUESTS_CA_BUNDLE"
        )
    return f"the storage account did not answer ({type(error).__name__})"


def _answered(error: HttpResponseError) -> StorageError:
    status = error.status_code
    if status is None:
        return StorageError("no identity could be had for the storage account: see AzureWebJobsStorage__credential")
    code = getattr(error.response, "headers", {}).get("x-ms-error-code", "")
    code = code if _CODE.fullmatch(code) else ""
    said = f"the storage account answered {status}" + (f" ({code})" if code else "")
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        said += f": {_DENIED.get(code, 'access is denied')}"
    return StorageError(said, status=status, code=code, passes=status >= requests.codes.server_error)
