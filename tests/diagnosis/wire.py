"""The way of a redemption as the product goes it: MSAL, our HTTP client, TLS, and an issuer that answers as told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from emulators.faults import Answer
from emulators.world import CLIENT_ID, TENANT_ID, World
from rotation.clouds import GLOBAL
from rotation.entra import Entra
from rotation.federation import ManagedIdentities
from rotation.ports import Grant, RedemptionError
from rotation.secret_value import ClientSecret, RefreshToken
from rotation.token_endpoint import TokenEndpoints

REFRESH_TOKEN, CLIENT_SECRET = "1.contoso-refresh-token-kept-secret", "contoso-client-secret-kept-secret"
SCOPE = GLOBAL.partner_center_scope
TOKEN, DISCOVERY = r"/token$", r"/openid-configuration$"


@dataclass(frozen=True, slots=True)
class Wire:
    world: World
    entra: Entra

    @classmethod
    @contextmanager
    def to(cls, world: World) -> Iterator[Wire]:
        """A way with connections and discovery documents of its own."""
        endpoints = TokenEndpoints(connections=1)
        yield cls(
            world,
            Entra(
                endpoints,
                authority_overrides={GLOBAL.name: world.entra_url},
                identity_token=ManagedIdentities(default_client_id=None).token,
            ),
        )
        endpoints.close()

    def refused(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> RedemptionError:
        """Redeem while the token endpoint answers this."""
        return self._refused(TOKEN, Answer(status, headers or {}, body))

    def refused_discovery(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> RedemptionError:
        """Redeem while the discovery document is this."""
        return self._refused(DISCOVERY, Answer(status, headers or {}, body))

    def _refused(self, path: str, answer: Answer) -> RedemptionError:
        faults = self.world.entra_faults
        faults.fail_next(answer, path=path)
        raised = self.redeem_in(TENANT_ID)
        assert faults.unspent == 0
        return raised

    def redeem_in(self, tenant_id: str) -> RedemptionError:
        grant = Grant(
            refresh_token=RefreshToken(REFRESH_TOKEN),
            cloud=GLOBAL,
            tenant_id=tenant_id,
            client_id=CLIENT_ID,
            client_proof=ClientSecret(CLIENT_SECRET),
            scopes=(SCOPE,),
        )
        with pytest.raises(RedemptionError) as raised:
            self.entra.redeem(grant)
        return raised.value
