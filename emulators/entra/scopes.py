"""Read the `scope` of a token request: one resource, its permissions, and what OpenID Connect adds. Knows no consents.

Rules of "Scopes and permissions in the Microsoft identity platform".
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from emulators.entra.errors import EntraError

PARTNER_CENTER = "https://api.partnercenter.microsoft.com"
GRAPH = "https://graph.microsoft.com"
KEY_VAULT = "https://vault.azure.net"
DEFAULT_PERMISSION = ".default"
_OPENID = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a request asks for; `resource` is empty when only OpenID Connect scopes are named."""

    resource: str
    permissions: tuple[str, ...]
    openid: bool
    offline_access: bool


def parse(text: str) -> Scope:
    """Read a space-separated scope. Raises EntraError 70011 for what is no scope, 28000 for more than one resource."""
    words = text.split()
    pairs = [_split(word) for word in words if word not in _OPENID]
    resources = {canonical(resource) for resource, _ in pairs}
    if len(resources) > 1:
        raise EntraError(28000)
    permissions = tuple(permission for _, permission in pairs)
    return Scope(pairs[0][0] if pairs else "", permissions, "openid" in words, "offline_access" in words)


def canonical(resource: str) -> str:
    """A resource identifier as it is compared: without the slash at its end, in lower case."""
    return resource.rstrip("/").lower()


def _split(word: str) -> tuple[str, str]:
    if "://" not in word:
        return GRAPH, word
    resource, _, permission = word.rpartition("/")
    if not permission or not urlsplit(resource).netloc:
        raise EntraError(70011, f"The scope {word} is not valid.")
    return resource, permission
