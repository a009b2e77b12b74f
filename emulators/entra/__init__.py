"""Microsoft Entra ID as far as an unattended client sees it: discovery, keys, and the token endpoint."""

from __future__ import annotations

from emulators.entra.app import entra_app
from emulators.entra.directory import Principal, User
from emulators.entra.errors import REFUSALS, EntraError
from emulators.entra.state import PARTNER_CENTER_SCOPE, EntraState

__all__ = ["PARTNER_CENTER_SCOPE", "REFUSALS", "EntraError", "EntraState", "Principal", "User", "entra_app"]
