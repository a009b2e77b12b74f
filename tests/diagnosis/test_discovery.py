"""MSAL fails in forms of its own, at the discovery document and at the token; none of them comes through unclassified.

Each form is first shown on MSAL alone, over the same wire, so that the test would notice a form that no longer exists.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator

import msal
import pytest
import requests

from emulators.faults import Answer
from emulators.world import CLIENT_ID, TENANT_ID
from rotation.reason import Reason
from rotation.token_endpoint import TokenEndpoints
from tests.diagnosis.corpora import KEPT_SECRET
from tests.diagnosis.wire import CLIENT_SECRET, DISCOVERY, REFRESH_TOKEN, SCOPE, TOKEN, Wire

REFUSED = b'{"error":"invalid_grant","error_codes":[50173],"error_description":"kept-secret"}'
TRUNCATED = b'{"error":"invalid_grant","refresh_token":"answer-kept-'


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def msal_alone(wire: Wire, session: requests.Session) -> Callable[[], object]:
    """The same redemption without anything of ours between MSAL and the wire."""

    def redeem() -> object:
        app = msal.ConfidentialClientApplication(
            CLIENT_ID,
            authority=f"{wire.world.entra_url}/{TENANT_ID}",
            client_credential=CLIENT_SECRET,
            instance_discovery=False,
            http_client=session,
        )
        return app.acquire_token_by_refresh_token(REFRESH_TOKEN, [SCOPE])

    return redeem


def test_msals_dictionary_of_a_400(wire: Wire, msal_alone: Callable[[], object]) -> None:
    wire.world.entra_faults.fail_next(Answer(400, body=REFUSED), path=TOKEN)
    answer = msal_alone()
    assert isinstance(answer, dict)
    assert answer["error"] == "invalid_grant"
    assert wire.refused(400, REFUSED).reason is Reason.TOKEN_REVOKED


def test_msals_exception_for_a_500(wire: Wire, msal_alone: Callable[[], object]) -> None:
    wire.world.entra_faults.fail_next(Answer(503, body=REFUSED), path=TOKEN)
    with pytest.raises(msal.exceptions.MsalServiceError):
        msal_alone()
    assert wire.refused(503, REFUSED).reason is Reason.ISSUER_UNAVAILABLE


def test_the_decoding_error_that_holds_the_body_with_its_token(
    wire: Wire, msal_alone: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    wire.world.entra_faults.fail_next(Answer(400, body=TRUNCATED), path=TOKEN)
    with pytest.raises(json.JSONDecodeError) as raised:
        msal_alone()
    assert "answer-kept-" in raised.value.doc
    assert "answer-kept-" in caplog.text

    caplog.clear()
    caplog.set_level(logging.DEBUG)
    refused = wire.refused(400, TRUNCATED)
    assert refused.reason is Reason.ISSUER_UNAVAILABLE
    assert "answer-kept-" not in "".join(traceback.format_exception(refused)) + caplog.text


def test_a_tenant_that_entra_does_not_know(wire: Wire) -> None:
    refused = wire.redeem_in("99999999-2222-3333-4444-555555555555")
    assert refused.reason is Reason.MISCONFIGURED
    assert "AADSTS90002" in refused.message


@pytest.mark.parametrize(
    ("status", "body", "form", "reason"),
    [
        (400, b'{"error":"invalid_tenant","error_codes":[90002]}', ValueError, Reason.MISCONFIGURED),
        (400, b'{"error":"invalid_instance","error_codes":[50049]}', ValueError, Reason.MISCONFIGURED),
        (400, b"<html>kept-secret</html>", ValueError, Reason.ISSUER_UNAVAILABLE),
        (404, b'{"message":"kept-secret"}', ValueError, Reason.ISSUER_UNAVAILABLE),
        (407, b"", ValueError, Reason.ISSUER_UNAVAILABLE),
        (429, b'{"error":"temporarily_unavailable"}', ValueError, Reason.THROTTLED),
        (500, b"<html>kept-secret</html>", msal.exceptions.MsalServiceError, Reason.ISSUER_UNAVAILABLE),
        (503, b'{"error":"server_error"}', msal.exceptions.MsalServiceError, Reason.ISSUER_UNAVAILABLE),
        (200, b"<html>kept-secret</html>", ValueError, Reason.ISSUER_UNAVAILABLE),
        (200, b"{}", KeyError, Reason.ISSUER_UNAVAILABLE),
        (200, b"[]", AttributeError, Reason.ISSUER_UNAVAILABLE),
        (200, b"null", AttributeError, Reason.ISSUER_UNAVAILABLE),
        (200, b'{"token_endpoint":7,"authorization_endpoint":7}', Exception, Reason.ISSUER_UNAVAILABLE),
    ],
)
def test_a_discovery_document_that_cannot_be_had(
    wire: Wire,
    msal_alone: Callable[[], object],
    status: int,
    body: bytes,
    form: type[Exception],
    reason: Reason,
) -> None:
    wire.world.entra_faults.fail_next(Answer(status, body=body), path=DISCOVERY)
    with pytest.raises(form):
        msal_alone()
    refused = wire.refused_discovery(status, body)
    assert refused.reason is reason
    assert KEPT_SECRET not in "".join(traceback.format_exception(refused))


def test_a_redirected_discovery_document_is_not_fetched_elsewhere(wire: Wire) -> None:
    refused = wire.refused_discovery(302, b"", {"Location": "https://elsewhere.contoso.example/"})
    assert refused.reason is Reason.ISSUER_UNAVAILABLE


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_tenant_mends_as_soon_as_discovery_does(wire: Wire, status: int) -> None:
    """What can pass is asked for again within the run."""
    wire.refused_discovery(status, b"<html>")
    asked = wire.world.entra_log.count("discovery")
    wire.redeem_in(TENANT_ID)
    assert wire.world.entra_log.count("discovery") == asked + 1


def test_what_entra_says_of_a_tenant_is_asked_once_in_a_run(wire: Wire) -> None:
    wire.refused_discovery(400, {"error": "invalid_tenant", "error_codes": [90002]})
    asked = wire.world.entra_log.count("discovery")
    assert wire.redeem_in(TENANT_ID).reason is Reason.MISCONFIGURED
    assert wire.world.entra_log.count("discovery") == asked


def test_of_a_document_only_what_msal_reads_is_kept_for_the_run(wire: Wire) -> None:
    """There may be one for each of thousands of tenants; a whole one is several kilobytes."""
    endpoints = TokenEndpoints(connections=1)
    kept = endpoints.document(f"{wire.world.entra_url}/{TENANT_ID}/v2.0/.well-known/openid-configuration")
    endpoints.close()

    assert {"token_endpoint", "authorization_endpoint"} <= set(kept.body or ())
    assert len(kept.body or ()) <= 4
