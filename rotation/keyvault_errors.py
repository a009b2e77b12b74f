"""What the Key Vault SDK raises, as a VaultError with a reason and words of our own.

The texts of the service and of the SDK stay out: they name callers and addresses. Only the status and the error code
pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from rotation.ports import SecretDisabledError, SecretNotFoundError, VaultError
from rotation.reason import Reason

_CODE = re.compile(r"[A-Za-z]{1,64}")

# Inner codes of a 403, from the service's answers; what each says to the person who can mend it.
_DENIED = {
    "ForbiddenByRbac": "the job's identity lacks the role for it",
    "AccessDenied": "the job's identity lacks the permission for it",
    "ForbiddenByPolicy": "a policy forbids it",
    "ForbiddenByFirewall": "the vault's firewall forbids the address the job comes from",
    "ForbiddenByConnection": "the vault does not take connections from this network",
}

# Inner codes of a 409 about a name that a deletion holds; a bare Conflict is about two writers ("Key Vault REST API
# error codes").
_DELETED = frozenset({"ObjectIsDeletedButRecoverable", "ObjectIsBeingDeleted", "ObjectIsBeingRecovered"})


def translated[T](call: Callable[[], T]) -> T:
    """What the call answers. Raises a VaultError for whatever the SDK raises.

    `from None`: the frames behind the SDK's own error hold the values of the request.
    """
    try:
        return call()
    except DecodeError:
        raise VaultError(Reason.VAULT_UNAVAILABLE, "the vault answered something that is not JSON") from None
    except HttpResponseError as error:
        raise _answered(error) from None
    except (ServiceRequestError, ServiceResponseError) as error:
        raise VaultError(Reason.VAULT_UNAVAILABLE, _unanswered(error)) from None
    except (
        AzureError,
        OSError,
        RuntimeError,
        ArithmeticError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        # The SDK's own failure on an answer of no known form, or on this machine's; a challenge that does not fit the
        # vault is a ValueError too.
        message = f"the vault's answer could not be used ({type(error).__name__})"
        raise VaultError(Reason.VAULT_UNAVAILABLE, message) from None


def _unanswered(error: AzureError) -> str:
    if isinstance(error.inner_exception, requests.exceptions.SSLError):
        return "the vault's certificate is not trusted: an authority of your own is trusted with REQUESTS_CA_BUNDLE"
    return f"the vault did not answer ({type(error).__name__})"


def _answered(error: HttpResponseError) -> VaultError:
    status, code = error.status_code, _code(error)
    said = f"the vault answered {status}" + (f" ({code})" if code else "")
    match status:
        case None if isinstance(error, ClientAuthenticationError):
            return VaultError(
                Reason.VAULT_DENIED,
                "the job's own identity got no token: see the AZURE_ settings, or sign in with az login",
            )
        case 401 | 403 if code != "SecretDisabled":
            return VaultError(Reason.VAULT_DENIED, f"{said}: {_DENIED.get(code, 'access is denied')}")
        case 403:
            return SecretDisabledError(Reason.DISABLED, "the current version is disabled")
        case 404:
            return SecretNotFoundError(Reason.SECRET_DELETED, said)
        case 409 if code in _DELETED:
            return VaultError(Reason.SECRET_DELETED, f"{said}: a deleted secret holds this name")
        case _:
            return VaultError(_reason_of(status), said, retry_after=_retry_after(error))


def _reason_of(status: int | None) -> Reason:
    """What any other status means: too much, not now (a bare 409 is two writers at one moment), or we do not know."""
    if status == requests.codes.too_many_requests:
        return Reason.VAULT_THROTTLED
    if status == requests.codes.conflict or (status is not None and status >= requests.codes.server_error):
        return Reason.VAULT_UNAVAILABLE
    return Reason.UNCLASSIFIED


def _code(error: HttpResponseError) -> str:
    """The innermost error code, if it looks like one."""
    inner = getattr(error.error, "innererror", None) or {}
    code = inner.get("code") if isinstance(inner, dict) else None
    code = code or getattr(error.error, "code", None)
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _retry_after(error: HttpResponseError) -> float | None:
    """Seconds of the Retry-After header (RFC 9110 section 10.2.3); its date form is not used by the service."""
    headers = getattr(error.response, "headers", {})
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
