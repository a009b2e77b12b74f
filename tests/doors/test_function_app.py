"""The triggers through the real Functions runtime: what Azure is told of them, and what each invocation answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from emulators.faults import Held
from emulators.functions_host import FunctionsHost, HttpAnswer, InvocationFailed
from emulators.keyvault.access import DataAction
from emulators.serve import Site, listen, serving, url_of
from emulators.world import World
from rotation.lease import ProcessLease
from rotation.ports import LeaseHolder
from rotation.settings import DEFAULT_SCHEDULE
from tests.effects.partners import FRESH, Partner, values_of
from tests.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
TIMER = "rotate_on_schedule"
KEY = "contoso-function-key"


@pytest.fixture(scope="module")
def host() -> Iterator[FunctionsHost]:
    with FunctionsHost.start(CHECKOUT) as started:
        yield started


def post(host: FunctionsHost, body: object = b"") -> HttpAnswer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return host.invoke_http("rotate", "POST", body=sent)


def report_of(answer: HttpAnswer) -> dict[str, Any]:
    """The body of a 200."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer.body
    return dict(json.loads(answer.body))


def problem_of(answer: HttpAnswer, status: int) -> dict[str, Any]:
    """The problem document (RFC 9457) of an answer with this status."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    document = dict(json.loads(answer.body))
    assert document["status"] == status
    assert {"type", "title", "detail"} <= set(document)
    return document


# ---- what Azure is told


def test_the_functions_are_one_timer_and_two_routes(host: FunctionsHost) -> None:
    assert {(one.name, one.type) for one in host.functions} == {
        (TIMER, "timerTrigger"),
        ("rotate", "httpTrigger"),
        ("status", "httpTrigger"),
    }


def test_the_timer_follows_the_setting_and_not_the_start(host: FunctionsHost, world: World) -> None:
    timer = host.function(TIMER)
    assert (timer.schedule, timer.run_on_startup, timer.use_monitor) == ("%ROTATION_SCHEDULE%", False, True)
    assert timer.resolved_schedule(world.environment()) == DEFAULT_SCHEDULE


@pytest.mark.parametrize(("name", "method"), [("rotate", "POST"), ("status", "GET")])
def test_a_route_takes_one_method_and_asks_for_the_function_key(host: FunctionsHost, name: str, method: str) -> None:
    function = host.function(name)
    assert (function.route, function.methods, function.auth_level) == (name, frozenset({method}), "function")
    assert [binding["type"] for binding in function.bindings] == ["httpTrigger", "http"]


# ---- the timer


def test_the_timer_rotates_what_is_due(host: FunctionsHost, partner: Partner) -> None:
    token = partner.put("contoso")
    partner.put("fabrikam", redeemed=FRESH)
    host.fire_timer(TIMER)
    first, second = values_of(partner.vault, "contoso")
    assert first == token
    assert partner.world.entra.is_redeemable(second)
    assert len(values_of(partner.vault, "fabrikam")) == 1


def test_a_past_due_timer_is_caught_up_and_says_so(
    host: FunctionsHost, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    partner.put("contoso")
    with caplog.at_level(logging.WARNING, logger="rotation"):
        host.fire_timer(TIMER, past_due=True)
    assert len(values_of(partner.vault, "contoso")) == 2
    assert "rotation.past_due" in caplog.messages


def test_a_tokens_failure_is_a_problem_in_the_log_and_not_a_failed_invocation(
    host: FunctionsHost, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    token = partner.put("contoso")
    partner.world.entra.revoke(token)
    with caplog.at_level(logging.INFO, logger="rotation"):
        host.fire_timer(TIMER)
    told = [message for message in caplog.messages if message.startswith("rotation.problem ")]
    assert [json.loads(message.partition(" ")[2])["reason"] for message in told] == ["token_revoked"]
    assert token not in caplog.text


def test_settings_that_cannot_be_used_fail_the_invocation_with_every_fault(
    host: FunctionsHost, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_VAULT_URLS", "http://contoso.vault.azure.net")
    monkeypatch.setenv("ROTATION_SCHEDULE", "0 17 */6 * *")
    with pytest.raises(InvocationFailed) as failed:
        host.fire_timer(TIMER)
    assert failed.value.exception_type == "SettingsError"
    assert "KEY_VAULT_URLS, entry 1," in failed.value.text
    assert "ROTATION_SCHEDULE has 5 fields" in failed.value.text
    assert not world.vault.log.requests


def test_a_timer_that_meets_another_run_leaves_it_alone(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    with ProcessLease().hold(partner.vault.url, LeaseHolder("by-hand", "cli", datetime.now(UTC))):
        host.fire_timer(TIMER)
    assert not partner.vault.log.requests


# ---- POST /api/rotate


def test_a_post_without_a_body_is_a_full_run(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    report = report_of(post(host))
    assert (report["trigger"], report["full"], report["complete"], report["status"]) == ("http", True, True, "ok")
    assert report["counts"]["rotated"] == 1


def test_problems_are_200_too(host: FunctionsHost, partner: Partner) -> None:
    partner.world.entra.revoke(partner.put("contoso"))
    report = report_of(post(host, {"tokens": ["contoso"]}))
    assert (report["full"], report["status"]) == (False, "problems")
    assert [problem["reason"] for problem in report["problems"]] == ["token_revoked"]


def test_a_vault_that_cannot_be_listed_is_in_a_report_that_is_not_complete(
    host: FunctionsHost, partner: Partner
) -> None:
    partner.vault.access.deny(partner.world.job.object_id, [DataAction.READ_METADATA])
    report = report_of(post(host))
    assert (report["complete"], report["status"]) == (False, "problems")
    assert [fault["reason"] for fault in report["vault_faults"]] == ["vault_denied"]


def test_the_flags_of_the_body_are_obeyed(host: FunctionsHost, partner: Partner) -> None:
    partner.put_some(2, redeemed=FRESH)
    dry = report_of(post(host, {"tokens": ["token-000"], "force": True, "dry_run": True}))
    assert [(token["name"], token["reason"]) for token in dry["tokens"]] == [("token-000", "forced")]
    assert dry["dry_run"] is True
    assert [token["name"] for token in report_of(post(host, {"all": True}))["tokens"]] == ["token-000", "token-001"]
    assert [len(values_of(partner.vault, name)) for name in ("token-000", "token-001")] == [1, 1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'["contoso"]', "not a JSON object"),
        (b'{"token": "contoso"}', "unknown fields: token; known are tokens, force, dry_run, all"),
        (b'{"force": "yes"}', "force must be true or false"),
        (b'{"dry_run": 1}', "dry_run must be true or false"),
        (b'{"tokens": []}', "tokens must be a list"),
        (b'{"tokens": "contoso"}', "tokens must be a list"),
        (b'{"tokens": ["contoso", 7]}', "tokens[1] must be"),
        (b'{"tokens": [" "]}', "tokens[0] must be"),
    ],
)
def test_a_body_that_does_not_say_what_to_do_is_400_and_nothing_is_contacted(
    host: FunctionsHost, world: World, body: bytes, said: str
) -> None:
    assert said in problem_of(post(host, body), 400)["detail"]
    assert not world.vault.log.requests


def test_an_ambiguous_name_is_400_with_its_candidates(host: FunctionsHost, both_vaults: World) -> None:
    for vault in both_vaults.vaults:
        Partner.new(both_vaults, vault=vault).put("contoso")
    document = problem_of(post(host, {"tokens": ["contoso"]}), 400)
    assert document["candidates"] == [f"{vault.url}/secrets/contoso" for vault in both_vaults.vaults]
    report = report_of(post(host, {"tokens": document["candidates"][1:]}))
    assert [token["vault"] for token in report["tokens"]] == [both_vaults.vaults[1].url]


def test_unknown_tokens_are_404_and_none_is_rotated(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    document = problem_of(post(host, {"tokens": ["contoso", "fabrikam", "northwind"]}), 404)
    assert document["tokens"] == ["fabrikam", "northwind"]
    assert len(values_of(partner.vault, "contoso")) == 1


def test_another_run_in_every_vault_is_409_and_says_when_to_come_back(host: FunctionsHost, partner: Partner) -> None:
    since = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    with ProcessLease().hold(partner.vault.url, LeaseHolder("the-timer", "timer", since)):
        answer = post(host)
        assert report_of(post(host, {"dry_run": True}))["status"] == "ok"
    document = problem_of(answer, 409)
    assert document["detail"] == (
        "another run (the-timer, by timer, since 2026-11-21T07:00:00Z) is under way; wait until it ends"
    )
    assert (document["run_id"], document["door"], document["since"]) == ("the-timer", "timer", "2026-11-21T07:00:00Z")
    assert int(answer.headers["retry-after"]) > 0


def test_of_two_posts_at_once_one_rotates_and_one_gets_409(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    redemption = Held()
    partner.world.entra_faults.fail_next(redemption, method="POST")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, host)
        wait_until(lambda: partner.vault.log.count("read"))
        problem_of(post(host), 409)
        redemption.released.set()
        assert report_of(first.result())["counts"]["rotated"] == 1
    assert len(values_of(partner.vault, "contoso")) == 2


def test_a_body_over_64_kib_is_413(host: FunctionsHost, world: World) -> None:
    problem_of(post(host, {"tokens": ["x" * 65_536]}), 413)
    assert not world.vault.log.requests


@pytest.mark.parametrize(("name", "method"), [("rotate", "POST"), ("status", "GET")])
def test_settings_that_cannot_be_used_are_500_with_every_fault(
    host: FunctionsHost, world: World, monkeypatch: pytest.MonkeyPatch, name: str, method: str
) -> None:
    monkeypatch.setenv("MAX_CONCURRENCY", "0")
    monkeypatch.setenv("AUTHORITY_OVERRIDES", "mars=https://login.contoso.com")
    faults = problem_of(host.invoke_http(name, method), 500)["faults"]
    assert [fault.split()[0].rstrip(",") for fault in faults] == ["MAX_CONCURRENCY", "AUTHORITY_OVERRIDES"]
    assert not world.vault.log.requests


# ---- GET /api/status, and both from outside


def test_the_status_tells_every_token_and_client_credential(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso", redeemed=timedelta(days=2))
    partner.put("fabrikam", value="x", tags=partner.tags() | {"client-id": "the app"})
    report = report_of(host.invoke_http("status"))
    assert [(token["name"], token["health"], token["days_left"]) for token in report["tokens"]] == [
        ("contoso", "ok", 87),
        ("fabrikam", "invalid_record", None),
    ]
    assert [(one["name"], one["tokens"]) for one in report["client_credentials"]] == [("secret:partner-app", 1)]
    assert report["status"] == "problems"


def test_no_answer_holds_a_value(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    partner.world.entra.revoke(partner.put("fabrikam"))
    answers = [post(host, {"all": True}), host.invoke_http("status"), post(host, {"tokens": ["northwind"]})]
    values = {value for name in partner.vault.state.names() for value in values_of(partner.vault, name)}
    assert [answer.status for answer in answers] == [200, 200, 404]
    assert not [value for value in values for answer in answers if value.encode() in answer.body]


def test_from_outside_the_key_opens_the_routes_and_nothing_else_does(host: FunctionsHost, partner: Partner) -> None:
    partner.put("contoso")
    bound = listen()
    address = url_of(bound, scheme="http")
    with serving([Site(bound, host.http_app(KEY), tls=None)]), requests.Session() as session:
        session.trust_env = False
        assert session.post(f"{address}/api/rotate", timeout=60).status_code == 401
        assert session.get(f"{address}/api/status", timeout=60).status_code == 401
        assert not partner.vault.log.requests
        session.headers["x-functions-key"] = KEY
        answer = session.post(f"{address}/api/rotate", json={"tokens": ["contoso"]}, timeout=60)
        assert (answer.status_code, answer.json()["counts"]["rotated"]) == (200, 1)
        assert session.get(f"{address}/api/rotate", timeout=60).status_code == 404
