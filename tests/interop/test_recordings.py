"""The emulator answers as the real Key Vault did when Microsoft recorded it (October 2019, version 7.0 of the API).

Every recorded request is replayed in order. A difference is an error unless it is listed here with its reason, and so
is a listed difference that does not occur.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.keyvault.operations import kind_of
from emulators.tls import LoopbackTls
from tests.contracts.emulated_vault import emulated_vault
from tests.interop import recordings
from tests.interop.comparison import Difference
from tests.interop.replay import Replay, recorded_vault

RECORDINGS = 26
EXCHANGES = {
    "challenge": 26,
    "store": 100,
    "read": 83,
    "update": 4,
    "list": 4,
    "versions": 6,
    "delete": 52,
    "list_deleted": 9,
    "read_deleted": 217,
    "recover": 16,
    "purge": 14,
    "backup": 4,
    "restore": 4,
}

# Where the emulator answers otherwise than the service did, and why it may.
LISTED: Mapping[Difference, str] = {}


def replayed(
    recording: Path, tls: LoopbackTls, layer: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> list[Difference]:
    exchanges = recordings.exchanges(recording)
    with emulated_vault(tls, recorded_vault(exchanges), layer=layer) as vault, requests.Session() as session:
        differences = Replay(vault, session).run(exchanges)
        assert len(vault.log.requests) == len(exchanges)
        return differences


def disagreements(found: Mapping[str, list[Difference]], listed: Mapping[Difference, str]) -> dict[Difference, str]:
    """Unlisted differences with the recording that shows them, and listed ones that do not occur."""
    occurred = {each: recording for recording, differences in found.items() for each in differences}
    unused = {each: "does not occur" for each in listed if each not in occurred}
    return {each: recording for each, recording in occurred.items() if each not in listed} | unused


def named(part: str) -> Path:
    return next(path for path in recordings.paths() if part in path.name)


@pytest.fixture(scope="module")
def found(tls: LoopbackTls) -> dict[str, list[Difference]]:
    return {path.name: replayed(path, tls) for path in recordings.paths()}


def test_every_recorded_request_is_for_an_operation_of_the_emulator() -> None:
    exchanges = [each for path in recordings.paths() for each in recordings.exchanges(path)]
    kinds = ["challenge" if each.reply.status == 401 else kind_of(each.ask.method, each.ask.path) for each in exchanges]
    assert Counter(kinds) == EXCHANGES
    assert len(recordings.paths()) == RECORDINGS


def test_the_emulator_answers_as_the_service_did(found: dict[str, list[Difference]]) -> None:
    assert len(found) == RECORDINGS
    assert disagreements(found, LISTED) == {}


def test_a_listed_difference_is_accepted_and_an_unlisted_or_unused_one_is_not() -> None:
    one, other = Difference("read", "status", 200, 404), Difference("read", "body.id", "a", "b")
    assert disagreements({"recording": [one]}, {one: "for a reason"}) == {}
    assert disagreements({"recording": [one]}, {}) == {one: "recording"}
    assert disagreements({"recording": [one]}, {one: "for a reason", other: "for another"}) == {other: "does not occur"}


type Damage = Callable[[int, dict[str, str], Any], tuple[int, dict[str, str], Any]]


class DamageLayer:
    """ASGI middleware that makes an emulator wrong on purpose."""

    def __init__(self, app: ASGIApp, damage: Damage) -> None:
        self._app = app
        self._damage = damage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self._app(scope, receive, keep)
        start, raw = said[0], b"".join(message.get("body", b"") for message in said[1:])
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        status, headers, body = self._damage(start["status"], headers, json.loads(raw or b"null"))
        sent = b"" if body is None else json.dumps(body).encode()
        headers["content-length"] = str(len(sent))
        await send({**start, "status": status, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]})
        await send({"type": "http.response.body", "body": sent})


def without_recovery_level(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    if isinstance(body, dict) and "attributes" in body:
        del body["attributes"]["recoveryLevel"]
    return status, headers, body


def with_a_wrong_error_code(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    if status == 404:
        body["error"]["code"] = "NotFound"
    return status, headers, body


def with_an_inner_error(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    if status == 404:
        body["error"]["innererror"] = {"code": "Planted"}
    return status, headers, body


def with_a_wrong_status(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    return 200 if status == 204 else status, headers, body


def with_text_for_a_date(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    if isinstance(body, dict) and "attributes" in body:
        body["attributes"]["created"] = str(body["attributes"]["created"])
    return status, headers, body


def with_version_ids_in_the_list(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    for item in body["value"] if isinstance(body, dict) and isinstance(body.get("value"), list) else []:
        item["id"] += "/" + "0" * 32
    return status, headers, body


def without_a_next_link(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    if isinstance(body, dict) and "nextLink" in body:
        body["nextLink"] = None
    return status, headers, body


def with_another_resource(status: int, headers: dict[str, str], body: Any) -> tuple[int, dict[str, str], Any]:
    headers = {name: value.replace("vault.azure.net", "vault.contoso.example") for name, value in headers.items()}
    return status, headers, body


@pytest.mark.parametrize(
    ("damage", "recording", "operation", "where"),
    [
        (without_recovery_level, "client.test_secret_crud", "store", "body.attributes.recoveryLevel"),
        (with_a_wrong_error_code, "client.test_purge", "read_deleted", "body.error.code"),
        (with_an_inner_error, "client.test_purge", "read_deleted", "body.error.innererror"),
        (with_a_wrong_status, "client.test_purge", "purge", "status"),
        (with_text_for_a_date, "client.test_secret_crud", "update", "body.attributes.created"),
        (with_version_ids_in_the_list, "client.test_secret_list", "list", "body.value[0].id"),
        (without_a_next_link, "client.test_list_versions", "versions", "body.nextLink"),
        (with_another_resource, "client.test_secret_list", "store", "www-authenticate"),
    ],
)
def test_a_planted_difference_is_caught(
    tls: LoopbackTls, damage: Damage, recording: str, operation: str, where: str
) -> None:
    caught = replayed(named(recording), tls, lambda app: DamageLayer(app, damage))
    assert (operation, where) in {(each.operation, each.where) for each in caught}
