"""What a request's body may hold: anything, and it is understood or refused in words."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotation.plan import RunRequest
from rotation.report import Trigger
from rotation.web import BadRequestError, parse_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(["tokens", "force", "dry_run", "all", "Tokens"])
BODIES = (
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(FIELDS, JSON | st.lists(st.text())).map(lambda value: json.dumps(value).encode())
)


@given(BODIES)
@example(b"[" * 100_000)
@example(b"9" * 5_000)
@example(b'{"force": NaN}')
@example(b'{"tokens": ["\\ud800"]}')
def test_any_bytes_are_a_request_or_a_refusal_and_nothing_else(body: bytes) -> None:
    request: RunRequest | None = None
    with suppress(BadRequestError):
        request = parse_request(body)
    if request is not None:
        assert request.trigger is Trigger.HTTP
        assert {type(token) for token in request.tokens} <= {str}
        assert all(token.strip() for token in request.tokens)
        assert {type(flag) for flag in (request.force, request.dry_run, request.list_all)} == {bool}


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}"])
def test_an_empty_request_asks_for_a_full_run(body: bytes) -> None:
    assert parse_request(body) == RunRequest(trigger=Trigger.HTTP)


def test_every_field_is_read() -> None:
    body = b'{"tokens": ["contoso", "https://contoso.vault.azure.net/secrets/fabrikam"], "force": true, "all": true}'
    assert parse_request(body) == RunRequest(
        trigger=Trigger.HTTP,
        tokens=("contoso", "https://contoso.vault.azure.net/secrets/fabrikam"),
        force=True,
        list_all=True,
    )
    assert parse_request(b'{"dry_run": true}').dry_run


@given(st.dictionaries(FIELDS, st.booleans(), min_size=1))
def test_the_order_of_fields_is_irrelevant(fields: dict[str, bool]) -> None:
    def read(items: list[tuple[str, bool]]) -> RunRequest | str:
        try:
            return parse_request(json.dumps(dict(items)).encode())
        except BadRequestError as refusal:
            return str(refusal)

    assert read(list(fields.items())) == read(list(reversed(fields.items())))
