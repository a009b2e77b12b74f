"""Values that must never be seen: a type that cannot be printed, formatted, hashed, copied, pickled or put into JSON.

It protects from accidents (a log line, a traceback with locals, `asdict`), not from code that wants the value: that
calls `reveal`, and every call of it is worth a look in review.
"""

from __future__ import annotations

import hmac
from typing import ClassVar, NoReturn

_MASK = "********"


class SecretValue:  # noqa: PLW1641 - no __hash__, on purpose: a hash of a secret is a fingerprint of it
    """A string that shows itself only to `reveal`; two of them compare in constant time, with a string never."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself, for the request that carries it and nothing else."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        return hmac.compare_digest(_bytes(self.__value), _bytes(other.__value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, format_spec: str) -> str:
        return _MASK

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither copied nor pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} has no state to show")


def _bytes(value: str) -> bytes:
    return value.encode(errors="surrogatepass")  # JSON may hold half a character, and an encoding error the value


class ClientSecret(SecretValue):
    """The client secret of an app registration (RFC 6749 section 2.3.1)."""

    __slots__ = ()


class RefreshToken(SecretValue):
    """A refresh token (RFC 6749 section 1.5)."""

    __slots__ = ()

    LONGEST_BYTES: ClassVar = 24 * 1024  # a Key Vault secret holds 25 KB (Azure Key Vault service limits)

    def fault(self) -> str | None:
        """Why this value cannot be a refresh token at all, or None; never says anything of the value itself."""
        value = self.reveal()
        if not value:
            return "the value is empty"
        if len(_bytes(value)) > self.LONGEST_BYTES:
            return "the value is longer than 24 KB"
        if (
            not value.isprintable() or not value.isascii() or " " in value
        ):  # RFC 6749 appendix A.17 allows VSCHAR and space
            return "the value has spaces, line breaks or characters that no refresh token has"
        return None
