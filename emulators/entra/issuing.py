"""What the token endpoint does with a request: check everything, then issue. Changes no registration.

The order is that of the service: planned refusals of a test, tenant, application, client credential, grant, scope.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from emulators.entra import scopes, tokens
from emulators.entra.client_authentication import ClientAuthentication, Presented
from emulators.entra.directory import Directory, Principal, User
from emulators.entra.errors import EntraError
from emulators.entra.grants import Grants, SignIn
from emulators.entra.planned import Deviation, Planned
from emulators.entra.scopes import Scope
from emulators.entra.tokens import SigningKey, Subject


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint, without its grant: which tenant, which application, what proves it, what for."""

    tenant: str
    client_id: str
    presented: Presented
    scope: str
    client_info: bool = False


@dataclass(frozen=True, slots=True)
class _Earned:
    """What a redemption has earned, before anything is signed."""

    subject: Subject
    audience: str
    account: User
    scope: str
    openid: bool
    client_info: bool
    refresh_token: str | None = field(repr=False)


class TokenIssuer:
    """The token endpoint over one state. Signs outside of the lock, since signing is what takes time."""

    def __init__(
        self,
        url: str,
        key: SigningKey,
        directory: Directory,
        grants: Grants,
        planned: Planned,
        lock: threading.RLock,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._url = url
        self._key = key
        self._directory = directory
        self._grants = grants
        self._planned = planned
        self._lock = lock
        self._authentication = ClientAuthentication(url, lambda: {key.kid: key.public})

    def redeem(self, request: TokenRequest, refresh_token: str) -> dict[str, object]:
        """The answer to `grant_type=refresh_token`. Raises EntraError."""
        now = self._now()
        with self._lock:
            self._planned.check("refresh_token", request.client_id)
            client = self._authenticate(request, now)
            earned = self._earn(client, request, self._alive(client, refresh_token, now), now)
            earned = _deviated(earned, self._planned.next_deviation())
        return self._answer(earned, now)

    def client_credentials(self, request: TokenRequest) -> dict[str, object]:
        """The answer to `grant_type=client_credentials`. Raises EntraError."""
        with self._lock:
            self._planned.check("client_credentials", request.client_id)
            client = self._authenticate(request, self._now())
            asked = scopes.parse(request.scope)
            if asked.permissions != (scopes.DEFAULT_PERMISSION,):
                raise EntraError(1002012)
        return _bearer(self.app_token(client, asked.resource))

    def app_token(self, client: Principal, resource: str) -> str:
        """An access token of an application or managed identity by itself. Raises EntraError 500011."""
        with self._lock:
            self._directory.check_resource(resource)
        subject = Subject(client.tenant_id, client.client_id, client.object_id, None)
        return self._key.sign(tokens.access_token_claims(subject, resource, url=self._url, now=self._now()))

    def _authenticate(self, request: TokenRequest, now: datetime) -> Principal:
        tenant_id = self._directory.tenant_id(request.tenant)
        application = self._directory.application(tenant_id, request.client_id)
        self._authentication.check(application, request.presented, tenant_id=tenant_id, now=now)
        return application.principals[tenant_id]

    def _alive(self, client: Principal, refresh_token: str, now: datetime) -> SignIn:
        issued = self._grants.find(refresh_token)
        if issued.sign_in.client_id != client.client_id:
            raise EntraError(70000, "The refresh token was issued to another application.")
        self._directory.check_user(issued.sign_in.user)
        self._grants.check(issued, now)
        return issued.sign_in

    def _earn(self, client: Principal, request: TokenRequest, sign_in: SignIn, now: datetime) -> _Earned:
        asked = scopes.parse(request.scope)
        resource = asked.resource or sign_in.resource
        self._directory.check_resource(resource)
        granted = self._grants.granted(client, sign_in.user, replace(asked, resource=resource))
        fresh = self._grants.issue(sign_in, now) if granted.offline_access else None
        account = sign_in.user
        amr = _amr(mfa=sign_in.mfa)
        subject = Subject(client.tenant_id, client.client_id, account.object_id, account.name, granted.permissions, amr)
        return _Earned(subject, resource, account, _named(granted), asked.openid, request.client_info, fresh)

    def _answer(self, earned: _Earned, now: datetime) -> dict[str, object]:
        claims = tokens.access_token_claims(earned.subject, earned.audience, url=self._url, now=now)
        answer = _bearer(self._key.sign(claims)) | {"scope": earned.scope}
        if earned.refresh_token is not None:
            answer["refresh_token"] = earned.refresh_token
        if earned.openid:
            answer["id_token"] = self._key.sign(tokens.id_token_claims(earned.subject, url=self._url, now=now))
        if earned.client_info:
            answer["client_info"] = tokens.client_info(earned.account.object_id, earned.account.tenant_id)
        return answer


def _deviated(earned: _Earned, deviation: Deviation) -> _Earned:
    account = deviation.account or earned.account
    subject = replace(
        earned.subject,
        tenant_id=deviation.tenant_id or earned.subject.tenant_id,
        object_id=account.object_id,
        name=account.name,
        amr=earned.subject.amr if deviation.mfa is None else _amr(mfa=deviation.mfa),
    )
    return replace(
        earned,
        subject=subject,
        audience=deviation.audience or earned.audience,
        account=account,
        client_info=earned.client_info and deviation.client_info is None,
        refresh_token={None: earned.refresh_token, "absent": None, "empty": ""}[deviation.refresh_token],
    )


def _amr(*, mfa: bool) -> tuple[str, ...]:
    return ("pwd", "mfa") if mfa else ("pwd",)


def _named(granted: Scope) -> str:
    return " ".join(f"{granted.resource}/{permission}" for permission in granted.permissions)


def _bearer(access_token: str) -> dict[str, object]:
    seconds = tokens.ACCESS_TOKEN_SECONDS
    return {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access_token,
    }
