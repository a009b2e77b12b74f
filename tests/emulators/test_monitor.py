"""The ingestion endpoint: what it takes, what it answers, and which rows it makes of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from emulators.bearer import BearerVerifier
from emulators.entra.state import EntraState
from emulators.faults import Answer, Faults
from emulators.monitor import AUDIENCE, MonitorState, monitor_app
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.world import TENANT_ID

TAGS = {"ai.operation.id": "0af7", "ai.operation.parentId": "b7ad", "ai.cloud.role": "token-rotation"}


class Endpoint:
    """One resource over plain http, and an issuer whose tokens it takes."""

    def __init__(self) -> None:
        self.entra = EntraState("https://login.contoso.example")
        self.state = MonitorState()
        self.faults, self.log = Faults(), RequestLog()
        self._session = requests.Session()
        self._session.trust_env = False
        self.url = ""

    def post(self, body: bytes, *, path: str = "/v2.1/track", **headers: str) -> requests.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.post(self.url + path, data=body, headers=given, timeout=60)

    def send(self, *items: object, **headers: str) -> requests.Response:
        return self.post(json.dumps(items).encode(), **headers)

    def item(self, kind: str = "EventData", **data: object) -> dict[str, Any]:
        return {
            "name": "Microsoft.ApplicationInsights.Event",
            "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "iKey": self.state.instrumentation_key,
            "tags": TAGS,
            "data": {"baseType": kind, "baseData": {"ver": 2, **(data or {"name": "contoso"})}},
        }

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    bound = listen()
    made.url = url_of(bound, scheme="http")
    verify = BearerVerifier(made.entra.public_keys, AUDIENCE).verify
    with serving([Site(bound, monitor_app(made.state, verify=verify, faults=made.faults, log=made.log), None)]):
        yield made
    made.close()


def test_an_array_is_taken_and_counted(endpoint: Endpoint) -> None:
    answer = endpoint.send(endpoint.item(), endpoint.item())
    assert (answer.status_code, answer.json()) == (200, {"itemsReceived": 2, "itemsAccepted": 2, "errors": []})
    assert len(endpoint.state.events("contoso")) == 2


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track", "//v2.1/track"])
def test_a_line_an_item_and_gzip_are_taken_too(endpoint: Endpoint, path: str) -> None:
    lines = "\n".join(json.dumps(endpoint.item()) for _ in range(3)).encode()
    answer = endpoint.post(gzip.compress(lines), path=path, content_encoding="gzip")
    assert (answer.status_code, endpoint.state.tables()) == (200, {"AppEvents": 3})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[{]", b"\xff"])
def test_what_holds_no_items_is_400(endpoint: Endpoint, body: bytes) -> None:
    assert endpoint.post(body).status_code == 400


def test_what_is_not_compressed_as_it_says_is_400(endpoint: Endpoint) -> None:
    assert endpoint.post(b"[]", content_encoding="gzip").status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"iKey": "11112222-3333-4444-5555-666677778888"},
        {"name": ""},
        {"time": "yesterday"},
        {"time": "2026-11-21T07:00:00"},
        {"time": "2020-01-01T00:00:00Z"},
        {"data": None},
        {"data": {"baseType": "EventData", "baseData": {}}},
        {"data": {"baseType": "RequestData", "baseData": {"id": "1", "duration": "soon"}}},
    ],
)
def test_an_item_that_is_wrong_is_named_and_the_others_are_taken(endpoint: Endpoint, wrong: dict[str, Any]) -> None:
    answer = endpoint.send(endpoint.item(), endpoint.item() | wrong)
    assert (answer.status_code, answer.json()["itemsAccepted"]) == (206, 1)
    (error,) = answer.json()["errors"]
    assert (error["index"], error["statusCode"]) == (1, 400)
    assert endpoint.send(endpoint.item() | wrong).status_code == 400
    assert len(endpoint.state.rows("AppEvents")) == 1


def test_an_event_becomes_a_row(endpoint: Endpoint) -> None:
    endpoint.send(endpoint.item(name="rotation.run", properties={"complete": "true"}, measurements={"seconds": 1.5}))
    (row,) = endpoint.state.rows("AppEvents")
    assert datetime.now(UTC) - row["TimeGenerated"] < timedelta(minutes=1)
    assert (row["Name"], row["Type"], row["ItemCount"]) == ("rotation.run", "AppEvents", 1)
    assert (row["Properties"], row["Measurements"]) == ({"complete": "true"}, {"seconds": 1.5})
    assert (row["OperationId"], row["ParentId"], row["AppRoleName"]) == ("0af7", "b7ad", "token-rotation")


def test_a_sampled_item_stands_for_several(endpoint: Endpoint) -> None:
    endpoint.send(endpoint.item() | {"sampleRate": 25})
    assert endpoint.state.rows("AppEvents")[0]["ItemCount"] == 4


def test_requests_and_dependencies_have_their_duration_and_how_they_ended(endpoint: Endpoint) -> None:
    asked: dict[str, object] = {"id": "1", "duration": "1.02:03:04.005", "responseCode": "200", "success": True}
    called: dict[str, object] = {"name": "redeem", "duration": "00:00:00.2", "type": "HTTP", "target": "x"}
    items = endpoint.item("RequestData", **asked), endpoint.item("RemoteDependencyData", success=False, **called)
    endpoint.send(*items)
    (request,), (dependency,) = endpoint.state.rows("AppRequests"), endpoint.state.rows("AppDependencies")
    columns = ("DurationMs", "PerformanceBucket", "Success", "ResultCode")
    assert [request[name] for name in columns] == [93_784_005.0, ">=5min", True, "200"]
    assert [dependency[name] for name in columns] == [200.0, "<250ms", False, ""]
    assert (dependency["DependencyType"], dependency["Target"]) == ("HTTP", "x")


def test_traces_and_exceptions_have_their_severity_by_name_or_number(endpoint: Endpoint) -> None:
    details = [{"typeName": "ValueError", "message": "outer"}, {"typeName": "KeyError", "message": "inner"}]
    endpoint.send(
        endpoint.item("MessageData", message="hello", severityLevel="Warning"),
        endpoint.item("ExceptionData", exceptions=details, severityLevel=3),
    )
    (trace,), (exception,) = endpoint.state.rows("AppTraces"), endpoint.state.rows("AppExceptions")
    assert (trace["Message"], trace["SeverityLevel"], exception["SeverityLevel"]) == ("hello", 2, 3)
    assert [exception[name] for name in ("ExceptionType", "OuterMessage", "InnermostType", "InnermostMessage")] == [
        "ValueError", "outer", "KeyError", "inner",
    ]  # fmt: skip


def test_what_has_no_table_here_is_counted_by_its_own_name(endpoint: Endpoint) -> None:
    endpoint.send(endpoint.item("MetricData", metrics=[]))
    assert endpoint.state.tables() == {"MetricData": 1}


def test_time_passes_for_rows_and_for_the_dates_in_them(endpoint: Endpoint) -> None:
    dates = {"started_at": "2026-11-21T07:00:00.001200Z", "first_seen": "2026-11-20", "tokens": "20261120", "name": "x"}
    endpoint.send(endpoint.item(name="contoso", properties=dates))
    endpoint.state.age(timedelta(days=2))
    (row,) = endpoint.state.rows("AppEvents")
    assert timedelta(days=2) <= datetime.now(UTC) - row["TimeGenerated"] < timedelta(days=2, minutes=1)
    assert row["Properties"] == dates | {"started_at": "2026-11-19T07:00:00.001200Z", "first_seen": "2026-11-18"}


def test_without_local_authentication_it_takes_a_publisher_and_nobody_else(endpoint: Endpoint) -> None:
    endpoint.state.local_authentication = False
    job = endpoint.entra.add_managed_identity(TENANT_ID, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
    bearer = f"Bearer {endpoint.entra.managed_identity_token(job, f'{AUDIENCE}/')}"
    other = f"Bearer {endpoint.entra.managed_identity_token(job, 'https://vault.azure.net')}"
    assert endpoint.send(endpoint.item()).status_code == 401
    assert endpoint.send(endpoint.item(), authorization=other).status_code == 401
    assert endpoint.send(endpoint.item(), authorization=bearer).status_code == 403
    endpoint.state.grant(job.object_id)
    assert endpoint.send(endpoint.item(), authorization=bearer).status_code == 200


def test_it_breaks_on_demand_and_counts_what_was_asked(endpoint: Endpoint) -> None:
    endpoint.faults.fail_next(Answer(439))
    assert [endpoint.send(endpoint.item()).status_code for _ in range(2)] == [439, 200]
    assert endpoint.log.counts() == {"track": 2}
    endpoint.state.clear()
    assert endpoint.state.tables() == {}
