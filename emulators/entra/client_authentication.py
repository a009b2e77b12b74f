"""Prove that a token request comes from its application: client secret, or client assertion (RFC 7523, section 2.2).

An assertion is signed by a registered certificate, or is a token of this issuer that a federated credential names
("Microsoft identity platform application authentication certificate credentials", "Workload identity federation").
Not safe for threads by itself: `EntraState` holds its lock around every call.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from emulators.bearer import PublicKeys
from emulators.entra.directory import Application
from emulators.entra.errors import EntraError

type Claims = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request presents for its application: one of the two, or neither."""

    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


class ClientAuthentication:
    """Judges credentials, and remembers the assertions of certificates: each is good for one request."""

    def __init__(self, url: str, issuer_keys: Callable[[], PublicKeys]) -> None:
        self._url = url
        self._issuer_keys = issuer_keys
        self._used: set[str] = set()

    def check(self, application: Application, presented: Presented, *, tenant_id: str, now: datetime) -> None:
        """Raises EntraError with one of the codes of `invalid_client` unless the credential is the application's."""
        if presented.assertion is not None:
            self._check_assertion(application, presented.assertion, tenant_id, now)
        elif presented.secret is not None:
            _check_secret(application, presented.secret, now)
        else:
            raise EntraError(7000218)

    def _check_assertion(self, application: Application, assertion: str, tenant_id: str, now: datetime) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims: Claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise EntraError(50012, "The client assertion is not a JSON Web Token.") from None
        if str(claims.get("iss")).lower() == application.client_id:
            key = _certified_key(application, str(header.get("x5t#S256")).rstrip("="), now)
            self._check_certified(application, assertion, key, tenant_id)
        else:
            self._check_federated(application, assertion, str(header.get("kid")), claims)

    def _check_certified(self, application: Application, assertion: str, key: RSAPublicKey, tenant_id: str) -> None:
        audience = [f"{self._url}/{tenant_id}/oauth2/v2.0/token", f"{self._url}/{tenant_id}/v2.0"]
        claims = _verified(assertion, key, audience)
        if str(claims.get("sub")).lower() != application.client_id:
            raise EntraError(50048)
        self._use(str(claims["jti"]))

    def _use(self, assertion_id: str) -> None:
        if assertion_id in self._used:
            raise EntraError(50012, "The client assertion was used before.")
        self._used.add(assertion_id)

    def _check_federated(self, application: Application, assertion: str, kid: str, claims: Claims) -> None:
        issuer, subject, audience = (str(claims.get(name)) for name in ("iss", "sub", "aud"))
        known = [credential for credential in application.federated if credential.issuer == issuer]
        if not known:
            raise EntraError(700211)
        known = [credential for credential in known if credential.subject == subject]
        if not known:
            raise EntraError(700213)
        if audience not in {credential.audience for credential in known}:
            raise EntraError(700212)
        key = self._issuer_keys().get(kid)
        if key is None:
            raise EntraError(700027, "The assertion is signed with a key that its issuer does not publish.")
        _verified(assertion, key, [audience], required=("exp",))


def _check_secret(application: Application, value: str, now: datetime) -> None:
    matching = [one for one in application.secrets if hmac.compare_digest(one.value.encode(), value.encode())]
    if not matching:
        raise EntraError(7000215, f"The client secret is not one of the application {application.client_id}.")
    if all(one.expires_on <= now for one in matching):
        raise EntraError(7000222, f"The client secret of the application {application.client_id} has expired.")


def _certified_key(application: Application, thumbprint: str, now: datetime) -> RSAPublicKey:
    certificate = application.certificates.get(thumbprint)
    if certificate is None:
        raise EntraError(700027, f"The certificate with thumbprint {thumbprint} is not registered.")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise EntraError(700027, f"The certificate with thumbprint {thumbprint} is not valid at this time.")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise EntraError(700030)
    return key


def _verified(
    assertion: str, key: RSAPublicKey, audience: list[str], *, required: tuple[str, ...] = ("exp", "jti")
) -> Claims:
    try:
        claims: Claims = jwt.decode(
            assertion, key, algorithms=["RS256", "PS256"], audience=audience, options={"require": [*required]}
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise EntraError(700024) from None
    except jwt.InvalidSignatureError:
        raise EntraError(700027) from None
    except jwt.InvalidTokenError as refused:
        raise EntraError(50012, f"The client assertion was not accepted: {type(refused).__name__}.") from None
    return claims
