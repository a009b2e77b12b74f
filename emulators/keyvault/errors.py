"""What a vault refuses and the codes that it gives for it. Leaves the HTTP statuses to `app`.

Codes and inner codes are the service's own ("Common error codes for Azure Key Vault", recordings of the service and
reports of its users); no message carries a value.
"""

from __future__ import annotations

from typing import ClassVar


class VaultError(Exception):
    """A refusal. The exception's text is the message on the wire."""

    code: ClassVar[str]
    inner: ClassVar[str | None] = None


class SecretNotFoundError(VaultError):
    """No such secret, version or deleted secret in this vault."""

    code = "SecretNotFound"

    @classmethod
    def named(cls, name: str) -> SecretNotFoundError:
        """There is no live secret or version of this name."""
        return cls(f"A secret with (name/id) {name} was not found in this key vault.")

    @classmethod
    def among_deleted(cls, name: str) -> SecretNotFoundError:
        """There is no deleted secret of this name."""
        return cls(f"Deleted Secret not found: {name}")


class SecretDisabledError(VaultError):
    """The value of a disabled version cannot be read."""

    code = "Forbidden"
    inner = "SecretDisabled"

    def __init__(self) -> None:
        super().__init__("Operation get is not allowed on a disabled secret.")


class SecretIsDeletedError(VaultError):
    """The name belongs to a soft-deleted secret."""

    code = "Conflict"
    inner = "ObjectIsDeletedButRecoverable"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused;"
            " in this state, the secret can only be recovered or purged."
        )


class SecretIsBeingDeletedError(VaultError):
    """The deletion of this secret has not settled yet."""

    code = "Conflict"
    inner = "ObjectIsBeingDeleted"

    def __init__(self, name: str) -> None:
        super().__init__(f"Secret {name} is currently being deleted and cannot be re-created; retry later.")


class SecretIsBeingRecoveredError(VaultError):
    """The recovery of this secret has not settled yet."""

    code = "Conflict"
    inner = "ObjectIsBeingRecovered"

    def __init__(self, name: str) -> None:
        super().__init__(f"Secret {name} is currently being recovered and cannot be re-created; retry later.")


class SecretExistsError(VaultError):
    """A backup cannot be restored over a secret that is there."""

    code = "Conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"Secret {name} already exists and cannot be restored.")


class BadParameterError(VaultError):
    """A name, value, tag or parameter outside of the service's limits."""

    code = "BadParameter"


class UnauthorizedError(VaultError):
    """No bearer token, or one that does not hold: answered with the challenge."""

    code = "Unauthorized"


class ForbiddenByRbacError(VaultError):
    """The caller has no role assignment with this data action."""

    code = "Forbidden"
    inner = "ForbiddenByRbac"

    def __init__(self, action: str) -> None:
        super().__init__(
            "Caller is not authorized to perform action on resource.\r\n"
            "If role assignments, deny assignments or role definitions were changed recently,"
            f" please observe propagation time.\r\nAction: '{action}'"
        )


class ThrottledError(VaultError):
    """Too many requests in the window; `retry_after` is in whole seconds, absent where the service gives none."""

    code = "Throttled"

    def __init__(self, retry_after: int | None) -> None:
        super().__init__(
            "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
        )
        self.retry_after = retry_after
