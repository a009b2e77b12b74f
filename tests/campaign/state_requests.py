"""The real SDKs of azure-identity and azure-storage-blob over emulated state, without a wire.

Only the transport under them is replaced: what is built, retried, signed and read is theirs, and each request passes
the gate. Who the job is, is a client secret of its own; where the lease lies, one blob (`lease_blob`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, override
from urllib.parse import parse_qsl

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.storage.blob import ContainerClient
from requests.adapters import BaseAdapter
from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

from emulators.entra import discovery
from emulators.entra.client_authentication import Presented
from emulators.entra.errors import EntraError
from emulators.entra.issuing import TokenRequest
from emulators.entra.state import EntraState
from emulators.world import TENANT_ID
from rotation.blob_lease import CLIENT_OPTIONS, CONTAINER, LEASE_SECONDS, BlobLease
from tests.campaign.faults import ERROR_STATUS, RETRY_AFTER_SECONDS, THROTTLED_STATUS, Broken, Fault
from tests.campaign.gate import Gate
from tests.campaign.journal import ACQUIRE, HOLDER, IDENTITY, RELEASE, RENEW, Request
from tests.campaign.lease_blob import Answer, LeaseBlob
from tests.campaign.ledger import Ledger
from tests.campaign.turned_clock import TurnedClock

JOB_ID, JOB_SECRET = "99999999-8888-7777-6666-555555555555", "client secret of the job in the campaign"
_IDENTITY_SECONDS, _STORAGE_SECONDS = 8.0, 3.0  # the read timeouts of `rotation.wiring` and `rotation.blob_lease`
_LEASE_KINDS = {"acquire": ACQUIRE, "renew": RENEW, "release": RELEASE}


def job_identity(
    entra: EntraState, gate: Gate, *, run: int, clock: TurnedClock, ledger: Ledger
) -> ClientSecretCredential:
    """The job's own credential, as `wiring` makes it."""

    def answer(request: requests.PreparedRequest) -> Answer:
        try:
            body = _token(entra, request, ledger)
        except EntraError as refused:
            return Answer(refused.status, body={"error": refused.error, "error_description": "refused"})
        return Answer(200, body=body)

    def send(request: requests.PreparedRequest) -> Answer:
        return gate.request(Request(run=run, kind=IDENTITY), lambda: answer(request), patience=_IDENTITY_SECONDS)

    return ClientSecretCredential(
        TENANT_ID,
        JOB_ID,
        JOB_SECRET,
        authority=entra.url,
        disable_instance_discovery=True,
        transport=StateTransport(send, clock),
        retry_total=1,
    )


def _token(entra: EntraState, request: requests.PreparedRequest, ledger: Ledger) -> Mapping[str, object]:
    if request.method == "GET":
        return discovery.openid_configuration(entra.url, TENANT_ID)
    form = dict(parse_qsl(str(request.body)))
    presented = Presented(secret=form.get("client_secret"))
    asked = TokenRequest(tenant=TENANT_ID, client_id=form["client_id"], presented=presented, scope=form["scope"])
    body = entra.client_credentials(asked)
    ledger.secrets.add(str(body["access_token"]))
    return body


class StateLease(BlobLease):
    """The lease of the product for one run, over one blob; it is renewed when the clock is turned that far."""

    def __init__(self, blob: LeaseBlob, gate: Gate, *, run: int, clock: TurnedClock) -> None:
        super().__init__(self._open, monotonic=clock.monotonic, repeat=clock.repeat)
        self._blob = blob
        self._gate = gate
        self._run = run
        self._clock = clock
        self._ends: float | None = None

    def is_lost(self) -> bool:
        """Whether the run has had it, and was told that it is gone or has let it run out."""
        return self._ends is not None and self._clock.monotonic() >= self._ends

    def _open(self) -> ContainerClient:
        transport = StateTransport(self._send, self._clock)
        return ContainerClient("https://storage.loopback.example", CONTAINER, transport=transport, **CLIENT_OPTIONS)

    def _send(self, request: requests.PreparedRequest) -> Answer:
        kind = _LEASE_KINDS.get(str(request.headers.get("x-ms-lease-action")), HOLDER)
        noted = Request(run=self._run, kind=kind)
        answer = self._gate.request(noted, lambda: self._blob.answer(request), patience=_STORAGE_SECONDS)
        if kind in (ACQUIRE, RENEW):
            granted = answer.status in (requests.codes.ok, requests.codes.created)
            self._ends = self._clock.monotonic() + (LEASE_SECONDS if granted else 0)
        return answer


class StateTransport(RequestsTransport):  # type: ignore[misc] # azure-core loads it on demand, and types it as Any
    """Sends nothing, and waits by turning the clock."""

    def __init__(self, send: Callable[[requests.PreparedRequest], Answer], clock: TurnedClock) -> None:
        session = requests.Session()
        session.mount("https://", StateAdapter(send))
        super().__init__(session=session)
        self._clock = clock

    @override
    def sleep(self, duration: float) -> None:
        self._clock.turn(duration)


class StateAdapter(BaseAdapter):
    """What `requests` sends through: each answer is that of the state, each fault what a connection makes of it."""

    def __init__(self, send: Callable[[requests.PreparedRequest], Answer]) -> None:
        super().__init__()
        self._send = send

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        try:
            answer = self._send(request)
        except Broken as broken:
            answer = _broken(broken.fault)
        return _response(request, answer)

    @override
    def close(self) -> None:
        """There is nothing open."""


def _broken(fault: Fault) -> Answer:
    match fault:
        case Fault.THROTTLED:
            return Answer(THROTTLED_STATUS)
        case Fault.THROTTLED_UNTIL:
            return Answer(THROTTLED_STATUS, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        case Fault.ERROR:
            return Answer(ERROR_STATUS)
        case Fault.REFUSED:
            raise requests.ConnectionError("refused")
        case Fault.TIMEOUT:
            raise requests.ReadTimeout("no answer")
        case _:
            raise requests.ConnectionError(ProtocolError("reset"))


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    headers = {"Content-Type": "application/json"} if body else {}
    response = requests.Response()
    response.request, response.url, response.status_code = request, str(request.url), answer.status
    response.headers.update({**headers, **answer.headers})
    response.raw = HTTPResponse(BytesIO(body), preload_content=False, status=answer.status)
    return response
