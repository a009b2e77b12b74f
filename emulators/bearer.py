"""Check a bearer token as a resource server does: signature, audience, time. What its claims allow is the resource's.

The issuer's keys come in as a callable, so that a resource needs no issuer at hand, and a new key is known at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

type PublicKeys = Mapping[str, RSAPublicKey]

_REMEMBERED = 64


class InvalidBearer(Exception):
    """The token is not one that this resource accepts. Says why, never shows the token."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A token whose signature was verified with a key; a caller shows the same one with every request."""

    kid: str
    key: RSAPublicKey
    claims: Mapping[str, object]
    not_before: float
    expires: float

    def is_still_good(self, keys: PublicKeys) -> bool:
        return keys.get(self.kid) is self.key and self.not_before <= time.time() < self.expires


class BearerVerifier:
    """Accepts RS256 tokens of one issuer for one audience (RFC 9068, section 4). Safe to use from any thread.

    A slash at the end of an audience makes no other one of it: `https://monitor.azure.com//.default` asks for that.
    """

    def __init__(self, issuer_keys: Callable[[], PublicKeys], audience: str) -> None:
        self._issuer_keys = issuer_keys
        self._audiences = (audience, f"{audience}/")
        self._accepted: dict[str, _Accepted] = {}

    def verify(self, token: str) -> Mapping[str, object]:
        """The claims of `token`. Raises InvalidBearer for another issuer, audience or time, or for no token at all."""
        known = self._accepted.get(token)
        if known is None or not known.is_still_good(self._issuer_keys()):
            known = self._checked(token)
            if len(self._accepted) >= _REMEMBERED:
                self._accepted.clear()
            self._accepted[token] = known
        return known.claims

    def _checked(self, token: str) -> _Accepted:
        try:
            return self._decoded(token)
        except jwt.InvalidTokenError as refused:
            raise InvalidBearer(f"the bearer token is not valid: {type(refused).__name__}") from None

    def _decoded(self, token: str) -> _Accepted:
        kid = str(jwt.get_unverified_header(token).get("kid"))
        key = self._issuer_keys().get(kid)
        if key is None:
            raise InvalidBearer("the bearer token is signed with a key that the issuer does not publish")
        claims: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=["RS256"], audience=self._audiences, options={"require": ["aud", "exp", "nbf"]}
        )
        return _Accepted(kid, key, claims, float(claims["nbf"]), float(claims["exp"]))
