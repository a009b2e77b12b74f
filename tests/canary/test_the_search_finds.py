"""The search is not blind: a secret planted in each of the places is found, whole or in part."""

from __future__ import annotations

import base64
import logging
import os
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from rotation.events import Event
from rotation.wiring import application
from tests.canary.conftest import Bugged
from tests.canary.places import Said
from tests.canary.search import Canaries
from tests.canary.test_nothing_secret_is_said import assert_silent
from tests.effects.partners import CLIENT_SECRET, Partner


@dataclass
class Talkative:
    value: str


def say_in_a_log(token: str, said: Said) -> None:
    logging.getLogger("azure.core").debug("Body: %s", token)
    assert said.by_place["log"]


def say_in_an_attribute_of_a_record(token: str, said: Said) -> None:
    logging.getLogger("rotation").warning("rotation.fault", extra={"detail": token})
    assert said.by_place["log"]


def say_in_a_logged_traceback(token: str, said: Said) -> None:
    try:
        int(token)
    except ValueError:
        logging.getLogger("msal").exception("rotation.fault")
    assert said.by_place["traceback"]


def say_in_http(token: str, said: Said) -> None:
    said.add("http", f'{{"message": "{token}"}}')


def say_on_the_command_line(token: str, said: Said) -> None:
    said.add("cli", f"contoso  failed  {token}")


def say_in_an_exception(token: str, said: Said) -> None:
    said.add_raised(ValueError(f"the value {token} is no token"))


def say_in_a_local(token: str, said: Said) -> None:
    def fail() -> None:
        value = token
        raise LookupError(len(value))

    try:
        fail()
    except LookupError as error:
        said.add("traceback")
        said.add_raised(error)
    assert token not in said.text_of("exception")


def say_in_a_repr(token: str, said: Said) -> None:
    said.add("repr", Talkative(token))


PLACES = [
    say_in_a_log,
    say_in_an_attribute_of_a_record,
    say_in_a_logged_traceback,
    say_in_http,
    say_on_the_command_line,
    say_in_an_exception,
    say_in_a_local,
    say_in_a_repr,
]


@pytest.mark.parametrize("say", PLACES, ids=lambda say: say.__name__)
def test_a_token_that_is_said(bugged: Bugged, partner: Partner, said: Said, say: object) -> None:
    token = partner.put("contoso")
    assert callable(say)

    say(token[100:160], said)

    with pytest.raises(AssertionError, match=r"\w"):
        assert_silent(bugged, said)


def test_a_token_in_an_event_is_found_in_what_arrives(bugged: Bugged, partner: Partner, said: Said) -> None:
    token = partner.put("contoso")

    with application(os.environ) as app, app.open_sink("") as sink, sink.run("a-run"):
        sink.send([Event("rotation.token", {"message": token[100:160]})], within=10)
    said.add("telemetry", *bugged.world.monitor.state.rows("AppEvents"))

    with pytest.raises(AssertionError, match="telemetry"):
        assert_silent(bugged, said)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda token: token, id="whole"),
        pytest.param(lambda token: token[40:60], id="twenty characters of it"),
        pytest.param(lambda token: base64.b64encode(token.encode()).decode(), id="in base64"),
        pytest.param(quote, id="in a query"),
        pytest.param(lambda token: f"x{token}y", id="inside a word"),
    ],
)
def test_each_form_of_a_token(form: object) -> None:
    token = "1.AXc2NtcmFsLWNvbnRvc28/dG9rZW4tdGhhdC1pcy1sb25nLWVub3VnaA.AgAB"
    assert callable(form)

    assert Canaries([token]).shown_in(f"GET /token {form(token)} 200")


def test_a_secret_with_spaces_and_one_that_is_short() -> None:
    assert Canaries([CLIENT_SECRET]).shown_in(f"secret={CLIENT_SECRET}")
    assert Canaries(["s3cret"]).shown_in("password s3cret.")


def test_what_is_none_of_them() -> None:
    assert not Canaries(["1.AXc2NtcmFsLWNvbnRvc28"]).shown_in("1.AXc2Ntcm 11111111-2222-3333-4444-555555555555")
