"""Reasons, runbook and README say the same: every reason has its place in each, with its action word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from rotation.cli.app import app
from rotation.reason import Reason, Severity

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook.md"
TOLD = [reason for reason in Reason if reason.severity is not Severity.NONE]
UNTOLD = [reason for reason in Reason if reason.severity is Severity.NONE]
PARTS = ("**Means.**", "**How sure.**", "**Do.**", "**Over when.**")


def runbook() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


def chapters() -> dict[str, str]:
    return sections(runbook(), "## ")


def sections(text: str, mark: str) -> dict[str, str]:
    """What stands under each heading of one level."""
    found = re.split(rf"^{re.escape(mark)}(?!#)(.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def rows(text: str) -> dict[str, str]:
    """The rows of every table that begin with a code."""
    return {found[1]: found[0] for found in re.finditer(r"^\| `([a-z_]+)` \|.*$", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("severity", [severity for severity in Severity if severity is not Severity.NONE])
def test_every_severity_has_a_chapter_with_its_reasons_in_alphabetical_order(severity: Severity) -> None:
    headings = list(sections(chapters()[severity.capitalize()], "### "))
    assert headings == sorted(reason.value for reason in TOLD if reason.severity is severity)


@pytest.mark.parametrize("reason", TOLD)
def test_a_section_has_the_action_of_the_mail_and_all_four_parts(reason: Reason) -> None:
    section = sections(chapters()[reason.severity.capitalize()], "### ")[reason]
    assert section.strip().splitlines()[0] == f"> {reason.action}"
    assert [part for part in PARTS if section.count(part) == 1] == list(PARTS)
    assert sorted(PARTS, key=section.index) == list(PARTS)


def test_every_reason_without_severity_is_explained_with_its_action() -> None:
    explained = rows(chapters()["Why a token was rotated, skipped or deferred"])
    assert list(explained) == [reason.value for reason in UNTOLD]
    assert [reason for reason in UNTOLD if reason.action not in explained[reason]] == []


def test_the_contents_name_every_reason_under_its_severity() -> None:
    table = [row.split("|")[1:-1] for row in chapters()["Contents"].splitlines() if row.startswith("| [")]
    for column, severity in enumerate((Severity.CRITICAL, Severity.ERROR, Severity.WARNING)):
        cells = [row[column].strip() for row in table if row[column].strip()]
        reasons = sorted(reason.value for reason in TOLD if reason.severity is severity)
        assert cells == [f"[{reason}](#{reason})" for reason in reasons]


def test_every_link_inside_the_runbook_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", runbook(), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", runbook())) <= anchors


def test_every_command_of_ours_exists_with_the_options_it_is_given() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    used = re.findall(r"python -m rotation (\w+)([^`\n]*)", runbook())
    assert len(used) > len(TOLD) / 2
    for name, arguments in used:
        known = {option for parameter in group.commands[name].params for option in parameter.opts}
        assert {word for word in arguments.split() if word.startswith("--")} <= known


def test_every_shell_block_closes_its_quotes_and_ends_its_continued_lines() -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", runbook(), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    for block in blocks:
        assert block.count('"') % 2 == 0
        assert block.count("'") % 2 == 0
        assert not re.search(r"\\ +$", block, flags=re.MULTILINE)


def test_the_examples_are_contosos_and_nobody_elses() -> None:
    assert set(re.findall(r"[\w.-]+@([\w-]+\.(?!txt\b)[a-z]+)", runbook())) == {"contoso.example"}
    vaults = set(re.findall(r"([\w-]+)\.vault\.azure\.net|--vault-name (\S+)", runbook()))
    assert {name for pair in vaults for name in pair if name} == {"contoso-vault"}


@pytest.mark.parametrize("reason", Reason)
def test_the_readme_has_a_row_for_every_reason_with_its_severity_and_unit(reason: Reason) -> None:
    row = rows((ROOT / "README.md").read_text(encoding="utf-8"))[reason]
    told = reason.severity is not Severity.NONE
    expected = [f"`{reason}`", reason.severity.value, reason.unit.value] if told else [f"`{reason}`", "", ""]
    assert [cell.strip() for cell in row.split("|")[1:4]] == expected
