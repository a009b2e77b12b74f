"""Every door tells its run, through the real runtime and the real exporter: the rows that Azure Monitor makes of it."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

from emulators.faults import Delay
from emulators.functions_host import FunctionsHost
from emulators.world import TENANT_ID, World
from rotation.lease import ProcessLease
from rotation.ports import LeaseHolder
from rotation.timer import Summary
from tests.doors.command import rotation
from tests.effects.partners import CREDENTIAL, Partner
from tests.telemetry.told import CHECKOUT, TIMER, names_in_order, only
from tests.waiting import LONG

WHOLE_RUN = ["rotation.started", "rotation.token", "rotation.problem", "rotation.run"]


@pytest.fixture
def revoked(partner: Partner) -> Partner:
    """A vault with one token, which was revoked."""
    partner.world.entra.revoke(partner.put("contoso"))
    return partner


# ---- all of it, once, in order


@pytest.mark.usefixtures("revoked")
def test_the_timer_tells_its_run_in_order_and_once(host: FunctionsHost, world: World) -> None:
    host.fire_timer(TIMER)
    assert names_in_order(world) == WHOLE_RUN
    assert {row["Properties"]["trigger"] for row in world.monitor.state.rows("AppEvents")} == {"timer"}
    assert len({row["Properties"]["run_id"] for row in world.monitor.state.rows("AppEvents")}) == 1


@pytest.mark.usefixtures("revoked")
def test_http_tells_its_run(host: FunctionsHost, world: World) -> None:
    host.invoke_http("rotate", "POST")
    assert names_in_order(world) == WHOLE_RUN
    assert world.monitor.state.events("rotation.run")[0]["Properties"]["trigger"] == "http"


@pytest.mark.usefixtures("revoked")
def test_the_command_line_tells_its_run(world: World) -> None:
    assert rotation("rotate").exit_code == 1
    assert names_in_order(world) == WHOLE_RUN
    assert world.monitor.state.events("rotation.run")[0]["Properties"]["trigger"] == "cli"


@pytest.mark.usefixtures("revoked")
def test_a_process_that_ends_at_once_has_told_everything(world: World) -> None:
    world.monitor.faults.fail_next(Delay(0.3), times=None)
    command = [sys.executable, "-m", "rotation", "rotate", "--json"]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=LONG, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert names_in_order(world) == WHOLE_RUN


@pytest.mark.usefixtures("revoked")
def test_the_status_tells_nothing(host: FunctionsHost, world: World) -> None:
    host.invoke_http("status")
    assert not world.monitor.log.requests


def test_a_run_of_named_tokens_says_what_it_proved(host: FunctionsHost, world: World, partner: Partner) -> None:
    partner.put("contoso")
    host.invoke_http("rotate", "POST", body=b'{"tokens": ["contoso"]}')
    told = [row["Properties"] for row in world.monitor.state.events("rotation.problem")]
    assert [(each["state"], each["unit"], each["subject"]) for each in told] == [
        ("closed", "token", "contoso"),
        ("closed", "credential", f"secret:{CREDENTIAL}"),
        ("closed", "client", partner.client_id),
        ("closed", "client and tenant", f"{partner.client_id} in {TENANT_ID}"),
        ("closed", "issuer", "global"),
        ("closed", "vault", world.vault.url),
    ]


@pytest.mark.usefixtures("revoked")
def test_a_dry_run_is_told_and_its_findings_are_not(host: FunctionsHost, world: World) -> None:
    host.invoke_http("rotate", "POST", body=b'{"dry_run": true}')
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


# ---- a run that is not carried out


def test_a_run_that_finds_every_vault_leased_has_its_end_told(host: FunctionsHost, world: World) -> None:
    with ProcessLease().hold(world.vault.url, LeaseHolder("by-hand", "cli", datetime.now(UTC))):
        host.fire_timer(TIMER)
    assert names_in_order(world) == ["rotation.started", "rotation.run"]
    assert only(world.monitor.state.events("rotation.run"))["Properties"]["complete"] == "false"


def test_a_run_of_unknown_tokens_has_its_end_told(host: FunctionsHost, world: World) -> None:
    assert host.invoke_http("rotate", "POST", body=b'{"tokens": ["northwind"]}').status == 404
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


# ---- spans


def test_the_run_is_a_step_of_its_invocation_and_each_redemption_a_step_of_the_run(
    host: FunctionsHost, world: World, revoked: Partner
) -> None:
    revoked.put("fabrikam")
    host.fire_timer(TIMER)
    state = world.monitor.state
    run, *redemptions = sorted(state.rows("AppDependencies"), key=lambda row: row["Name"] != "rotation.run")
    assert (run["Name"], run["DependencyType"], run["Success"], len(run["ParentId"])) == (
        "rotation.run", "InProc", True, 16,
    )  # fmt: skip
    assert {(row["Name"], row["ParentId"]) for row in redemptions} == {("rotation.redeem", run["Id"])}
    assert {row["ParentId"] for row in state.rows("AppEvents")} == {run["Id"]}
    assert {row["OperationId"] for row in (*redemptions, *state.rows("AppEvents"))} == {run["OperationId"]}


def test_a_redemption_names_its_secret_and_why_it_failed_and_nothing_else(
    host: FunctionsHost, world: World, revoked: Partner
) -> None:
    host.fire_timer(TIMER)
    row = only([row for row in world.monitor.state.rows("AppDependencies") if row["Name"] == "rotation.redeem"])
    assert (row["Success"], row["Target"]) == (False, world.entra_url)
    assert row["Properties"] == {
        "run_id": world.monitor.state.rows("AppEvents")[0]["Properties"]["run_id"],
        "secret_id": f"{world.vault.url}/secrets/contoso",
        "client_id": revoked.client_id,
        "tenant_id": TENANT_ID,
        "reason": "token_revoked",
    }


@pytest.mark.usefixtures("partner")
def test_without_an_invocation_the_run_is_a_request_of_its_own(world: World) -> None:
    rotation("rotate")
    run = only(world.monitor.state.rows("AppRequests"))
    assert (run["Name"], run["Success"], run["ParentId"]) == ("rotation.run", True, "")


# ---- nothing else


@pytest.fixture
def everything_is_logged() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(level)


@pytest.mark.usefixtures("revoked", "everything_is_logged")
def test_no_library_logs_into_it_at_any_level(host: FunctionsHost, world: World) -> None:
    host.fire_timer(TIMER)
    assert world.monitor.state.tables() == {"AppEvents": 4, "AppDependencies": 2}
    logging.getLogger("azure").debug("after the run")
    logging.getLogger("rotation.timer").warning("after the run")
    assert world.monitor.state.tables() == {"AppEvents": 4, "AppDependencies": 2}


@pytest.mark.usefixtures("revoked")
def test_each_request_is_made_once_and_none_tells_of_another(host: FunctionsHost, world: World) -> None:
    host.fire_timer(TIMER)
    assert world.monitor.log.counts() == {"track": 5}  # the beginning, the tokens, the problems, the end; and the spans


@pytest.mark.usefixtures("revoked")
def test_it_leaves_the_process_as_it_was() -> None:
    threads, handlers = set(threading.enumerate()), list(logging.getLogger().handlers)
    rotation("rotate")
    begun = set(threading.enumerate()) - threads
    for thread in begun:
        thread.join(LONG)
    theirs = [thread for thread in threading.enumerate() if re.search("Otel|Config|Storage", thread.name)]
    assert [thread.name for thread in (*begun, *theirs) if thread.is_alive()] == []
    assert isinstance(get_tracer_provider(), ProxyTracerProvider)
    assert [each for each in logging.getLogger().handlers if each not in handlers and "Null" not in repr(each)] == []


@pytest.mark.usefixtures("revoked")
def test_the_timers_log_stays_readable_and_carries_no_report_beside_its_text(
    host: FunctionsHost, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="rotation"):
        host.fire_timer(TIMER)
    problem, run = [record for record in caplog.records if record.name == "rotation.timer"]
    assert json.loads(problem.getMessage().removeprefix("rotation.problem "))["reason"] == "token_revoked"
    assert json.loads(run.getMessage().removeprefix("rotation.run "))["counts"] == {"failed": 1}
    assert set(vars(run)) == set(vars(problem))  # no `extra`: exporters send those
    assert isinstance(run.args, tuple)
    assert isinstance(run.args[0], Summary)


def test_without_a_connection_string_the_log_is_all_and_says_so_once() -> None:
    script = (
        "import logging, os; logging.basicConfig(level='INFO', format='%(message)s')\n"
        "from rotation.wiring import application\n"
        "for _ in range(2):\n"
        "    with application({'KEY_VAULT_URLS': 'https://contoso.vault.azure.net'}) as app, app.open_sink(''): pass\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert ended.stderr.count("rotation.telemetry_off") == 1


def test_loading_the_functions_does_not_load_the_exporter() -> None:
    """A third of a second of every cold start."""
    script = "import function_app, sys; sys.exit('azure.monitor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=False).returncode == 0
