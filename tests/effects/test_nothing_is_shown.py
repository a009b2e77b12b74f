"""No value is ever seen: not in a log record of any library at DEBUG, not in a message, a report or an exception."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable
from dataclasses import replace

import pytest

from emulators.faults import Answer, Fault, Reset
from emulators.world import World
from rotation.outcome import Kind
from rotation.ports import Grant, Redemption, VaultError
from rotation.report import RunReport
from tests.effects.job import Job, outcome
from tests.effects.partners import CLIENT_SECRET, DUE, Partner, values_of
from tests.effects.steps import READ, REDEEM, STORE, Steps, WatchedIssuer, watched

CANARY = "1.AcanaryCANARYcanaryCANARYcanary"


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def assert_unseen(report: RunReport, caplog: pytest.LogCaptureFixture, values: Iterable[str]) -> None:
    """None of the values is in what was logged, attributes and exceptions included, nor in the report in any form."""
    told = [repr(report), str(report), json.dumps(report.to_json())]
    logged = [caplog.text, *(str(vars(record)) for record in caplog.records)]
    raised = ["".join(traceback.format_exception(*r.exc_info)) for r in caplog.records if r.exc_info]
    seen = "\n".join(told + logged + raised)
    for value in [*values, CLIENT_SECRET, CANARY, "Bearer ey"]:
        assert value not in seen


def test_the_libraries_did_log_what_they_did(partner: Partner, job: Job, caplog: pytest.LogCaptureFixture) -> None:
    partner.put("contoso")

    job.run()

    assert {record.name.partition(".")[0] for record in caplog.records} >= {"azure", "msal", "urllib3"}


def test_a_rotation_shows_neither_the_old_token_nor_the_new(
    cloud: World, partner: Partner, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    partner.put("contoso")
    cloud.vault.state.age(DUE)
    partner.put("contoso")
    cloud.vault.state.age(DUE)

    report = job.run()

    assert report.counts == {Kind.ROTATED: 1}
    assert_unseen(report, caplog, values_of(cloud.vault, "contoso"))


ANSWERS: dict[str, Fault] = {
    "truncated JSON": Answer(200, body=f'{{"access_token": "{CANARY}", "refresh_token": "{CANARY}'.encode()),
    "truncated JSON with 400": Answer(400, body=f'{{"error": "{CANARY}'.encode()),
    "HTML": Answer(200, {"content-type": "text/html"}, f"<html>{CANARY}</html>".encode()),
    "a text that repeats the token": Answer(
        400, body={"error": "invalid_grant", "error_codes": [50173], "error_description": f"AADSTS50173: {CANARY}"}
    ),
    "an error that is the token": Answer(400, body={"error": CANARY, "suberror": CANARY, "error_codes": [CANARY]}),
    "a correlation id that is the token": Answer(400, body={"error": "invalid_grant", "correlation_id": CANARY}),
    "500": Answer(500, body={"error": "server_error", "error_description": CANARY, "refresh_token": CANARY}),
    "a redirect": Answer(302, {"location": f"https://127.0.0.1:1/{CANARY}"}),
    "another account": Answer(200, body={"access_token": CANARY, "refresh_token": "", "client_info": CANARY}),
    "a token of two lines": Answer(200, body={"access_token": "opaque", "refresh_token": f"{CANARY}\n"}),
    "a reset": Reset(),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("path", ["/token$", "openid-configuration"])
def test_no_answer_of_the_issuer_is_shown(
    cloud: World, partner: Partner, job: Job, caplog: pytest.LogCaptureFixture, answer: str, path: str
) -> None:
    token = partner.put("contoso")
    cloud.entra_faults.fail_next(ANSWERS[answer], path=path, times=None)

    report = job.run()

    assert report.counts == {Kind.FAILED: 1}
    assert_unseen(report, caplog, [token])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 409, 500])
def test_no_answer_of_the_vault_is_shown(
    cloud: World, partner: Partner, job: Job, caplog: pytest.LogCaptureFixture, method: str, status: int
) -> None:
    for _ in range(2):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
    body = {"error": {"code": CANARY, "message": CANARY, "innererror": {"code": CANARY}}, "value": CANARY}
    cloud.vault.faults.fail_next(Answer(status, body=body), method=method, path="^/secrets/contoso", times=None)

    report = job.with_limits(finish_seconds=5, start_seconds=5).run()

    assert cloud.vault.faults.unspent == 1
    assert_unseen(report, caplog, values_of(cloud.vault, "contoso"))


@pytest.mark.parametrize(("call", "kind"), [(READ, Kind.FAILED), (REDEEM, Kind.FAILED), (STORE, Kind.STRANDED)])
def test_a_fault_of_our_own_shows_its_kind_and_not_its_text(
    cloud: World, partner: Partner, job: Job, caplog: pytest.LogCaptureFixture, call: str, kind: Kind
) -> None:
    partner.put("contoso")

    def break_down() -> None:
        raise LookupError(f"unexpected: {CANARY}")

    report = watched(job, Steps(after={call: break_down})).run()

    told = outcome(report, "contoso")
    assert (told.kind, "LookupError" in told.message) == (kind, True)
    logged = "rotation.fault LookupError in contoso" in [record.message for record in caplog.records]
    assert logged is (kind is Kind.FAILED)
    assert_unseen(report, caplog, values_of(cloud.vault, "contoso"))


def test_an_error_of_the_vault_shows_nothing_of_its_answer(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(
        Answer(200, {"content-type": "application/json"}, f'{{"value": "{CANARY}'.encode()), times=None
    )

    with pytest.raises(VaultError) as raised:
        job.vaults[0].read("contoso")

    assert CANARY not in str(raised.value)
    assert CANARY not in repr(raised.value)


class Deviating(WatchedIssuer):
    """Hands on an answer whose values are canaries."""

    def redeem(self, grant: Grant) -> Redemption:
        return replace(super().redeem(grant), account_id=CANARY, tenant_id=CANARY, audience=f"https://{CANARY}")


def test_what_an_answer_says_of_an_account_is_not_shown(
    partner: Partner, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    partner.put("contoso", tags=partner.tags() | {"account-id": "somebody.somewhere"})

    report = replace(job, issuer=Deviating(job.issuer, Steps())).run()

    assert report.counts == {Kind.FAILED: 1}
    assert_unseen(report, caplog, [])
