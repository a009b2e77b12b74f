"""A storage account that cannot be used: what a run does without its lease, how long it waits, and what it never shows.

What a storage account does that can be used is shown on Azurite, in `tests/interop`.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette

from emulators.faults import Answer, Fault, FaultLayer, Faults, Hang, Reset
from emulators.requests_log import LogLayer, RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.world import World
from rotation.blob_lease import BlobLease, by_connection_string
from rotation.ports import HeldLease, LeaseHolder
from tests.canary.blob_service import ACCOUNT_KEY, SIGNATURE, by_key, by_sas
from tests.doors.command import report_of, rotation
from tests.effects.partners import Partner

VAULT = "https://contoso-vault.vault.azure.net"


def hold(connection_string: str, vault_url: str = VAULT, **limits: float) -> HeldLease:
    lease = BlobLease(partial(by_connection_string, connection_string, **limits))
    with lease.hold(vault_url, LeaseHolder("a-run", "cli", datetime.now(UTC))) as held:
        return held


@contextmanager
def storage_of(answer: Fault) -> Iterator[tuple[str, RequestLog, Faults]]:
    """A storage account that gives this answer, what was asked of it, and its faults, for another answer later."""
    faults, log = Faults(), RequestLog()
    faults.fail_next(answer, times=None)
    bound = listen()
    app = LogLayer(FaultLayer(Starlette(), faults), log, lambda method, _: method)
    with serving([Site(bound, app, None)]):
        yield url_of(bound, scheme="http"), log, faults


@contextmanager
def failing(fault: Fault) -> Iterator[tuple[str, RequestLog]]:
    """A storage account whose every answer is this one, and what was asked of it."""
    with storage_of(fault) as (url, log, _):
        yield url, log


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with listen() as bound:
        yield url_of(bound, scheme="http")


def test_a_run_goes_on_without_and_reports_it_with_its_cure(
    world: World, monkeypatch: pytest.MonkeyPatch, nobody: str
) -> None:
    Partner.new(world).put("contoso")
    monkeypatch.setenv("AzureWebJobsStorage", by_key(nobody))

    result = rotation("rotate", "--json")

    (problem,) = report_of(result)["problems"]
    assert (result.exit_code, report_of(result)["counts"]["rotated"], report_of(result)["complete"]) == (1, 1, True)
    assert (problem["reason"], problem["vault"]) == ("lease_unavailable", world.vault.url)
    assert problem["message"] == "the storage account did not answer (ServiceRequestError)"
    assert "AzureWebJobsStorage" in problem["action"]


def connections_of(server: socket.socket) -> int:
    server.setblocking(False)  # noqa: FBT003 - of the standard library
    for count in range(100):
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
    return 100


def test_a_silent_account_is_waited_for_briefly_and_once_for_all_vaults() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lease = BlobLease(partial(by_connection_string, by_key(url_of(silent, scheme="http")), read_seconds=0.2))
        for number in range(20):
            with lease.hold(f"{VAULT}:{number}", LeaseHolder("a-run", "cli", datetime.now(UTC))) as held:
                assert held.is_held()
                assert held.fault == "the storage account did not answer (ServiceResponseTimeoutError)"
        assert connections_of(silent) == 2


def test_an_account_that_falls_silent_is_waited_for_once_at_the_end_of_a_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    well = Answer(201, {"etag": '"1"', "last-modified": "Sat, 21 Nov 2026 07:00:00 GMT", "x-ms-lease-id": "a-lease"})
    with storage_of(well) as (url, log, faults):
        connect = partial(by_connection_string, by_key(url), read_seconds=0.2)
        lease = BlobLease(connect, end_seconds=0.3)
        with ExitStack() as run:
            for number in range(10):
                held = run.enter_context(
                    lease.hold(f"{VAULT}:{number}", LeaseHolder("a-run", "cli", datetime.now(UTC)))
                )
                assert (held.is_held(), held.fault) == (True, "")
            faults.clear()
            faults.fail_next(Hang(), times=None)
            log.clear()
    assert 1 <= len(log.requests) <= 2, "each of the ten was waited for"
    assert caplog.text.count("rotation.lease_not_released") == 10


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AuthorizationPermissionMismatch", "lacks the role Storage Blob Data Contributor"),
        (403, "AuthorizationFailure", "firewall forbids"),
        (403, "AuthenticationFailed", "does not accept this key, SAS or token"),
        (403, "KeyBasedAuthenticationNotPermitted", "use AzureWebJobsStorage__blobServiceUri"),
        (403, "a-secret", "the storage account answered 403: access is denied"),
        (409, "ContainerBeingDeleted", "answered 409 (ContainerBeingDeleted)"),
        (503, "ServerBusy", "answered 503 (ServerBusy)"),
        (307, "", "answered 307"),
    ],
)
def test_a_refusal_is_told_with_its_code_and_what_mends_it(status: int, code: str, said: str) -> None:
    headers = {"x-ms-error-code": code, "content-type": "application/xml", "location": "http://127.0.0.1:1/elsewhere"}
    body = f"<Error><Code>{code}</Code><Message>a secret of the storage account</Message></Error>"
    with failing(Answer(status, headers, body.encode())) as (url, log):
        held = hold(by_key(url))
    assert said in held.fault
    assert "secret" not in held.fault
    assert len(log.requests) == (2 if status == 503 else 1), "only what may pass is asked for twice"


@pytest.mark.parametrize("body", [b"", b"no XML", b"{}"])
def test_an_answer_of_no_known_form_is_a_fault_and_no_crash(body: bytes) -> None:
    with failing(Answer(200, {}, body)) as (url, _):
        assert "storage account" in hold(by_key(url)).fault


@pytest.mark.parametrize("fault", [Answer(403, {}, b"<Error/>"), Answer(503), Reset()], ids=["403", "503", "reset"])
def test_no_key_and_no_signature_is_shown_or_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    Partner.new(world).put("contoso")
    for connection in (by_key, by_sas):
        with failing(fault) as (url, log):
            monkeypatch.setenv("AzureWebJobsStorage", connection(url))
            shown = rotation("rotate")
            assert log.requests
        logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
        assert "lease_unavailable" in shown.stdout
        assert not [secret for secret in (ACCOUNT_KEY, SIGNATURE) if secret in shown.stdout + shown.stderr + logged]
