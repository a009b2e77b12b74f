"""Every exit code of the command line, and that what is said with it is words and never a traceback."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from emulators.faults import Reset
from emulators.keyvault.access import DataAction
from emulators.world import World
from rotation.cli.app import ending_well
from rotation.cli.exit_code import ExitCode
from rotation.lease import ProcessLease
from rotation.ports import LeaseHolder
from tests.doors.command import report_of, rotation
from tests.effects.partners import FRESH, Partner

COMMANDS = ("rotate", "status")


@pytest.mark.parametrize("command", COMMANDS)
def test_all_well_is_0(partner: Partner, command: str) -> None:
    partner.put("contoso", redeemed=FRESH)
    result = rotation(command)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 token: 1 " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_problem_is_1(partner: Partner, command: str) -> None:
    partner.put("contoso", tags=partner.tags() | {"tenant-id": "common"})
    result = rotation(command)
    assert (result.exit_code, result.stderr) == (1, "")
    assert "ERROR     invalid_record  contoso\n" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("partner")
def test_settings_are_2_with_every_fault_at_once_and_nothing_contacted(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("ROTATION_SCHEDULE", "every six hours")
    monkeypatch.setenv("MAX_CONCURRENCY", "many")
    monkeypatch.setenv("WARN_BEFORE_DAYS", "89")
    result = rotation(command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        "The",
        "ROTATION_SCHEDULE",
        "ROTATE_AFTER_DAYS",
        "MAX_CONCURRENCY",
    ]
    assert not world.vault.log.requests
    assert not world.entra_log.requests


@pytest.mark.parametrize(
    "args",
    [(), ("rotat",), ("rotate", "--forced"), ("status", "contoso"), ("rotate", "")],
    ids=["no command", "unknown command", "unknown option", "unknown argument", "empty name"],
)
def test_a_wrong_use_is_2(world: World, args: tuple[str, ...]) -> None:
    result = rotation(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr
    assert not world.vault.log.requests


def test_an_unknown_name_is_2(partner: Partner) -> None:
    partner.put("contoso")
    result = rotation("rotate", "contoso", "fabrikam")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no managed token of this name: fabrikam;")
    assert partner.world.entra_log.count("redeem") == 0


def test_an_ambiguous_name_is_2_with_the_candidates(both_vaults: World) -> None:
    for vault in both_vaults.vaults:
        Partner.new(both_vaults, vault=vault).put("contoso", redeemed=FRESH)
    result = rotation("rotate", "Contoso")
    candidates = [f"{vault.url}/secrets/contoso" for vault in both_vaults.vaults]
    assert result.exit_code == ExitCode.USAGE
    assert result.stderr.splitlines()[1:] == candidates
    assert rotation("rotate", candidates[1]).exit_code == ExitCode.WELL


@pytest.mark.parametrize("command", COMMANDS)
def test_a_vault_that_does_not_let_the_job_in_is_3(partner: Partner, command: str) -> None:
    partner.vault.access.deny(partner.world.job.object_id, [DataAction.READ_METADATA])
    result = rotation(command)
    assert result.exit_code == ExitCode.VAULT_UNREACHABLE
    assert "ERROR     vault_denied" in result.stdout
    assert "No token was looked at" in result.stdout


def test_a_vault_that_cannot_be_reached_is_3_and_outweighs_the_problems_of_the_other(both_vaults: World) -> None:
    partner = Partner.new(both_vaults)
    partner.put("contoso", value="cut short")
    both_vaults.vaults[1].faults.fail_next(Reset(), times=None)
    result = rotation("rotate", "--json")
    assert result.exit_code == ExitCode.VAULT_UNREACHABLE
    assert [problem["reason"] for problem in report_of(result)["problems"]] == ["token_malformed", "vault_unavailable"]


def test_another_run_in_every_vault_is_4(partner: Partner) -> None:
    partner.put("contoso")
    since = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    with ProcessLease().hold(partner.vault.url, LeaseHolder("the-timer", "timer", since)):
        result = rotation("rotate")
        assert rotation("rotate", "--dry-run").exit_code == ExitCode.WELL
    assert (result.exit_code, result.stdout) == (ExitCode.BUSY, "")
    assert "another run (the-timer, by timer, since 2026-11-21T07:00:00Z) is under way" in result.stderr
    assert not result.stderr.rstrip().count("\n")


def test_another_run_in_one_vault_is_1_and_the_others_are_rotated(both_vaults: World) -> None:
    Partner.new(both_vaults, vault=both_vaults.vaults[1]).put("contoso")
    with ProcessLease().hold(both_vaults.vault.url, LeaseHolder("the-timer", "timer", datetime.now(UTC))):
        result = rotation("rotate")
    assert result.exit_code == ExitCode.PROBLEMS
    assert f"NOTE      lease_held  {both_vaults.vault.url}\n" in result.stdout
    assert "1 token: 1 rotated; no problems" in result.stdout


def test_a_fault_of_the_program_is_70_and_names_its_type_alone() -> None:
    def faulty() -> ExitCode:
        raise LookupError("0.AXoA-a-refresh-token")

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(ending_well(faulty))
    result = CliRunner().invoke(app, catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (ExitCode.FAULT, "")
    assert result.stderr == "A fault of this program (LookupError): please report it\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_says_every_exit_code(command: str) -> None:
    result = rotation(command, "--help")
    assert result.exit_code == ExitCode.WELL
    said = [line.split()[0] for line in result.stdout.partition("Exit codes:")[2].splitlines() if line.strip()]
    assert said == [str(int(code)) for code in ExitCode]
