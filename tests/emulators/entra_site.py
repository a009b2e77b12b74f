"""The Entra emulator, served over TLS, and the real clients pointed at it. For the tests of the emulator alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msal
import requests

from emulators.entra import EntraState, User, entra_app
from emulators.faults import Faults
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.tls import LoopbackTls

SCOPE = "https://api.partnercenter.microsoft.com/user_impersonation"
SECRET = "a made-up client secret"


@dataclass(frozen=True, slots=True)
class EntraSite:
    """The running emulator and its handles."""

    url: str
    state: EntraState
    faults: Faults
    log: RequestLog
    authority_file: Path

    def session(self) -> requests.Session:
        """An HTTP session that trusts the loopback authority, and nothing else."""
        session = requests.Session()
        session.verify = str(self.authority_file)
        session.trust_env = False
        return session

    def post(self, tenant: str, **form: str) -> requests.Response:
        """A bare token request, where MSAL would not send it."""
        with self.session() as session:
            return session.post(f"{self.url}/{tenant}/oauth2/v2.0/token", data=form, timeout=60)

    def get(self, path: str, *, timeout: float = 60) -> requests.Response:
        """A bare GET."""
        with self.session() as session:
            return session.get(f"{self.url}{path}", timeout=timeout)


@dataclass(frozen=True, slots=True)
class Partner:
    """One tenant with one application, one account and the refresh token of its consent."""

    site: EntraSite
    tenant_id: str
    client_id: str
    user: User
    refresh_token: str = field(repr=False)

    def redeem(
        self,
        refresh_token: str | None = None,
        *,
        credential: object = SECRET,
        scope: str = SCOPE,
        tenant: str | None = None,
    ) -> dict[str, Any]:
        """What the real MSAL makes of a redemption, with a fresh application each time."""
        with self.site.session() as session:
            app = msal.ConfidentialClientApplication(
                self.client_id,
                authority=f"{self.site.url}/{tenant or self.tenant_id}",
                client_credential=credential,
                instance_discovery=False,
                http_client=session,
            )
            answer: dict[str, Any] = app.acquire_token_by_refresh_token(refresh_token or self.refresh_token, [scope])
            return answer


def new_partner(site: EntraSite) -> Partner:
    """A tenant of its own, so that tests share the emulator and nothing else."""
    tenant_id, client_id = str(uuid.uuid4()), str(uuid.uuid4())
    site.state.register_app(tenant_id, client_id, secrets=[SECRET])
    user = site.state.add_user(tenant_id, "operator@contoso.example")
    token = site.state.consent(tenant_id=tenant_id, client_id=client_id, user=user)
    return Partner(site, tenant_id, client_id, user, token)


@contextmanager
def entra_site(folder: Path) -> Iterator[EntraSite]:
    """Serve the emulator until the block ends."""
    tls = LoopbackTls.create(folder)
    bound = listen()
    state, faults, log = EntraState(url_of(bound)), Faults(), RequestLog()
    with serving([Site(bound, entra_app(state, faults=faults, log=log), tls.context)]):
        yield EntraSite(state.url, state, faults, log, tls.authority_file)
