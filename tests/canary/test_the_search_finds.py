"""The search is not blind: a secret planted in each of the places is found, whole or in part."""

from __future__ import annotations

import base64
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from emulators.functions_host import FunctionsHost
from rotation.wiring import application
from tests.canary.conftest import CHECKOUT, Bugged
from tests.canary.places import Said
from tests.canary.search import Canaries
from tests.canary.test_nothing_secret_is_printed import ours
from tests.canary.test_nothing_secret_is_said import assert_silent, shown, through_every_door
from tests.effects.partners import CLIENT_SECRET, Partner


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


PLACES = [
    say_in_a_log,
    say_in_an_attribute_of_a_record,
    say_in_a_logged_traceback,
    say_in_an_exception,
    say_in_a_local,
]


@pytest.mark.parametrize("say", PLACES, ids=lambda say: say.__name__)
def test_a_token_that_is_said(bugged: Bugged, partner: Partner, said: Said, say: object) -> None:
    token = partner.put("contoso")
    assert callable(say)

    say(token[100:160], said)

    with pytest.raises(AssertionError, match=r"\w"):
        assert_silent(bugged, said)


def test_a_token_that_every_door_shows(bugged: Bugged, host: FunctionsHost, partner: Partner, said: Said) -> None:
    """A label is shown wherever its token is told: somebody pasted another's token into one."""
    partner.put("fabrikam", tags=partner.tags(label=partner.put("contoso")[100:160]))
    partner.world.entra.revoke(partner.vault.state.current("fabrikam").value)

    through_every_door(bugged, host, said)

    assert set(shown(bugged, said)) == {"http", "cli", "log", "traces", "telemetry"}


@pytest.mark.parametrize(
    ("right", "wrong", "places"),
    [
        (
            "    timer.rotate(",
            "    raise LookupError(os.environ['PLANTED'])\n    timer.rotate(",
            {"exception", "traceback"},
        ),
        ("response.text(),", "response.text() + os.environ['PLANTED'],", {"http"}),
        ("headers=dict(response.headers)", "headers={'x-debug': os.environ['PLANTED']}", {"http"}),
        ("    timer.rotate(", "    print_it(os.environ['PLANTED'])\n    timer.rotate(", {"log", "traces"}),
    ],
    ids=["an exception of the timer", "a body", "a header", "a line of the log"],
)
def test_a_bug_of_a_door(
    bugged: Bugged,
    partner: Partner,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    right: str,
    wrong: str,
    places: set[str],
) -> None:
    """In a copy of `function_app.py`."""
    monkeypatch.setenv("PLANTED", partner.put("contoso")[100:160])
    source = (CHECKOUT / "function_app.py").read_text(encoding="utf-8")
    assert right in source
    source = source.replace(right, wrong) + "\nfrom logging import getLogger\nprint_it = getLogger('contoso').warning\n"
    (tmp_path / "function_app.py").write_text(source, encoding="utf-8")

    with FunctionsHost.start(tmp_path) as copy:
        through_every_door(bugged, copy, said)

    assert set(shown(bugged, said)) == places


def test_a_token_in_a_value_of_ours(bugged: Bugged, partner: Partner, said: Said) -> None:
    """Nothing hides a content type: somebody pasted another's token into one."""
    pasted = partner.put("contoso")[100:160]
    partner.vault.state.put("fabrikam", partner.consent(), tags=partner.tags(), content_type=pasted)
    with application(os.environ) as app:
        read = app.ports.vaults[0].read("fabrikam")
        said.add("repr", *ours())

    assert read.content_type == pasted
    assert set(shown(bugged, said)) == {"repr"}


@pytest.mark.parametrize("table", ["EventData", "MessageData", "RequestData", "RemoteDependencyData", "ExceptionData"])
def test_a_token_in_any_table_of_azure_monitor(bugged: Bugged, partner: Partner, said: Said, table: str) -> None:
    state = bugged.world.monitor.state
    data = {
        "name": "x", "message": "x", "id": "x", "duration": "00:00:01", "exceptions": [{}],
        "properties": {"detail": partner.put("contoso")[100:160]},
    }  # fmt: skip
    item = {
        "name": "x", "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "iKey": state.instrumentation_key,
        "data": {"baseType": table, "baseData": data},
    }  # fmt: skip
    assert state.take([item]) == []

    said.add("telemetry", *bugged.told())

    assert set(shown(bugged, said)) == {"telemetry"}


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
