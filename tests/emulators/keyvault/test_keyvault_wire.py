"""What the vault says on the wire beyond what the SDK shows: pages, versions of the API, bodies that are not right."""

from __future__ import annotations

import pytest
import requests

from emulators.keyvault.state import VaultState
from emulators.tls import LoopbackTls
from tests.contracts.emulated_vault import OPERATOR, EmulatedVault, emulated_vault, token_of

API_VERSIONS = ["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"]


def ask(vault: EmulatedVault, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, object]]:
    url = path if path.startswith("https://") else f"{vault.url}{path}"
    headers = {"Authorization": f"Bearer {token_of(OPERATOR)}"}
    with requests.request(method, url, data=body, headers=headers, verify=vault.authority_file, timeout=60) as answer:
        return answer.status_code, answer.json()


def code_of(body: dict[str, object]) -> object:
    error = body["error"]
    assert isinstance(error, dict)
    return error["code"]


def pages(vault: EmulatedVault, first: str) -> list[list[str]]:
    found, following = [], first
    while following:
        _, body = ask(vault, "GET", following)
        items = body["value"]
        assert isinstance(items, list)
        found.append([item["id"] for item in items])
        following = str(body["nextLink"] or "")
    return found


def test_a_page_has_25_items_and_the_next_link_leads_through_all(vault: EmulatedVault) -> None:
    names = [f"token-{number:02}" for number in range(60)]
    for name in names:
        vault.state.put(name, "one")
    found = pages(vault, "/secrets?api-version=7.6")
    assert [len(page) for page in found] == [25, 25, 10]
    assert [each for page in found for each in page] == [f"{vault.url}/secrets/{name}" for name in names]


def test_a_last_page_that_is_full_has_no_next_link(vault: EmulatedVault) -> None:
    for number in range(25):
        vault.state.put(f"token-{number}", "one")
    assert [len(page) for page in pages(vault, "/secrets?api-version=7.6")] == [25]


def test_a_secret_stored_between_two_pages_moves_nobody_out_of_the_list(vault: EmulatedVault) -> None:
    for name in ("b", "d", "f"):
        vault.state.put(name, "one")
    _, first = ask(vault, "GET", "/secrets?api-version=7.6&maxresults=2")
    vault.state.put("a", "one")
    vault.state.delete("b")
    assert pages(vault, str(first["nextLink"])) == [[f"{vault.url}/secrets/f"]]


def test_versions_are_listed_by_their_ids_and_so_not_by_age(vault: EmulatedVault) -> None:
    by_age = [vault.state.put("token", "one").version for _ in range(8)]
    listed = [address.rpartition("/")[2] for address in pages(vault, "/secrets/token/versions?api-version=7.6")[0]]
    assert listed == sorted(by_age)


def test_deleted_secrets_are_listed_without_version_ids(vault: EmulatedVault) -> None:
    vault.state.put("token", "one")
    vault.state.delete("token")
    assert pages(vault, "/deletedsecrets?api-version=7.6") == [[f"{vault.url}/secrets/token"]]


@pytest.mark.parametrize("size", ["0", "26", "-1", "ten"])
def test_a_page_size_outside_of_1_to_25_is_refused(vault: EmulatedVault, size: str) -> None:
    status, body = ask(vault, "GET", f"/secrets?api-version=7.6&maxresults={size}")
    assert (status, code_of(body)) == (400, "BadParameter")


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_the_versions_of_the_api_since_7_0_are_spoken(vault: EmulatedVault, api_version: str) -> None:
    status, _ = ask(vault, "GET", f"/secrets?api-version={api_version}")
    assert status == 200


@pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=2016-10-01", "?api-version=2099-01-01"])
def test_another_version_of_the_api_is_refused(vault: EmulatedVault, query: str) -> None:
    status, body = ask(vault, "GET", f"/secrets{query}")
    assert (status, code_of(body)) == (400, "BadParameter")


@pytest.mark.parametrize(("api_version", "days"), [("7.0", None), ("7.1", 90)])
def test_recoverable_days_came_with_7_1(vault: EmulatedVault, api_version: str, days: int | None) -> None:
    _, body = ask(vault, "PUT", f"/secrets/token?api-version={api_version}", b'{"value": "one"}')
    attributes = body["attributes"]
    assert isinstance(attributes, dict)
    assert attributes.get("recoverableDays") == days
    assert attributes["recoveryLevel"] == "Recoverable+Purgeable"


def test_a_secret_of_a_certificate_says_so(vault: EmulatedVault) -> None:
    vault.state.put("own", "one")
    vault.state.put("managed", "one", managed=True)
    assert ask(vault, "GET", "/secrets/managed?api-version=7.6")[1]["managed"] is True
    assert "managed" not in ask(vault, "GET", "/secrets/own?api-version=7.6")[1]


def test_without_soft_delete_nothing_says_that_it_could_come_back(tls: LoopbackTls) -> None:
    with emulated_vault(tls, VaultState("contoso", soft_delete=False)) as vault:
        vault.state.put("token", "one")
        _, body = ask(vault, "DELETE", "/secrets/token?api-version=7.6")
    assert body["attributes"]["recoveryLevel"] == "Purgeable"  # type: ignore[index]  # JSON
    assert not {"recoveryId", "deletedDate", "scheduledPurgeDate"} & body.keys()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"value": null}',
        b'{"value": 1}',
        b'{"value": "one", "tags": []}',
        b'{"value": "one", "tags": {"a": 1}}',
        b'{"value": "one", "contentType": 1}',
        b'{"value": "one", "attributes": {"enabled": "yes"}}',
        b'{"value": "one", "attributes": {"exp": "tomorrow"}}',
        b'{"value": "one", "contentType": "' + b"x" * 256 + b'"}',
    ],
)
def test_a_body_that_is_not_right_is_refused_and_nothing_stored(vault: EmulatedVault, body: bytes) -> None:
    status, answer = ask(vault, "PUT", "/secrets/token?api-version=7.6", body)
    assert (status, code_of(answer)) == (400, "BadParameter")
    assert vault.state.names() == ()


@pytest.mark.parametrize(("method", "path"), [("GET", "/keys"), ("POST", "/secrets/token"), ("PUT", "/secrets")])
def test_what_the_vault_does_not_have_is_refused_in_its_own_form(vault: EmulatedVault, method: str, path: str) -> None:
    status, body = ask(vault, method, f"{path}?api-version=7.6")
    assert (status, code_of(body)) == (400, "BadParameter")


def test_a_name_of_127_characters_is_the_longest(vault: EmulatedVault) -> None:
    assert ask(vault, "PUT", f"/secrets/{'n' * 127}?api-version=7.6", b'{"value": "one"}')[0] == 200
    assert ask(vault, "PUT", f"/secrets/{'n' * 128}?api-version=7.6", b'{"value": "one"}')[0] == 400
