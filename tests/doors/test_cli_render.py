"""The tables: in order at 80 columns, the worst first, and harmless whatever the names, labels and messages hold."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rotation.cli.layout import plain
from rotation.cli.render import render_run, render_status
from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.inventory import ClientCredential
from rotation.outcome import Kind, Outcome, VaultFault
from rotation.problem import problems_of
from rotation.reason import Reason
from rotation.remembered import LastFailure
from rotation.report import RunReport, Trigger
from rotation.status_report import StatusReport, TokenStatus

VAULT, OTHER = "https://contoso.vault.azure.net", "https://fabrikam.vault.azure.net"
NOW = datetime(2027, 3, 1, 3, 0, tzinfo=UTC)
LONG_NAME = "22222222-3333-4444-5555-666666666666"
LONG_LABEL = "Adventure Works Cycles (the Redmond office's account in Partner Center)"


def run_report(*outcomes: Outcome, faults: tuple[VaultFault, ...] = (), dry_run: bool = False) -> RunReport:
    return RunReport(
        run_id=LONG_NAME,
        trigger=Trigger.CLI,
        started_at=NOW,
        seconds=83.2,
        dry_run=dry_run,
        full=True,
        complete=True,
        vaults=tuple(dict.fromkeys([*(outcome.vault for outcome in outcomes), *(fault.vault for fault in faults)])),
        vault_faults=faults,
        counts={kind: sum(outcome.kind is kind for outcome in outcomes) for kind in Kind},
        tokens=outcomes,
        problems=problems_of(outcomes, faults),
    )


def failed(
    name: str, reason: Reason, *, label: str = "", message: str = "", vault: str = VAULT, days: int | None = None
) -> Outcome:
    streak = None if days is None else LastFailure(reason, days, NOW.date() - timedelta(days), NOW.date(), "v1")
    subject = "secret:partner-app" if reason is Reason.CLIENT_CREDENTIAL_EXPIRED else ""
    return Outcome(
        vault=vault,
        name=name,
        kind=Kind.FAILED,
        reason=reason,
        label=label,
        message=message,
        subject=subject,
        days_left=41,
        streak=streak,
    )


def status_report(*tokens: TokenStatus, credentials: tuple[ClientCredential, ...] = ()) -> StatusReport:
    return StatusReport(
        taken_at=NOW,
        vaults=(VAULT,),
        vault_faults=(),
        tokens=tokens,
        credentials=credentials,
        warn_before_days=30,
    )


def shown(report: RunReport | StatusReport, *, width: int = 80) -> str:
    """As a terminal without colours shows it."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width)
    if isinstance(report, RunReport):
        render_run(report, console)
    else:
        render_status(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_worst_problem_comes_first_with_its_severity_as_a_word() -> None:
    report = run_report(
        failed("contoso", Reason.INVALID_RECORD, message="client-id is missing"),
        failed("fabrikam", Reason.TOKEN_REVOKED, label="Fabrikam, Inc."),
    )
    text = shown(report)
    assert text.startswith("CRITICAL  token_revoked  fabrikam (Fabrikam, Inc.)\n  action  Consent again")
    assert "\nERROR     invalid_record  contoso\n  cause   client-id is missing\n  action  Correct" in text


def test_one_expired_client_secret_is_one_problem_with_its_tokens() -> None:
    names = [f"token-{number}" for number in range(7)]
    report = run_report(*(failed(name, Reason.CLIENT_CREDENTIAL_EXPIRED, label="Contoso") for name in names))
    head = shown(report).split("action")[0].splitlines()
    assert head[0] == "CRITICAL  client_credential_expired  secret:partner-app"
    assert head[1] == "  tokens  token-0 (Contoso)"
    assert head[-2] == "          and 2 more"


def test_many_equal_problems_are_told_as_their_number() -> None:
    report = run_report(*(failed(f"token-{number}", Reason.TOKEN_REVOKED) for number in range(12)))
    assert shown(report).startswith("CRITICAL  token_revoked  12 tokens\n  tokens  token-0\n")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_longer_than_the_terminal_and_every_name_stays_whole(width: int) -> None:
    message = "the vault did not answer (ServiceRequestError), and neither did it answer when it was asked again"
    report = run_report(
        failed(LONG_NAME, Reason.VAULT_UNAVAILABLE, label=LONG_LABEL, message=message),
        failed("contoso", Reason.CLIENT_CREDENTIAL_EXPIRED, label=LONG_LABEL, message=message),
    )
    lines = shown(report, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line.startswith(LONG_NAME)]


def test_a_message_is_told_once_in_its_problem_or_in_its_row() -> None:
    passing = failed("contoso", Reason.ISSUER_UNAVAILABLE, message="the issuer answered 503", days=1)
    lasting = failed("fabrikam", Reason.TOKEN_MALFORMED, message="the value holds a line break")
    text = shown(run_report(passing, lasting), width=120)
    assert "issuer_unavailable: the issuer answered 503" in text
    assert text.count("the value holds a line break") == 1


def test_every_token_of_a_folded_problem_tells_its_own_message_in_its_row() -> None:
    records = [
        failed(f"token-{number}", Reason.INVALID_RECORD, message=f"{tag} is missing")
        for number, tag in enumerate(["client-id", *["tenant-id"] * 10])
    ]
    text = shown(run_report(*records), width=120)
    assert text.startswith("ERROR     invalid_record  11 tokens\n")
    assert text.count("client-id is missing") == 1
    assert text.count("invalid_record: tenant-id is missing") == 10


def test_the_vaults_are_named_as_soon_as_there_are_several() -> None:
    one = run_report(failed("contoso", Reason.TOKEN_REVOKED))
    two = run_report(failed("contoso", Reason.TOKEN_REVOKED), failed("contoso", Reason.TOKEN_REVOKED, vault=OTHER))
    assert VAULT not in shown(one)
    assert f"  vault   {OTHER}\n" in shown(two)
    assert f"\n{OTHER}\nTOKEN " in shown(two)


def test_a_vault_that_could_not_be_listed_is_never_told_as_an_empty_one() -> None:
    fault = VaultFault(VAULT, Reason.VAULT_DENIED, "the vault answered 403 (ForbiddenByFirewall)")
    text = shown(run_report(faults=(fault,)))
    assert text.startswith(f"ERROR     vault_denied  {VAULT}\n  cause   the vault answered 403")
    assert "No token was looked at; 1 problem" in text


def test_the_run_ends_with_counts_and_its_time() -> None:
    rotated = Outcome(vault=VAULT, name="contoso", kind=Kind.ROTATED, reason=Reason.DUE, days_left=90)
    assert shown(run_report(rotated)).splitlines()[-2:] == [
        "1 token: 1 rotated; no problems",
        f"Run {LONG_NAME}: 1 min 23 s",
    ]
    dry = shown(run_report(rotated, dry_run=True)).splitlines()
    assert dry[-2] == "1 token: 1 to rotate; no problems"


def test_the_status_tells_the_worst_problem_and_the_token_that_dies_first_at_the_top() -> None:
    healths = [Reason.EXPIRING, Reason.INVALID_RECORD, Reason.TOKEN_REVOKED, Reason.EXPIRES_WITHIN_WEEK]
    tokens = [
        TokenStatus(vault=VAULT, name=f"token-{days}", label="", health=health, days_left=days)
        for days, health in enumerate(healths)
    ]
    head, _, rows = shown(status_report(*tokens)).partition("TOKEN ")
    words = [line.split()[0] for line in head.splitlines() if line and not line.startswith(" ")]
    assert words == ["CRITICAL", "CRITICAL", "ERROR", "WARNING"]
    assert [line[:7] for line in rows.splitlines()[1:5]] == ["token-2", "token-3", "token-1", "token-0"]


def test_the_status_says_when_each_token_is_rotated_next() -> None:
    tokens = [
        TokenStatus(vault=VAULT, name="fresh", label="", health=None, days_left=88, next_rotation=NOW + timedelta(5)),
        TokenStatus(
            vault=VAULT, name="soon", label="", health=None, days_left=84, next_rotation=NOW + timedelta(hours=7)
        ),
        TokenStatus(vault=VAULT, name="due", label="", health=None, days_left=83, next_rotation=NOW),
        TokenStatus(vault=VAULT, name="never", label="", health=None),
        TokenStatus(vault=VAULT, name="off", label="", health=Reason.DISABLED, days_left=9),
    ]
    rows = [line.split() for line in shown(status_report(*tokens)).splitlines()[1:6]]
    assert rows == [
        ["off", "disabled", "9", "d", "-"],
        ["due", "ok", "83", "d", "now"],
        ["soon", "ok", "84", "d", "in", "7", "h"],
        ["fresh", "ok", "88", "d", "in", "5", "d"],
        ["never", "ok", "?", "now"],
    ]


def test_the_status_says_since_when_a_token_fails() -> None:
    failure = LastFailure(Reason.TOKEN_REVOKED, 3, NOW.date() - timedelta(3), NOW.date(), "v1")
    report = status_report(
        TokenStatus(vault=VAULT, name="contoso", label="", health=Reason.TOKEN_REVOKED, last_failure=failure),
        TokenStatus(vault=VAULT, name="fabrikam", label="", health=Reason.EXPIRES_WITHIN_WEEK, last_failure=failure),
    )
    text = shown(report)
    assert "  cause   failing since 2027-02-26\n" in text
    assert "  cause   failing with token_revoked since 2027-02-26\n" in text


def test_a_client_credential_without_a_date_is_unknown_and_one_that_ends_soon_is_a_problem() -> None:
    ends = ClientCredential(
        vault=VAULT,
        ref=CredentialRef(CredentialKind.SECRET, "ends"),
        found=True,
        enabled=True,
        expires_on=NOW + timedelta(9),
        tokens=3,
    )
    dateless = ClientCredential(
        vault=VAULT,
        ref=CredentialRef(CredentialKind.SECRET, "dateless"),
        found=True,
        enabled=True,
        expires_on=None,
        tokens=1,
    )
    text = shown(status_report(credentials=(ends, dateless)))
    assert text.startswith("WARNING   client_credential_expiring  secret:ends\n  tokens  3\n")
    assert [line.split()[1:] for line in text.splitlines() if line.startswith("secret:dateless")] == [
        ["ok", "unknown", "1"]
    ]


@given(st.text())
def test_nothing_that_a_tag_holds_reaches_the_terminal_as_more_than_text(text: str) -> None:
    report = run_report(failed("contoso", Reason.TOKEN_REVOKED, label=text, message=text))
    lines = shown(report, width=10_000).splitlines()
    assert all(line.isprintable() for line in lines)
    assert len(plain(text)) == len(text)


def test_markup_is_text() -> None:
    text = shown(run_report(failed("contoso", Reason.TOKEN_REVOKED, label="[red]x[/] :bell:", message="[bold]no[/]")))
    assert "contoso ([red]x[/] :bell:)" in text
    assert "cause   [bold]no[/]" in text
