"""The service limits: 300 creates and 4,000 other transactions in ten seconds."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from azure.core.exceptions import HttpResponseError

from emulators.keyvault.errors import ThrottledError
from emulators.keyvault.throttle import CREATES, OTHERS, Throttle
from tests.contracts.emulated_vault import OPERATOR, EmulatedVault, token_of


def fill(throttle: Throttle, count: int, *, create: bool) -> None:
    for _ in range(count):
        throttle.take(create=create)


@pytest.mark.parametrize(("create", "limit"), [(True, 300), (False, 4000)])
def test_one_more_than_the_limit_is_refused(create: bool, limit: int) -> None:  # noqa: FBT001  # a case, not a flag
    throttle = Throttle()
    fill(throttle, limit, create=create)
    with pytest.raises(ThrottledError):
        throttle.take(create=create)


def test_creates_and_other_transactions_are_counted_apart() -> None:
    throttle = Throttle()
    fill(throttle, CREATES, create=True)
    fill(throttle, OTHERS, create=False)


def test_the_window_slides() -> None:
    throttle = Throttle(creates=2)
    throttle.take(create=True)
    throttle.age(timedelta(seconds=6))
    throttle.take(create=True)
    throttle.age(timedelta(seconds=6))  # the first is 12 seconds old, the second 6
    throttle.take(create=True)
    with pytest.raises(ThrottledError):
        throttle.take(create=True)


def test_a_refused_request_does_not_count() -> None:
    throttle = Throttle(creates=1)
    throttle.take(create=True)
    throttle.age(timedelta(seconds=9))
    with pytest.raises(ThrottledError):
        throttle.take(create=True)
    throttle.age(timedelta(seconds=2))
    throttle.take(create=True)


def test_switched_off_it_refuses_and_counts_nothing() -> None:
    throttle = Throttle(creates=0, enabled=False)
    throttle.take(create=True)
    throttle.enabled = True
    with pytest.raises(ThrottledError):
        throttle.take(create=True)


def test_retry_after_covers_what_is_left_of_the_window() -> None:
    throttle = Throttle(creates=1, retry_after=True)
    throttle.take(create=True)
    throttle.age(timedelta(seconds=4))
    with pytest.raises(ThrottledError) as refused:
        throttle.take(create=True)
    assert refused.value.retry_after == 6


def test_the_301st_store_in_ten_seconds_answers_429_and_stores_nothing(vault: EmulatedVault) -> None:
    fill(vault.throttle, CREATES, create=True)
    with vault.client() as client, pytest.raises(HttpResponseError, match="Throttled") as refused:
        client.set_secret("contoso", "one")
    assert refused.value.status_code == 429
    assert vault.state.names() == ()


def test_reads_go_on_while_creates_are_throttled(vault: EmulatedVault) -> None:
    vault.state.put("contoso", "one")
    fill(vault.throttle, CREATES, create=True)
    with vault.client() as client:
        assert client.get_secret("contoso").value == "one"


@pytest.mark.parametrize("retry_after", [False, True])
def test_the_429_names_a_wait_only_where_that_is_switched_on(
    vault: EmulatedVault,
    retry_after: bool,  # noqa: FBT001  # a case, not a flag
) -> None:
    vault.throttle.retry_after = retry_after
    fill(vault.throttle, OTHERS, create=False)
    url, headers = f"{vault.url}/secrets?api-version=7.6", {"Authorization": f"Bearer {token_of(OPERATOR)}"}
    with requests.get(url, headers=headers, verify=vault.authority_file, timeout=60) as answer:
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, retry_after)
