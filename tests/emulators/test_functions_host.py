"""The miniature Functions host, over the real runtime and small applications written for each test."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from emulators.functions_host import FunctionsHost, IndexingFailed, InvocationFailed, SettingMissing, Trace
from emulators.serve import Site, listen, serving, url_of
from tests.emulators.functions_app import APP, write_app

KEY = "contoso-function-key"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FunctionsHost]:
    with FunctionsHost.start(write_app(tmp_path)) as started:
        yield started


@dataclass(frozen=True)
class Client:
    address: str

    def send(self, method: str, path: str, **options: object) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.address + path, timeout=60, **options)  # type: ignore[arg-type]


@pytest.fixture
def client(host: FunctionsHost) -> Iterator[Client]:
    bound = listen()
    with serving([Site(bound, host.http_app(KEY), tls=None)]):
        yield Client(url_of(bound, scheme="http"))


def test_a_timer_is_described_by_its_bindings(host: FunctionsHost) -> None:
    tick = host.function("tick")
    assert (tick.type, tick.arg_name, tick.schedule) == ("timerTrigger", "timer", "%TICK%")
    assert (tick.run_on_startup, tick.use_monitor) == (False, True)
    assert (tick.route, tick.auth_level) == (None, None)


def test_an_http_function_is_described_by_its_bindings(host: FunctionsHost) -> None:
    echo = host.function("echo")
    assert (echo.type, echo.route, echo.auth_level) == ("httpTrigger", "echo", "function")
    assert echo.methods == frozenset({"POST"})
    assert [binding["type"] for binding in echo.bindings] == ["httpTrigger", "http"]
    assert host.function("history").auth_level == "anonymous"
    assert host.function("meet").methods == frozenset()


def test_every_function_is_exposed(host: FunctionsHost) -> None:
    names = {function.name for function in host.functions}
    assert names == {"tick", "broken", "echo", "history", "item", "failing", "meet", "slow", "thread", "say", "root"}


def test_a_setting_in_the_schedule_is_resolved_from_the_environment_given(host: FunctionsHost) -> None:
    assert host.function("tick").resolved_schedule({"TICK": "0 17 */6 * * *"}) == "0 17 */6 * * *"
    assert host.function("broken").resolved_schedule({}) == "0 0 3 * * *"


def test_a_setting_that_is_missing_is_named(host: FunctionsHost) -> None:
    with pytest.raises(SettingMissing, match="%TICK% in the schedule of tick"):
        host.function("tick").resolved_schedule({})


def test_an_http_function_has_no_schedule(host: FunctionsHost) -> None:
    with pytest.raises(ValueError, match="echo is no timer"):
        host.function("echo").resolved_schedule({})


def test_a_timer_learns_whether_it_is_past_due(host: FunctionsHost) -> None:
    host.fire_timer("tick")
    host.fire_timer("tick", past_due=True)
    assert host.invoke_http("history").body == b"[false, true]"


def test_a_failing_timer_raises_with_type_and_text(host: FunctionsHost) -> None:
    with pytest.raises(InvocationFailed, match="broken failed") as failure:
        host.fire_timer("broken")
    assert (failure.value.exception_type, failure.value.text) == ("LookupError", "contoso: no such vault")


def test_a_trigger_of_the_wrong_type_is_refused(host: FunctionsHost) -> None:
    with pytest.raises(ValueError, match="echo has a httpTrigger"):
        host.fire_timer("echo")
    with pytest.raises(ValueError, match="tick has a timerTrigger"):
        host.invoke_http("tick")


def test_a_request_reaches_the_function_whole(host: FunctionsHost) -> None:
    answer = host.invoke_http("echo", "POST", headers={"x-tenant": "contoso"}, body=b"caf\xc3\xa9", query={"all": "1"})
    assert (answer.status, answer.headers["retry-after"]) == (202, "7")
    assert answer.body == b'{"body": "caf\\u00e9", "query": {"all": "1"}, "tenant": "contoso"}'


def test_invocations_run_beside_each_other(host: FunctionsHost) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(host.invoke_http, ["meet", "meet"]))
    assert [answer.body for answer in answers] == [b"met", b"met"]


def test_a_plain_function_runs_in_the_thread_pool_of_the_runtime(host: FunctionsHost) -> None:
    assert host.invoke_http("thread").body.startswith(b"ThreadPoolExecutor")


def test_a_failing_http_function_is_a_500_that_says_nothing(client: Client) -> None:
    answer = client.send("GET", "/api/raise", headers={"x-functions-key": KEY})
    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize(
    "key", [{}, {"x-functions-key": ""}, {"x-functions-key": "guess"}], ids=["none", "empty", "wrong"]
)
def test_a_function_is_closed_without_its_key(client: Client, key: dict[str, str]) -> None:
    answer = client.send("POST", "/api/echo", headers=key, data=b"{}")
    assert (answer.status_code, answer.content) == (401, b"")


def test_the_key_may_stand_in_the_header_or_in_the_query(client: Client) -> None:
    assert client.send("POST", "/api/echo", headers={"x-functions-key": KEY}).status_code == 202
    assert client.send("POST", "/api/echo", params={"code": KEY}).status_code == 202


@pytest.mark.parametrize("key", ["guess", ""], ids=["wrong", "empty"])
def test_a_wrong_key_in_the_header_is_not_mended_by_the_query(client: Client, key: str) -> None:
    answer = client.send("POST", "/api/echo", headers={"x-functions-key": key}, params={"code": KEY})
    assert answer.status_code == 401


def test_an_anonymous_function_asks_for_no_key_and_an_admin_function_refuses_the_function_key(client: Client) -> None:
    assert client.send("GET", "/api/fired").text == "[]"
    assert client.send("GET", "/api/root", headers={"x-functions-key": KEY}).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/echo"), ("POST", "/api/absent"), ("POST", "/echo")])
def test_a_route_or_method_that_is_not_there_is_a_404_with_or_without_key(
    client: Client, method: str, path: str
) -> None:
    assert client.send(method, path).status_code == 404
    assert client.send(method, path, headers={"x-functions-key": KEY}).status_code == 404


def test_what_is_served_passes_body_headers_and_repeated_parameters_on(client: Client) -> None:
    answer = client.send(
        "POST", "/api/Echo?all=1&all=2", headers={"x-functions-key": KEY, "X-Tenant": "contoso"}, data=b"[1]"
    )
    assert answer.json() == {"body": "[1]", "query": {"all": "1,2"}, "tenant": "contoso"}
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")


def test_a_parameter_of_the_route_reaches_the_function(client: Client) -> None:
    assert client.send("GET", "/api/items/contoso", headers={"x-functions-key": KEY}).text == "contoso"


def test_the_host_keeps_what_is_logged_by_whatever_belongs_to_an_invocation(host: FunctionsHost) -> None:
    host.invoke_http("say", query={"level": "20"})
    logging.getLogger("contoso").error("said by nobody's invocation")
    assert host.log.traces() == (
        Trace("Function.say.User", logging.INFO, "said"),
        Trace("Function.say.User", logging.INFO, "said in a thread that has the context"),
    )
    host.log.clear()
    assert host.log.traces() == ()


@pytest.mark.parametrize(("lowest", "level", "kept"), [("Warning", 20, 0), ("Warning", 30, 2), ("Debug", 10, 0)])
def test_a_line_is_dropped_beneath_the_level_of_the_host_or_of_the_worker(
    tmp_path: Path, lowest: str, level: int, kept: int
) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"logging": {"logLevel": {"default": lowest}}}), encoding="utf-8")
    with FunctionsHost.start(write_app(tmp_path)) as host:
        host.invoke_http("say", query={"level": str(level)})
        assert len(host.log.traces()) == kept


def test_the_host_drops_every_line_of_a_worker_that_exports_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_ENABLE_OPENTELEMETRY", "true")
    with FunctionsHost.start(write_app(tmp_path)) as host:
        host.invoke_http("say", query={"level": "40"})
        assert host.log.traces() == ()


def test_a_second_application_in_the_process_is_its_own(tmp_path: Path, host: FunctionsHost) -> None:
    other = tmp_path / "other"
    other.mkdir()
    host.fire_timer("tick")
    with FunctionsHost.start(write_app(other, APP.replace("def tick", "def tock"))) as second:
        second.fire_timer("tock", past_due=True)
        assert second.invoke_http("history").body == b"[true]"
        assert "tick" not in {function.name for function in second.functions}
    assert host.invoke_http("history").body == b"[false]"


def test_a_stopped_host_leaves_nothing_behind(tmp_path: Path) -> None:
    root = logging.getLogger()
    path, threads, log = list(sys.path), set(threading.enumerate()), (root.level, list(root.handlers))
    FunctionsHost.start(write_app(tmp_path)).stop()
    assert (sys.path, set(threading.enumerate()) - threads) == (path, set())
    assert (root.level, root.handlers) == log
    assert "function_app" not in sys.modules


def test_stopping_waits_for_what_still_runs(tmp_path: Path) -> None:
    host = FunctionsHost.start(write_app(tmp_path))
    answers: list[bytes] = []
    caller = threading.Thread(target=lambda: answers.append(host.invoke_http("slow").body), daemon=True)
    caller.start()
    assert sys.modules["function_app"].slow_is_running.wait(timeout=60)
    host.stop()
    caller.join(timeout=60)
    assert answers == [b"slow"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import contoso_is_not_installed", "contoso_is_not_installed"),
        ("x = 1", "Could not find top level function app"),
        ("import azure.functions as func\napp = func.FunctionApp()", "no function_app.py with a function"),
    ],
    ids=["import", "no application", "no function"],
)
def test_an_application_that_cannot_be_indexed_says_why(tmp_path: Path, source: str, words: str) -> None:
    threads = threading.active_count()
    with pytest.raises(IndexingFailed, match=words):
        FunctionsHost.start(write_app(tmp_path, source))
    assert threading.active_count() == threads


def test_a_folder_without_an_application_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexingFailed, match=r"no function_app\.py"):
        FunctionsHost.start(tmp_path)


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", "/admin/functions/tick", KEY, 202),
        ("POST", "/admin/functions/tick", "another-key", 401),
        ("GET", "/admin/functions/tick", KEY, 404),
        ("POST", "/admin/functions/echo", KEY, 404),
    ],
)
def test_the_master_key_starts_timers_and_no_other_does(
    host: FunctionsHost, method: str, path: str, key: str, status: int
) -> None:
    bound = listen()
    with serving([Site(bound, host.admin_app(KEY), tls=None)]):
        client = Client(url_of(bound, scheme="http"))
        assert client.send(method, path, headers={"x-functions-key": key}, json={"input": ""}).status_code == status
