"""Who may do what in a vault: role assignments, down to the single data action. Leaves tokens to whoever verifies them.

Data actions as in "Azure role-based access control for Key Vault data plane operations"; a role is a set of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import StrEnum

from emulators.keyvault.errors import ForbiddenByRbacError


class DataAction(StrEnum):
    """The data actions of Azure RBAC on secrets."""

    READ_METADATA = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
    GET_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    SET_SECRET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
    UPDATE = "Microsoft.KeyVault/vaults/secrets/update/action"
    DELETE = "Microsoft.KeyVault/vaults/secrets/delete"
    RECOVER = "Microsoft.KeyVault/vaults/secrets/recover/action"
    PURGE = "Microsoft.KeyVault/vaults/secrets/purge/action"
    BACKUP = "Microsoft.KeyVault/vaults/secrets/backup/action"
    RESTORE = "Microsoft.KeyVault/vaults/secrets/restore/action"


SECRETS_OFFICER = frozenset(DataAction)
SECRETS_USER = frozenset({DataAction.READ_METADATA, DataAction.GET_SECRET})


class AccessPolicy:
    """Assignments by object id; whoever has none may do nothing. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._granted: dict[str, frozenset[str]] = {}

    def grant(self, object_id: str, actions: Iterable[str] = SECRETS_OFFICER) -> None:
        """Add data actions to what `object_id` may do."""
        with self._lock:
            self._granted[object_id] = self._granted.get(object_id, frozenset()) | frozenset(actions)

    def deny(self, object_id: str, actions: Iterable[str] = SECRETS_OFFICER) -> None:
        """Take data actions away from what `object_id` may do."""
        with self._lock:
            self._granted[object_id] = self._granted.get(object_id, frozenset()) - frozenset(actions)

    def require(self, object_id: str, action: DataAction) -> None:
        """Raises ForbiddenByRbacError unless `object_id` may do this."""
        with self._lock:
            granted = self._granted.get(object_id, frozenset())
        if action not in granted:
            raise ForbiddenByRbacError(action)
