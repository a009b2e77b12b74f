"""Make the values that Entra hands out: signed JSON Web Tokens, `client_info`, refresh tokens. Decides nothing.

The formats are those of "Access tokens in the Microsoft identity platform" (v1.0 for resources that take it, as Partner
Center and Key Vault do, else v2.0), "ID tokens" and, for `client_info`, of what MSAL reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ACCESS_TOKEN_SECONDS = 3599
TOKEN_EXCHANGE = re.compile(r"api://AzureADTokenExchange(USGov|China)?")
_REFRESH_TOKEN = re.compile(r"1\.A[A-Za-z0-9_-]{80}\.AgAB[A-Za-z0-9_-]{1064}")


def base64url(data: bytes) -> str:
    """Base64 for addresses, without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """One RSA key of 2,048 bits, made once; signing is safe from any thread."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public = self._private.public_key()

    @cached_property
    def kid(self) -> str:
        """The name under which the key is published."""
        encoded = self.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64url(hashlib.sha256(encoded).digest()[:20])

    def sign(self, claims: Mapping[str, object]) -> str:
        """A compact RS256 JSON Web Signature over `claims`."""
        return jwt.encode(dict(claims), self._private, algorithm="RS256", headers={"kid": self.kid})

    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517)."""
        numbers = self.public.public_numbers()
        modulus, exponent = (base64url(n.to_bytes((n.bit_length() + 7) // 8)) for n in (numbers.n, numbers.e))
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": modulus, "e": exponent}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token is about, and for whom it is: an account through an application, or an application by itself."""

    tenant_id: str
    client_id: str
    object_id: str
    name: str | None  # None: the application itself
    scopes: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()


def access_token_claims(subject: Subject, audience: str, *, url: str, now: datetime) -> dict[str, object]:
    """The claims of an access token for one resource."""
    claims = _common(subject, audience, now)
    claims["uti"] = base64url(secrets.token_bytes(16))
    if TOKEN_EXCHANGE.fullmatch(audience):
        claims |= {"iss": f"{url}/{subject.tenant_id}/v2.0", "ver": "2.0", "azp": subject.client_id}
    else:
        claims |= {"iss": f"https://sts.windows.net/{subject.tenant_id}/", "ver": "1.0", "appid": subject.client_id}
    if subject.name is None:
        return claims | {"idtyp": "app"}
    return claims | {"scp": " ".join(subject.scopes), "upn": subject.name, "amr": list(subject.amr)}


def id_token_claims(subject: Subject, *, url: str, now: datetime) -> dict[str, object]:
    """The claims of a v2.0 ID token; it says nothing about `amr`, as the service's does not."""
    issuer = {"iss": f"{url}/{subject.tenant_id}/v2.0", "ver": "2.0"}
    return _common(subject, subject.client_id, now) | issuer | {"preferred_username": subject.name}


def _common(subject: Subject, audience: str, now: datetime) -> dict[str, object]:
    at = int(now.timestamp())
    return {
        "aud": audience,
        "tid": subject.tenant_id,
        "oid": subject.object_id,
        "sub": subject.object_id,
        "iat": at,
        "nbf": at,
        "exp": at + ACCESS_TOKEN_SECONDS,
    }


def client_info(object_id: str, tenant_id: str) -> str:
    """Who the account is at home: `uid` and `utid`, from which MSAL makes the home account id."""
    return base64url(json.dumps({"uid": object_id, "utid": tenant_id}).encode())


def new_refresh_token() -> str:
    """A fresh opaque value of more than a thousand characters."""
    return f"1.A{base64url(secrets.token_bytes(60))}.AgAB{base64url(secrets.token_bytes(798))}"


def is_well_formed(token: str) -> bool:
    """Whether a refresh token is whole: the service tells a damaged one (9002313) from an unknown one (70000)."""
    return _REFRESH_TOKEN.fullmatch(token) is not None


def new_guid() -> str:
    """A fresh GUID in lower case."""
    return str(uuid.uuid4())
