"""Check a bearer token as a resource server does: signature, audience, time. What its claims allow is the resource's.

The issuer's keys come in as a callable, so that a resource needs no issuer at hand, and a new key is known at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

type PublicKeys = Mapping[str, RSAPublicKey]


class InvalidBearer(Exception):
    """The token is not one that this resource accepts. Says why, never shows the token."""


class BearerVerifier:
    """Accepts RS256 tokens of one issuer for one audience (RFC 9068, section 4). Safe to use from any thread.

    A slash at the end of an audience makes no other one of it: `https://monitor.azure.com//.default` asks for that.
    """

    def __init__(self, issuer_keys: Callable[[], PublicKeys], audience: str) -> None:
        self._issuer_keys = issuer_keys
        self._audiences = (audience, f"{audience}/")

    def verify(self, token: str) -> Mapping[str, object]:
        """The claims of `token`. Raises InvalidBearer for another issuer, audience or time, or for no token at all."""
        try:
            return self._decode(token)
        except jwt.InvalidTokenError as refused:
            raise InvalidBearer(f"the bearer token is not valid: {type(refused).__name__}") from None

    def _decode(self, token: str) -> Mapping[str, object]:
        key = self._issuer_keys().get(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise InvalidBearer("the bearer token is signed with a key that the issuer does not publish")
        claims: Mapping[str, object] = jwt.decode(
            token, key, algorithms=["RS256"], audience=self._audiences, options={"require": ["aud", "exp", "nbf"]}
        )
        return claims
