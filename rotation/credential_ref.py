"""The client credentials that the tag `client-credential` names. Pure; reading them is in `client_credential`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GUID_OR_NOTHING = re.compile(rf"({GUID.pattern})?", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"[0-9a-zA-Z-]{1,127}"
)  # Key Vault: "About keys, secrets and certificates", object identifiers


class CredentialKind(StrEnum):
    """How an app proves who it is when it redeems."""

    SECRET = "secret"  # noqa: S105 - the word in the tag, not a password
    CERTIFICATE = "certificate"
    MANAGED_IDENTITY = "managed-identity"


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """One client credential as the tag `client-credential` names it.

    `name` is that of a secret or a certificate in the same vault, or the client id of a user-assigned managed identity,
    empty for the only one there is.
    """

    kind: CredentialKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one entry of the tag. Raises ValueError when it is of none of the three forms."""
        kind, _, name = (part.strip() for part in text.partition(":"))
        ref = cls(CredentialKind(kind), name.lower())  # Key Vault's names and GUIDs are the same in any case
        form = _GUID_OR_NOTHING if ref.kind is CredentialKind.MANAGED_IDENTITY else _SECRET_NAME
        if not form.fullmatch(ref.name):
            raise ValueError("the name is not of the kind's form")
        return ref
