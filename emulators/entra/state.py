"""A working Entra tenant world in memory: what is registered, who consented, which tokens live, what an answer holds.

Knows nothing of HTTP. Verbs of an administrator (`register_app`, `revoke`), of a person (`consent`), of time (`expire`,
`age`) and of a test (`fail_next_with`, `answer_next`) change it; `redeem` and `client_credentials` are what the token
endpoint does. Everything is safe to use from any thread. Invariants:

- a redemption ends no refresh token: the old one stays redeemable until its own end;
- the clock is the real one unless another is given; `age` shifts every stored date back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Literal

from emulators.bearer import PublicKeys
from emulators.clock import utc_now
from emulators.entra import scopes
from emulators.entra.directory import ClientSecret, Directory, FederatedCredential, Principal, User
from emulators.entra.errors import REFUSALS, EntraError
from emulators.entra.grants import Grants, SignIn
from emulators.entra.issuing import TokenIssuer, TokenRequest
from emulators.entra.planned import Deviation, GrantType, Planned
from emulators.entra.tokens import SigningKey, new_guid

PARTNER_CENTER_SCOPE = f"{scopes.PARTNER_CENTER}/user_impersonation offline_access openid profile"
_SECRET_LIFE = timedelta(days=180)


class EntraState:
    """Every tenant of one cloud, under one address (`url`, without a trailing slash)."""

    def __init__(self, url: str, *, key: SigningKey | None = None, now: Callable[[], datetime] = utc_now) -> None:
        self.url = url
        self._now = now
        self.latency = 0.0  # seconds before every answer
        self.key = key or SigningKey()
        self._lock = threading.RLock()
        self._directory = Directory()
        self._grants = Grants()
        self._planned = Planned()
        self._issuer = TokenIssuer(url, self.key, self._directory, self._grants, self._planned, self._lock, now)

    # --- what an administrator does

    def add_tenant(self, tenant_id: str, *domains: str) -> None:
        """Make a tenant known, also under its verified domains; without domains other verbs do it by themselves."""
        with self._lock:
            self._directory.add_tenant(tenant_id, domains)

    def tenant_id(self, name: str) -> str:
        """The GUID of a tenant that is named by GUID or verified domain. Raises EntraError 90002."""
        with self._lock:
            return self._directory.tenant_id(name)

    def register_app(
        self,
        tenant_id: str,
        client_id: str,
        *,
        secrets: Iterable[str] = (),
        redirect_type: Literal["web", "spa"] = "web",
    ) -> Principal:
        """Register an application in its home tenant, with client secrets that live for half a year.

        Refresh tokens of an application with redirect type `spa` live for one day (AADSTS700084).
        """
        with self._lock:
            principal = self._directory.add_application(tenant_id, client_id, redirect_type)
            for value in secrets:
                self.add_client_secret(client_id, value)
            return principal

    def add_to_tenant(self, tenant_id: str, client_id: str) -> Principal:
        """Give a multi-tenant application a service principal in a further tenant, as the first consent there does."""
        with self._lock:
            return self._directory.add_principal(tenant_id, client_id)

    def remove_from_tenant(self, tenant_id: str, client_id: str) -> None:
        """Delete an application's service principal: AADSTS700016 from now on."""
        with self._lock:
            self._directory.registration(client_id).principals.pop(tenant_id, None)

    def enable_app(self, client_id: str, *, enabled: bool = True) -> None:
        """Allow or disable an application: AADSTS7000112 while disabled."""
        with self._lock:
            self._directory.registration(client_id).enabled = enabled

    def add_client_secret(self, client_id: str, value: str, expires_on: datetime | None = None) -> None:
        """One more client secret; without a date it lives for half a year."""
        with self._lock:
            secret = ClientSecret(value, expires_on or self._now() + _SECRET_LIFE)
            self._directory.registration(client_id).secrets.append(secret)

    def expire_client_secret(self, client_id: str) -> None:
        """Every client secret that the application has now is expired: AADSTS7000222."""
        with self._lock:
            for secret in self._directory.registration(client_id).secrets:
                secret.expires_on = min(secret.expires_on, self._now())

    def remove_client_secret(self, client_id: str, value: str) -> None:
        """Forget a client secret: AADSTS7000215 from now on."""
        with self._lock:
            application = self._directory.registration(client_id)
            application.secrets = [secret for secret in application.secrets if secret.value != value]

    def add_certificate(self, client_id: str, pem: bytes) -> None:
        """Register a certificate whose private key signs client assertions (`x5t#S256`)."""
        with self._lock:
            self._directory.registration(client_id).add_certificate(pem)

    def add_federated_credential(
        self, client_id: str, identity: Principal, *, audience: str = "api://AzureADTokenExchange"
    ) -> None:
        """Let tokens of a managed identity stand for the application."""
        credential = FederatedCredential(f"{self.url}/{identity.tenant_id}/v2.0", identity.object_id, audience)
        with self._lock:
            self._directory.registration(client_id).federated.append(credential)

    def add_managed_identity(self, tenant_id: str, client_id: str | None = None) -> Principal:
        """A managed identity: a principal whose tokens come from `managed_identity_token` alone."""
        with self._lock:
            return self._directory.add_application(tenant_id, client_id or new_guid(), "web")

    def add_resource(self, resource: str) -> None:
        """Make one more resource known: any other is refused with AADSTS500011."""
        with self._lock:
            self._directory.add_resource(resource)

    def add_user(self, tenant_id: str, name: str) -> User:
        """Make an account in its home tenant."""
        with self._lock:
            return self._directory.add_user(tenant_id, name)

    def enable_user(self, user: User, *, enabled: bool = True) -> None:
        """Allow or block sign-in: AADSTS50057 while blocked."""
        with self._lock:
            self._directory.enable_user(user, enabled=enabled)

    def remove_user(self, user: User) -> None:
        """Delete an account: AADSTS50034 from now on."""
        with self._lock:
            self._directory.remove_user(user)

    def revoke(self, what: User | str) -> None:
        """Revoke every sign-in of an account, or the one behind a refresh token: AADSTS50173. A new consent is good."""
        with self._lock:
            if isinstance(what, User):
                self._grants.revoke(what, self._now())
            else:
                self._grants.find(what).sign_in.revoked_at = self._now()

    def block(self, refresh_token: str, code: int | None) -> None:
        """Refuse every redemption of a sign-in's tokens with `code`, as a policy would; None ends that."""
        with self._lock:
            self._grants.find(refresh_token).sign_in.blocked_with = None if code is None else REFUSALS[code].code

    # --- what a person does

    def consent(
        self,
        *,
        tenant_id: str,
        client_id: str,
        user: User,
        scope: str = PARTNER_CENTER_SCOPE,
        mfa: bool = True,
    ) -> str:
        """Sign in and allow `scope` to an application: the refresh token. `mfa` shows in `amr` from then on."""
        asked = scopes.parse(scope)
        with self._lock:
            client = self._directory.add_principal(tenant_id, client_id)
            self._grants.consent(client, user, asked)
            redirect_type = self._directory.registration(client_id).redirect_type
            return self._grants.sign_in(SignIn(user, client.client_id, redirect_type, asked.resource, mfa, self._now()))

    def withdraw(self, *, tenant_id: str, client_id: str, user: User, scope: str) -> None:
        """Take back a part of a consent: a permission (AADSTS65001), or `offline_access` (no new refresh token)."""
        asked = scopes.parse(scope)
        with self._lock:
            self._grants.withdraw(self._directory.add_principal(tenant_id, client_id), user, asked)

    # --- what time does

    def expire(self, refresh_token: str) -> None:
        """This token is past its window of inactivity: AADSTS700082."""
        with self._lock:
            issued = self._grants.find(refresh_token)
            issued.issued_at = min(issued.issued_at, self._now() - self._grants.inactivity)

    def set_inactivity(self, window: timedelta) -> None:
        """Another window than 90 days, as some tenants have seen."""
        with self._lock:
            self._grants.inactivity = window

    def age(self, delta: timedelta) -> None:
        """Shift every stored date back. Signed tokens that clients hold keep theirs."""
        with self._lock:
            self._directory.age(delta)
            self._grants.age(delta)

    # --- what a test plans

    def fail_next_with(
        self, code: int, *, times: int = 1, grant_type: GrantType = "refresh_token", client_id: str | None = None
    ) -> None:
        """Refuse the next `times` requests with an AADSTS code, whatever they hold. KeyError for an unknown code."""
        with self._lock:
            self._planned.refuse(code, times=times, grant_type=grant_type, client_id=client_id)

    def answer_next(
        self,
        *,
        times: int = 1,
        refresh_token: Literal["absent", "empty"] | None = None,
        account: User | None = None,
        tenant_id: str | None = None,
        audience: str | None = None,
        mfa: bool | None = None,
        client_info: Literal["absent"] | None = None,
    ) -> None:
        """Make the next `times` good answers to redemptions wrong in the points that are named."""
        deviation = Deviation(refresh_token, account, tenant_id, audience, mfa, client_info)
        with self._lock:
            self._planned.deviate(deviation, times=times)

    def is_redeemable(self, refresh_token: str) -> bool:
        """Whether a redemption of this token with a good client credential would be accepted now."""
        with self._lock:
            try:
                issued = self._grants.find(refresh_token)
                self._directory.check_user(issued.sign_in.user)
                self._grants.check(issued, self._now())
            except EntraError:
                return False
            return True

    def descendant(self, refresh_token: str) -> str:
        """One more refresh token of the same sign-in, as a redemption at this moment would have issued it."""
        with self._lock:
            return self._grants.issue(self._grants.find(refresh_token).sign_in, self._now())

    def same_sign_in(self, one: str, other: str) -> bool:
        """Whether two refresh tokens descend from the same consent. Raises EntraError for one never issued here."""
        with self._lock:
            return self._grants.find(one).sign_in is self._grants.find(other).sign_in

    # --- what the token endpoint does

    def redeem(self, request: TokenRequest, refresh_token: str) -> dict[str, object]:
        """The answer to `grant_type=refresh_token` (RFC 6749, section 6). Raises EntraError."""
        return self._issuer.redeem(request, refresh_token)

    def client_credentials(self, request: TokenRequest) -> dict[str, object]:
        """The answer to `grant_type=client_credentials` (RFC 6749, section 4.4). Raises EntraError."""
        return self._issuer.client_credentials(request)

    def managed_identity_token(self, identity: Principal, resource: str) -> str:
        """An access token of a managed identity. Raises EntraError 500011 for an unknown resource."""
        return self._issuer.app_token(identity, resource)

    def public_keys(self) -> PublicKeys:
        """The keys that resources verify with, by their names."""
        return {self.key.kid: self.key.public}
