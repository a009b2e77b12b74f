"""The demonstration: what it tells and how it ends, that its search finds a value, and that it can be served."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.__main__ import main
from demo.disclosure import look_for, recording, values_of
from demo.stage import Stage
from demo.story import play
from demo.telling import stdout
from emulators.serve import listen
from emulators.world import World
from rotation.wiring import application
from tests.waiting import LONG

ROOT = Path(__file__).resolve().parent.parent
VALUE = "contoso-value-of-40-characters-0123456789"


def demonstrate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)


# ---- the story


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    done = demonstrate("--json")
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def test_with_json_it_prints_both_run_reports_and_nothing_else(told: dict[str, Any]) -> None:
    first, last = told["runs"]
    assert first["counts"] == {"rotated": 2, "skipped": 1, "deferred": 0, "failed": 6, "stranded": 0}
    assert {(problem["reason"], problem["tokens"]) for problem in first["problems"]} == {
        ("client_credential_expired", 3),
        ("token_expired", 1),
        ("token_revoked", 1),
        ("invalid_record", 1),
    }
    assert (first["trigger"], last["counts"]["rotated"], last["problems"]) == ("timer", 9, [])
    assert (told["status_before"]["status"], told["status_after"]["status"]) == ("problems", "ok")
    assert told["values_checked"] > 20


def test_with_json_the_mails_stand_under_their_own_name_alone(told: dict[str, Any]) -> None:
    mails = told["mails"]
    assert sorted((mail["rule"], mail["dimensions"]["reason"], mail["value"]) for mail in mails) == [
        ("problems_critical", "client_credential_expired", 3),
        ("problems_critical", "token_expired", 1),
        ("problems_critical", "token_revoked", 1),
        ("problems_error", "invalid_record", 1),
    ]
    assert all(
        mail["subject"].startswith("Fired ") and mail["dimensions"]["reason"] in mail["subject"] for mail in mails
    )
    assert "What happened: " not in json.dumps({name: value for name, value in told.items() if name != "mails"})


def test_in_a_pipe_it_tells_its_seven_parts_in_plain_lines_without_a_value() -> None:
    done = demonstrate()
    assert (done.returncode, done.stderr) == (0, "")
    parts = re.findall(r"^([1-7])  (.+?) ─+$", done.stdout, re.MULTILINE)
    assert [number for number, _ in parts] == list("1234567")
    assert parts[-2:] == [("6", "The mails"), ("7", "No value was shown")]
    assert done.stdout.count("│ Subject  Fired ") == 4
    assert all(done.stdout.count(word) == 1 for word in ("What happened: ", "To whom: ", "What to do: "))
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert re.search(r"[A-Za-z0-9_-]{37,}", done.stdout) is None  # longer than a GUID: a token or a secret


def test_it_ends_with_1_when_a_value_was_logged(
    capsys: pytest.CaptureFixture[str], value_in_log: logging.Handler
) -> None:
    logging.getLogger("rotation.timer").addHandler(value_in_log)
    try:
        assert main([]) == 1
    finally:
        logging.getLogger("rotation.timer").removeHandler(value_in_log)
    shown = capsys.readouterr()
    assert re.search(r"^demo: a value was shown: contoso-due/\w+$", shown.err, re.MULTILINE)
    assert "Values were shown" in shown.out
    assert "went as told" not in shown.out


@pytest.fixture
def value_in_log() -> logging.Handler:
    """A log handler such as a careless library has: at the end of a run it repeats the start of a value, at DEBUG."""

    class Careless(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg.startswith("rotation.run"):
                with application(os.environ) as app:
                    value = app.ports.vaults[0].read("contoso-due").value.reveal()
                logging.getLogger("contoso").debug("stored %s...", value[:20])

    return Careless()


def test_it_says_what_did_not_go_as_told() -> None:
    with Stage.open() as stage:
        stage.world.entra.revoke(stage.world.vault.state.current("contoso-due").value)
        story = play(stage, stdout(quiet=True))
    assert list(story.faults()) == [
        "the first run counts 7 failed, 1 rotated, 1 skipped instead of 6 failed, 2 rotated, 1 skipped",
        "the first run does not find token_revoked of contoso-revoked (1)",
        "the first run finds token_revoked of * (2)",
        "problems_critical does not mail contoso-revoked",
        "problems_critical mails *",
    ]


def test_the_environment_is_the_worlds_alone_and_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=contoso")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "contoso")
    monkeypatch.delenv("KEY_VAULT_URLS", raising=False)
    before = dict(os.environ)
    with Stage.open() as stage:
        assert "AZURE_CLIENT_SECRET" not in os.environ
        assert stage.world.monitor.url in os.environ["APPLICATIONINSIGHTS_CONNECTION_STRING"]
        assert os.environ["KEY_VAULT_URLS"] == stage.world.vault.url
    assert dict(os.environ) == before


# ---- the search for values


@pytest.mark.parametrize(
    "text",
    [VALUE, f"token={VALUE[5:17]}...", f"\x1b[1m{VALUE[:6]}\x1b[0m{VALUE[6:12]}"],
    ids=["whole", "cut", "styled"],
)
def test_a_value_is_found_by_twelve_characters_in_a_row(text: str) -> None:
    assert look_for({"contoso": VALUE}, f"before {text} after").shown == ("contoso",)


def test_less_than_twelve_characters_are_not_a_value() -> None:
    finding = look_for({"contoso": VALUE}, VALUE[:11])
    assert (finding.values, finding.characters, finding.shown) == (1, 11, ())


def test_every_kind_of_value_of_a_world_is_known() -> None:
    with World.open() as world:
        world.entra.register_app(world.job.tenant_id, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
        world.vault.state.put("superseded", VALUE)
        world.vault.state.put("superseded", world.consent())
        world.vault.state.disable("superseded", world.vault.state.versions("superseded")[0].version)
        access_token = world.identities.token("https://vault.azure.net", world.job.client_id).access_token
        values = values_of(world)
        current = world.vault.state.current("superseded").value
    for value in (VALUE, current, access_token, world.identities.header):
        assert look_for(values, value).shown, value[:4]


def test_what_is_printed_and_logged_anywhere_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    with recording() as recorded:
        sys.stdout.write("printed\n")
        sys.stderr.write("complained\n")
        logging.getLogger("contoso.library").debug("at %s", "debug", extra={"more": "extra"})
        try:
            json.loads("in a traceback")
        except ValueError:
            logging.getLogger("contoso.other").exception("failed")
    for words in ("printed", "complained", "at debug", "extra", "JSONDecodeError"):
        assert words in recorded()
    assert capsys.readouterr() == ("printed\n", "complained\n")


# ---- serving


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    lines: list[str]

    def said(self, pattern: str) -> str:
        found = re.search(pattern, "\n".join(self.lines), re.MULTILINE)
        assert found, self.lines
        return found[1]

    def send(self, method: str, path: str, key: str | None = None) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.said(r"--cacert (\S+)")
            headers = {"x-functions-key": key} if key else {}
            return session.request(method, self.said(r"^Functions +(\S+)$") + path, headers=headers, timeout=LONG)


@contextmanager
def serve(*arguments: str) -> Iterator[Served]:
    """Serve in a process of its own; `lines` are what it says until it is up."""
    command = [sys.executable, "-m", "demo", "serve", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Served(process, list(lines_until(process, "rotation status")))
        finally:
            process.terminate()
            process.wait(timeout=LONG)


def lines_until(process: subprocess.Popen[str], last: str) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip()
        if last in line:
            return


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as world:
        yield world


def test_a_served_route_is_closed_without_its_key(served: Served) -> None:
    assert served.send("POST", "/api/rotate").status_code == 401
    assert served.send("GET", "/api/status", key="guess").status_code == 401


def test_the_served_routes_answer_to_the_key_that_was_printed(served: Served) -> None:
    key = served.said(r"^Function key +(\S+)$")
    status = served.send("GET", "/api/status", key)
    assert (status.status_code, len(status.json()["tokens"])) == (200, 9)
    run = served.send("POST", "/api/rotate", key)
    assert (run.status_code, run.json()["trigger"], run.json()["counts"]["rotated"]) == (200, "http", 2)


def test_the_commands_that_are_printed_are_whole(served: Served) -> None:
    curls = [shlex.split(line) for line in served.lines if line.startswith("  curl")]
    assert [curl[-1].rpartition("/api/")[2] for curl in curls] == ["status", "rotate"]
    assert all(curl[3:5] == ["-H", f"x-functions-key: {served.said(r'^Function key +(.+)$')}"] for curl in curls)


def test_the_product_runs_in_the_environment_that_is_printed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = [shlex.split(line)[1] for line in served.lines if line.startswith("  export ")]
    for name, _, value in (export.partition("=") for export in exports):
        monkeypatch.setenv(name, value)
    with application(os.environ) as app:
        assert len(app.status(now=datetime.now(UTC)).tokens) == 9


def test_it_fires_the_timer_as_often_as_asked_and_ends_cleanly_when_interrupted() -> None:
    with serve("--every", "0.05") as world:
        fired = list(lines_until(world.process, "the timer fired"))[-1]
        world.process.send_signal(signal.SIGINT)
        said, complained = world.process.communicate(timeout=LONG)
    assert fired == "the timer fired: 2 rotated, 1 skipped, 6 failed; 4 problems"
    assert said.endswith("The world has ended.\n")
    assert (world.process.returncode, complained) == (0, "")


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with listen() as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"demo: port {port} cannot be had: ")


@pytest.mark.parametrize("arguments", [["serve", "--every", "0"], ["serve", "--port", "contoso"], ["contoso"]], ids=str)
def test_a_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m demo" in capsys.readouterr().err
