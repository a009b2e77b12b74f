"""Requests are counted by kind, and the log holds nothing that must not be seen."""

from __future__ import annotations

import pytest
import requests

from emulators.faults import Answer, Hang, Held, Reset
from emulators.keyvault.operations import kind_of
from emulators.requests_log import Request
from tests.contracts.emulated_vault import EmulatedVault
from tests.waiting import LONG, wait_until


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/secrets", "list"),
        ("GET", "/secrets/token", "read"),
        ("GET", "/secrets/token/", "read"),
        ("GET", "/secrets/token/0123456789abcdef0123456789abcdef", "read"),
        ("GET", "/secrets/token/versions", "versions"),
        ("PUT", "/secrets/token", "store"),
        ("PATCH", "/secrets/token/0123456789abcdef0123456789abcdef", "update"),
        ("DELETE", "/secrets/token", "delete"),
        ("POST", "/secrets/restore", "restore"),
        ("POST", "/deletedsecrets/token/recover", "recover"),
        ("DELETE", "/deletedsecrets/token", "purge"),
        ("POST", "/keys/token", "unknown"),
    ],
)
def test_the_kind_is_the_operation(method: str, path: str, kind: str) -> None:
    assert kind_of(method, path) == kind


def test_each_request_is_counted_once_and_the_challenge_apart(vault: EmulatedVault) -> None:
    with vault.client() as client:
        version = client.set_secret("token", "one").properties.version
        vault.log.clear()  # the SDK meets the challenge, or remembers it of another vault that had this port before
        client.set_secret("another", "one")
        client.get_secret("token")
        client.get_secret("token")
        client.update_secret_properties("token", version, enabled=False)
        list(client.list_properties_of_secret_versions("token"))
    requests.get(f"{vault.url}/secrets", verify=vault.authority_file, timeout=LONG)
    assert vault.log.counts() == {"store": 1, "read": 2, "update": 1, "versions": 1, "challenge": 1}
    assert vault.log.count("delete") == 0


def test_clearing_starts_the_count_from_nothing(vault: EmulatedVault) -> None:
    with vault.client() as client:
        client.set_secret("token", "one")
        vault.log.clear()
        client.get_secret("token")
    assert [(each.method, each.path, each.status) for each in vault.log.requests] == [("GET", "/secrets/token/", 200)]


def test_a_request_is_counted_while_it_is_still_unanswered(vault: EmulatedVault) -> None:
    vault.faults.fail_next(Hang())
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{vault.url}/secrets", verify=vault.authority_file, timeout=(LONG, 0.1))
    wait_until(lambda: vault.log.requests)
    assert [(each.kind, each.status) for each in vault.log.requests] == [("list", 0)]


def test_a_request_is_under_way_until_nothing_more_comes_of_it_whoever_waits(vault: EmulatedVault) -> None:
    held = Held()
    vault.faults.fail_next(held)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{vault.url}/secrets", verify=vault.authority_file, timeout=(LONG, 0.1))
    wait_until(lambda: vault.log.requests)
    vault.log.clear()
    assert vault.log.under_way == 1
    held.released.set()
    wait_until(lambda: vault.log.under_way == 0)


def test_an_answer_to_a_request_from_before_a_clear_is_not_counted(vault: EmulatedVault) -> None:
    number = vault.log.arrived(Request("GET", "/secrets", "", 0, "list"))
    vault.log.clear()
    vault.log.answered(number, 200, None)
    assert vault.log.requests == ()


def test_a_request_that_met_a_fault_is_counted_too(vault: EmulatedVault) -> None:
    vault.faults.fail_next(Answer(503))
    vault.faults.fail_next(Reset())
    with vault.client() as client:
        for _ in range(2):
            with pytest.raises(Exception, match=r".") as failed:
                client.get_secret("token")
            assert failed.type.__module__.startswith("azure.core")
    assert [each.status for each in vault.log.requests] == [503, 0]


def test_no_value_and_no_token_is_in_the_log(vault: EmulatedVault) -> None:
    with vault.client() as client:
        client.set_secret("token", "very-secret", tags={"label": "very-secret"})
    assert vault.log.count("store") == 1
    assert "very-secret" not in repr(vault.log.requests)
    assert "eyJ" not in repr(vault.log.requests)
