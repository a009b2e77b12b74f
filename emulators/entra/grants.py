"""Refresh tokens: what they stand for, which are alive, what was consented to. Knows no client credentials.

A refresh token is bound to an account and an application, not to a tenant or a resource; redeeming one leaves it as it
was, and its window of inactivity counts from its own issue ("Refresh tokens in the Microsoft identity platform").

Not safe for threads by itself: `EntraState` holds its lock around every call.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emulators.entra.directory import Principal, User
from emulators.entra.errors import EntraError
from emulators.entra.scopes import DEFAULT_PERMISSION, Scope, canonical
from emulators.entra.tokens import is_well_formed, new_refresh_token

INACTIVITY = timedelta(days=90)
_SINGLE_PAGE_LIFE = timedelta(days=1)


@dataclass(slots=True)
class SignIn:
    """One interactive sign-in and every refresh token that descends from it."""

    user: User
    client_id: str
    redirect_type: str
    resource: str
    mfa: bool
    at: datetime
    revoked_at: datetime | None = None
    blocked_with: int | None = None


@dataclass(slots=True)
class Issued:
    """One refresh token; its value is the key under which it is kept."""

    sign_in: SignIn
    issued_at: datetime


@dataclass(slots=True)
class _Consent:
    permissions: dict[str, set[str]] = field(default_factory=dict)  # by resource
    offline_access: bool = False


class Grants:
    """Every sign-in, refresh token and consent."""

    def __init__(self) -> None:
        self.inactivity = INACTIVITY
        self._tokens: dict[str, Issued] = {}
        self._sign_ins: list[SignIn] = []
        self._consents: dict[tuple[str, str, str], _Consent] = {}

    def sign_in(self, sign_in: SignIn) -> str:
        """Keep an interactive sign-in and issue its first refresh token."""
        self._sign_ins.append(sign_in)
        return self.issue(sign_in, sign_in.at)

    def issue(self, sign_in: SignIn, now: datetime) -> str:
        """One more refresh token of the same sign-in."""
        value = new_refresh_token()
        self._tokens[value] = Issued(sign_in, now)
        return value

    def find(self, value: str) -> Issued:
        """What a refresh token stands for. Raises EntraError 9002313 for a damaged value, 70000 for an unknown one."""
        issued = self._tokens.get(value)
        if issued is None:
            raise EntraError(70000 if is_well_formed(value) else 9002313)
        return issued

    def check(self, issued: Issued, now: datetime) -> None:
        """Raises EntraError for a token that is no longer alive: 50173, 700084, 700082, or what it was blocked with."""
        sign_in = issued.sign_in
        if sign_in.blocked_with is not None:
            raise EntraError(sign_in.blocked_with)
        if sign_in.revoked_at is not None:
            raise EntraError(50173, f"The grant of {_iso(sign_in.at)} was revoked on {_iso(sign_in.revoked_at)}.")
        if sign_in.redirect_type == "spa" and now - sign_in.at >= _SINGLE_PAGE_LIFE:
            raise EntraError(700084)
        if now - issued.issued_at >= self.inactivity:
            span = f"{self.inactivity.days}.00:00:00"
            raise EntraError(700082, f"Not used for {span} since its issue on {_iso(issued.issued_at)}: expired.")

    def revoke(self, user: User, now: datetime) -> None:
        """End every sign-in of an account up to now."""
        for sign_in in self._sign_ins:
            if sign_in.user == user and sign_in.revoked_at is None:
                sign_in.revoked_at = now

    def consent(self, client: Principal, user: User, scope: Scope) -> None:
        """Note what an account allowed an application, in addition to what it had allowed before."""
        consent = self._consents.setdefault(_parties(client, user), _Consent())
        consent.permissions.setdefault(canonical(scope.resource), set()).update(scope.permissions)
        consent.offline_access |= scope.offline_access

    def withdraw(self, client: Principal, user: User, scope: Scope) -> None:
        """Take back a part of a consent: the permissions that are named, `offline_access` if it is named."""
        consent = self._consents[_parties(client, user)]
        consent.permissions.get(canonical(scope.resource), set()).difference_update(scope.permissions)
        consent.offline_access &= not scope.offline_access

    def granted(self, client: Principal, user: User, asked: Scope) -> Scope:
        """What a request gets of what it asks for. Raises EntraError 65001."""
        consent = self._consents.get(_parties(client, user), _Consent())
        allowed = consent.permissions.get(canonical(asked.resource), set())
        wanted = allowed if DEFAULT_PERMISSION in asked.permissions or not asked.permissions else {*asked.permissions}
        if not wanted or not wanted <= allowed:
            raise EntraError(65001)
        offline_access = asked.offline_access and consent.offline_access
        return replace(asked, permissions=tuple(sorted(wanted)), offline_access=offline_access)

    def age(self, delta: timedelta) -> None:
        """Shift every date back."""
        for issued in self._tokens.values():
            issued.issued_at -= delta
        for sign_in in self._sign_ins:
            sign_in.at -= delta
            if sign_in.revoked_at is not None:
                sign_in.revoked_at -= delta


def _parties(client: Principal, user: User) -> tuple[str, str, str]:
    return client.tenant_id, client.client_id, user.object_id


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0Z"
