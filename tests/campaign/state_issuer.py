"""The real Entra adapter and MSAL over the emulator's state, without a wire: only the sending of a request is replaced.

Discovery, the form that MSAL fills in and the reading of the answer are the product's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from emulators.entra import discovery
from emulators.entra.client_authentication import Presented
from emulators.entra.errors import EntraError
from emulators.entra.issuing import TokenRequest
from emulators.entra.state import EntraState
from rotation.entra import Entra
from rotation.secret_value import SecretValue
from rotation.token_endpoint import Answer, NoAnswerError, TokenEndpoints
from tests.campaign.faults import ERROR_STATUS, THROTTLED_STATUS, Broken, Fault
from tests.campaign.gate import Gate
from tests.campaign.journal import DISCOVERY, REDEEM, Request
from tests.campaign.ledger import Ledger
from tests.campaign.state_vault import StateClient

PATIENCE_SECONDS = 15.0  # the read timeout of `rotation.token_endpoint`

_KIND = {Fault.REFUSED: "ConnectionError", Fault.RESET: "ConnectionError", Fault.TIMEOUT: "ReadTimeout"}


def state_issuer(entra: EntraState, gate: Gate, *, run: int, vault: StateClient, ledger: Ledger) -> Entra:
    """The issuer as the job of one run sees it."""
    endpoints = StateEndpoints(entra, gate, run, vault, ledger)
    return Entra(endpoints, authority_overrides={"global": entra.url}, identity_token=_no_identity)


class StateEndpoints(TokenEndpoints):
    """Sends to the state what the real one sends over TLS."""

    def __init__(self, entra: EntraState, gate: Gate, run: int, vault: StateClient, ledger: Ledger) -> None:
        super().__init__(connections=1)
        self._entra = entra
        self._gate = gate
        self._run = run
        self._vault = vault
        self._ledger = ledger

    def send(
        self, method: str, url: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, one answer, as of the emulated issuer. Raises NoAnswerError."""
        del headers
        tenant = url.removeprefix(self._entra.url + "/").partition("/")[0]
        try:
            return self._redeem(tenant, data) if method == "POST" and data is not None else self._discover(tenant)
        except EntraError as refused:
            return _refusal(refused)
        except Broken as broken:
            return _broken(broken.fault)

    def _discover(self, tenant: str) -> Answer:
        def document() -> Answer:
            body = discovery.openid_configuration(self._entra.url, self._entra.tenant_id(tenant))
            return Answer(200, json.loads(json.dumps(body)))

        return self._gate.request(Request(run=self._run, kind=DISCOVERY), document, patience=PATIENCE_SECONDS)

    def _redeem(self, tenant: str, form: Mapping[str, str]) -> Answer:
        token = form["refresh_token"]
        asked = TokenRequest(
            tenant=tenant,
            client_id=form["client_id"].lower(),
            presented=Presented(secret=form.get("client_secret")),
            scope=form.get("scope", ""),
            client_info=form.get("client_info") == "1",
        )

        def noting(request: Request, answer: Mapping[str, object]) -> Request:
            fresh = [str(answer[name]) for name in ("access_token", "refresh_token", "id_token") if name in answer]
            self._ledger.secrets.update(fresh)
            return replace(request, value=str(answer.get("refresh_token", "")))

        name = self._vault.names.get(token, "")
        body = self._gate.request(
            Request(run=self._run, kind=REDEEM, name=name, redeemed=token),
            lambda: self._entra.redeem(asked, token),
            patience=PATIENCE_SECONDS,
            noting=noting,
        )
        self._vault.in_hand.add(name)
        return Answer(200, body)


def _refusal(refused: EntraError) -> Answer:
    body: dict[str, object] = {"error": refused.error, "error_codes": [refused.code], "error_description": refused.text}
    return Answer(refused.status, body | ({"suberror": refused.suberror} if refused.suberror else {}))


def _broken(fault: Fault) -> Answer:
    if fault in _KIND:
        raise NoAnswerError(_KIND[fault])
    return Answer(ERROR_STATUS, None) if fault is Fault.ERROR else Answer(THROTTLED_STATUS, {})


def _no_identity(_client_id: str | None, _audience: str) -> SecretValue:
    raise NotImplementedError("the campaign's app proves itself with a client secret")
