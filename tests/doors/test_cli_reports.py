"""What the command line prints and does: one JSON object, a dry run that writes nothing, never a value."""

from __future__ import annotations

import pytest

from emulators.world import World
from tests.doors.command import report_of, rotation
from tests.effects.partners import CLIENT_SECRET, FRESH, Partner, tags_of, values_of

HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold]Fabrikam[/bold] [link=https://example.com]x[/]\u202e"


def test_json_is_one_object_that_says_what_the_run_report_says(partner: Partner) -> None:
    partner.put("contoso", tags=partner.tags(label="Contoso Ltd"))
    partner.put("fabrikam", redeemed=FRESH)
    result = rotation("rotate", "--json")
    report = report_of(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (report["trigger"], report["full"], report["dry_run"], report["status"]) == ("cli", True, False, "ok")
    assert report["counts"] == {"rotated": 1, "skipped": 1, "deferred": 0, "failed": 0, "stranded": 0}
    assert [(token["name"], token["label"], token["outcome"]) for token in report["tokens"]] == [
        ("contoso", "Contoso Ltd", "rotated")
    ]


def test_json_of_the_status_is_one_object(partner: Partner) -> None:
    partner.put("contoso", redeemed=FRESH)
    report = report_of(rotation("status", "--json"))
    assert [(token["name"], token["health"]) for token in report["tokens"]] == [("contoso", "ok")]
    assert [credential["name"] for credential in report["client_credentials"]] == ["secret:partner-app"]


@pytest.mark.parametrize("args", [("rotate", "fabrikam", "--json"), ("rotate", "--nonsense", "--json")])
def test_with_json_an_error_is_text_on_stderr_and_stdout_is_empty(partner: Partner, args: tuple[str, ...]) -> None:
    partner.put("contoso")
    result = rotation(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_only_the_named_token_is_rotated_whatever_the_case_of_its_name(partner: Partner) -> None:
    partner.put_some(2)
    assert rotation("rotate", "TOKEN-001").exit_code == 0
    assert [len(values_of(partner.vault, name)) for name in ("token-000", "token-001")] == [1, 2]


def test_force_redeems_what_is_not_due_and_without_it_nothing_is_redeemed(partner: Partner) -> None:
    partner.put("contoso", redeemed=FRESH)
    assert "1 token: 1 skipped" in rotation("rotate", "contoso").stdout
    assert "1 token: 1 rotated" in rotation("rotate", "contoso", "--force").stdout
    assert len(values_of(partner.vault, "contoso")) == 2


def test_all_lists_what_is_plainly_fresh_too(partner: Partner) -> None:
    partner.put("contoso", redeemed=FRESH)
    assert "contoso" not in rotation("rotate").stdout
    assert "contoso  skipped  not_due  88 d\n" in rotation("rotate", "--all").stdout


def test_a_dry_run_lists_and_does_nothing_else(world: World, partner: Partner) -> None:
    partner.put("contoso")
    before = tags_of(world.vault, "contoso")
    result = rotation("rotate", "--dry-run", "--force")
    assert result.exit_code == 0
    assert "contoso  to rotate  forced  81 d" in result.stdout
    assert result.stdout.rstrip().endswith("nothing was written")
    assert set(world.vault.log.counts()) <= {"challenge", "list"}
    assert world.entra_log.count("redeem") == 0
    assert tags_of(world.vault, "contoso") == before


def test_a_hostile_label_is_shown_as_text(partner: Partner) -> None:
    partner.put("contoso", tags=partner.tags(label=HOSTILE))
    for args in (("rotate", "--dry-run"), ("rotate",), ("status",)):
        result = rotation(*args)
        assert "contoso (]0;owned[2J[bold]Fabrikam[/bold]" in result.stdout
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output


@pytest.mark.parametrize("mode", [(), ("--json",)], ids=["table", "json"])
def test_no_value_is_printed(world: World, partner: Partner, mode: tuple[str, ...]) -> None:
    partner.put("contoso")
    world.entra.revoke(partner.put("fabrikam"))
    partner.put("northwind", value="not\na token")
    shown = "".join(
        rotation(*args, *mode).output
        for args in (("status",), ("rotate", "--dry-run"), ("rotate",), ("rotate", "--all"), ("status",))
    )
    assert "northwind" in shown
    secrets = {value for name in world.vault.state.names() for value in values_of(world.vault, name)}
    assert secrets > {CLIENT_SECRET}
    assert not [secret for secret in {*secrets, world.identities.header} if secret in shown]
