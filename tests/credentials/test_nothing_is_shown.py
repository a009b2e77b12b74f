"""No private key, assertion, identity token or client secret is ever seen, whatever goes wrong with it."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable

import pytest

from emulators.faults import Answer, Fault, Reset
from emulators.world import World
from rotation.client_certificate import parse_certificate
from rotation.outcome import Kind
from rotation.ports import ClientCertificate
from rotation.report import RunReport
from rotation.secret_value import SecretValue
from tests.credentials.certificates import PEM_CONTENT_TYPE, PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, put_behind
from tests.effects.partners import CLIENT_SECRET, Partner

CANARY = "CANARYcanaryCANARYcanaryCANARY"
_SIGNED = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")  # assertions and tokens: RFC 7515 section 3.1
_KEY = Certified.new("shown")


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def assert_unseen(report: RunReport, product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in what was logged, attributes and exceptions included, nor in the report or the status in any form."""
    status = product.status()
    told = [repr(report), str(report), json.dumps(report.to_json()), repr(status), json.dumps(status.to_json())]
    logged = [caplog.text, *(str(vars(record)) for record in caplog.records)]
    raised = ["".join(traceback.format_exception(*r.exc_info)) for r in caplog.records if r.exc_info]
    seen = "\n".join(told + logged + raised)
    lines = [line for line in _KEY.pem().splitlines() if not line.startswith("-----")]
    for value in [CANARY, CLIENT_SECRET, _KEY.pkcs12()[100:160], "PRIVATE KEY", *lines]:
        assert value not in seen
    assert _SIGNED.search(seen) is None
    assert len(caplog.records) > 10


def by_pkcs12(partner: Partner) -> str:
    partner.vault.state.put("app", _KEY.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    return "certificate:app"


def by_pem(partner: Partner) -> str:
    partner.vault.state.put("app", _KEY.pem(), content_type=PEM_CONTENT_TYPE, managed=True)
    return "certificate:app"


def by_half_a_pem(partner: Partner) -> str:
    partner.vault.state.put("app", _KEY.pem()[:900], content_type=PEM_CONTENT_TYPE, managed=True)
    return "certificate:app"


def by_a_key_as_client_secret(partner: Partner) -> str:
    partner.vault.state.put("app", _KEY.pem())
    return "secret:app"


def by_a_wrong_client_secret(partner: Partner) -> str:
    partner.vault.state.put("app", CANARY)
    return "secret:app"


def by_identity(_partner: Partner) -> str:
    return "managed-identity"


KINDS = [by_pkcs12, by_pem, by_half_a_pem, by_a_key_as_client_secret, by_a_wrong_client_secret, by_identity]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trusted", [True, False])
def test_no_client_credential_is_shown(
    cloud: World,
    partner: Partner,
    product: Product,
    caplog: pytest.LogCaptureFixture,
    kind: Callable[[Partner], str],
    *,
    trusted: bool,
) -> None:
    if trusted:
        cloud.entra.add_certificate(partner.client_id, _KEY.public_pem)
        cloud.entra.add_federated_credential(partner.client_id, cloud.job)
    put_behind(partner, kind(partner), 2)

    report = product.run()

    rotates = trusted and kind in (by_pkcs12, by_pem, by_identity)
    assert (report.counts.get(Kind.ROTATED) == 2) is rotates
    assert_unseen(report, product, caplog)


@pytest.mark.parametrize("kind", [by_pkcs12, by_identity, by_a_wrong_client_secret])
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_client_credential_is_shown_by_what_an_issuer_answers(
    cloud: World,
    partner: Partner,
    product: Product,
    caplog: pytest.LogCaptureFixture,
    kind: Callable[[Partner], str],
    status: int,
) -> None:
    cloud.entra_faults.fail_next(Answer(status, body=f'{{"error": "{CANARY}'.encode()), path="/token$", times=None)
    put_behind(partner, kind(partner), 2)

    assert_unseen(product.run(), product, caplog)


JSON = {"content-type": "application/json"}
IDENTITY_ANSWERS: dict[str, Fault] = {
    "truncated JSON": Answer(200, JSON, f'{{"access_token": "{CANARY}", "expires_on'.encode()),
    "truncated text": Answer(200, {"content-type": "text/plain"}, f'{{"access_token": "{CANARY}'.encode()),
    "no date": Answer(200, body={"access_token": CANARY}),
    "another date": Answer(200, body={"access_token": CANARY, "expires_on": CANARY}),
    "a list": Answer(200, body=[CANARY]),
    "a reset": Reset(),
}


@pytest.mark.parametrize("answer", [name for name in IDENTITY_ANSWERS if name != "a reset"])
def test_no_answer_of_the_identity_endpoint_is_shown(
    cloud: World, partner: Partner, product: Product, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    cloud.identity_faults.fail_next(IDENTITY_ANSWERS[answer], after=1, times=None)
    put_behind(partner, "managed-identity", 2)

    report = product.run()

    cloud.identity_faults.clear()
    assert report.counts == {Kind.FAILED: 1, Kind.DEFERRED: 1}
    assert_unseen(report, product, caplog)


def test_a_certificate_shows_no_key() -> None:
    proof = parse_certificate(SecretValue(_KEY.pem()), PEM_CONTENT_TYPE)

    assert isinstance(proof, ClientCertificate)
    assert "private_key" not in repr(proof)
    assert "RSAPrivateKey" not in repr(proof)
