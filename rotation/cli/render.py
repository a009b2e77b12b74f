"""What a report looks like to an engineer at three in the morning: problems first, the worst at the top.

Then the tokens, then one closing line. Written to any rich console, so that a pipe gets the same words without colour.
The reports themselves are `rotation.report` and `rotation.status_report`; the JSON form is theirs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rich.console import Console
from rich.text import Text

from rotation.cli.layout import STYLES, block, listed, named, plain, table
from rotation.credential_ref import CredentialKind
from rotation.inventory import ClientCredential
from rotation.outcome import Kind, Outcome, VaultFault
from rotation.problem import EVERY_SUBJECT, Problem
from rotation.reason import Reason, Severity, Unit
from rotation.report import RunReport
from rotation.status_report import StatusReport, TokenStatus

type _Labels = Mapping[tuple[str, str], str]

_SEVERITIES = tuple(Severity)
_WORST_OUTCOME_FIRST = (Kind.STRANDED, Kind.FAILED, Kind.DEFERRED, Kind.ROTATED, Kind.SKIPPED)
_LEFT_ALONE = (Reason.INVALID_RECORD, Reason.DISABLED, Reason.PAUSED)
_SAMPLE = 5
_TO_ROTATE = "to rotate"


def render_run(report: RunReport, console: Console) -> None:
    """Show a run: its problems, every token that is not plainly fresh (or that was asked for), the counts."""
    labels = {(outcome.vault, outcome.name): outcome.label for outcome in report.tokens}
    leased = [_of_vault(fault) for fault in report.vault_faults if fault.reason is Reason.LEASE_HELD]
    several = len(report.vaults) > 1
    _show_problems([*report.problems, *leased], labels, console, several_vaults=several)
    told = {_cause(problem) for problem in report.problems}
    for vault in report.vaults:
        outcomes = sorted((one for one in report.tokens if one.vault == vault), key=_outcome_rank)
        rows = [_outcome_row(one, told=_cause(one) in told, dry_run=report.dry_run) for one in outcomes]
        _show_vault(vault, ("TOKEN", "OUTCOME", "REASON", "LEFT"), rows, console, several_vaults=several)
    console.print(Text(_run_in_short(report)))


def render_status(report: StatusReport, console: Console) -> None:
    """Show how every token and client credential is: what needs a person, then all of them, the worst first."""
    labels = {(token.vault, token.name): token.label for token in report.tokens}
    several = len(report.vaults) > 1
    _show_problems(_status_problems(report), labels, console, several_vaults=several)
    for vault in report.vaults:
        tokens = sorted((one for one in report.tokens if one.vault == vault), key=_status_rank)
        rows = [_status_row(one, now=report.taken_at) for one in tokens]
        _show_vault(vault, ("TOKEN", "HEALTH", "LEFT", "NEXT"), rows, console, several_vaults=several)
        rows = [_credential_row(one, report.health_of(one)) for one in report.credentials if one.vault == vault]
        table(console, ("CLIENT CREDENTIAL", "HEALTH", "EXPIRES", "TOKENS"), rows)
    console.print(Text(_status_in_short(report)))


def _show_problems(problems: Iterable[Problem], labels: _Labels, console: Console, *, several_vaults: bool) -> None:
    for problem in problems:
        one = problem.sample == (problem.subject,)
        sample = [named(name, labels.get((problem.vault, name), "")) for name in problem.sample]
        subject = sample[0] if one else Text(plain(problem.subject))
        if problem.subject == EVERY_SUBJECT:
            subject = Text(f"{problem.tokens} tokens")
        rows = [
            ("tokens", Text() if one else listed(sample, problem.tokens)),
            ("vault", Text(plain(problem.vault) if several_vaults and problem.subject != problem.vault else "")),
            ("cause", Text(plain(problem.message))),
            ("action", Text(problem.action)),
        ]
        heading = Text.assemble((problem.reason, "bold"), "  ", subject)
        block(console, problem.severity, heading, rows)


def _show_vault(
    vault: str, headers: tuple[str, ...], rows: list[list[Text]], console: Console, *, several_vaults: bool
) -> None:
    if several_vaults and rows:
        console.print(Text(plain(vault), style="bold"))
    table(console, headers, rows)


def _of_vault(fault: VaultFault) -> Problem:
    return Problem(fault.reason, fault.vault, fault.vault, 0, (), fault.message)


def _outcome_rank(outcome: Outcome) -> tuple[int, str]:
    return _WORST_OUTCOME_FIRST.index(outcome.kind), outcome.name


def _cause(one: Problem | Outcome) -> tuple[str, Reason, str]:
    """What a message tells; where tokens share a cause, the first one's is enough."""
    return one.vault, one.reason, one.message if one.reason.unit is Unit.TOKEN else ""


def _outcome_row(outcome: Outcome, *, told: bool, dry_run: bool) -> list[Text]:
    """A row; the message is left out where the problem above tells it."""
    kind = _TO_ROTATE if dry_run and outcome.kind is Kind.ROTATED else outcome.kind
    message = "" if told or kind != outcome.kind else plain(outcome.message)
    reason = Text(": ".join(part for part in (outcome.reason, message) if part))
    for warning in outcome.warnings:
        reason.append(f", {warning}", style=STYLES[warning.severity])
    return [named(outcome.name, outcome.label), Text(kind, STYLES[outcome.reason.severity]), reason, _days(outcome)]


def _status_problems(report: StatusReport) -> list[Problem]:
    """What needs a person, by vault and reason: three tokens behind one dead client secret are read once."""
    problems = [_of_vault(fault) for fault in report.vault_faults]
    alike: dict[tuple[str, Reason, str], list[TokenStatus]] = defaultdict(list)
    for token in report.tokens:
        if token.health is not None and token.health.severity is not Severity.NONE:
            alike[token.vault, token.health, token.message or _failing(token)].append(token)
    for (vault, reason, message), tokens in alike.items():
        names = tuple(sorted(token.name for token in tokens))
        subject = names[0] if len(names) == 1 else EVERY_SUBJECT
        problems.append(Problem(reason, subject, vault, len(names), names[:_SAMPLE], message))
    for credential in report.credentials:
        health = report.health_of(credential)
        if health is not None:
            problems.append(Problem(health, str(credential.ref), credential.vault, credential.tokens, (), ""))
    return sorted(problems, key=lambda problem: (_SEVERITIES.index(problem.severity), -problem.tokens, problem.reason))


def _failing(token: TokenStatus) -> str:
    failure = token.last_failure
    if failure is None:
        return ""
    cause = "" if failure.reason is token.health else f" with {failure.reason}"
    return f"failing{cause} since {failure.first_seen}"


def _status_rank(token: TokenStatus) -> tuple[int, float, str]:
    severity = token.health.severity if token.health else Severity.NONE
    return _SEVERITIES.index(severity), token.days_left if token.days_left is not None else float("inf"), token.name


def _status_row(token: TokenStatus, *, now: datetime) -> list[Text]:
    health = _word(token.health)
    if token.message and (token.health is None or token.health.severity is Severity.NONE):
        health.append(f": {plain(token.message)}")
    return [named(token.name, token.label), health, _days(token), Text(_next(token, now))]


def _credential_row(credential: ClientCredential, health: Reason | None) -> list[Text]:
    no_date = "never" if credential.ref.kind is CredentialKind.MANAGED_IDENTITY else "unknown"
    expires_on = f"{credential.expires_on:%Y-%m-%d}" if credential.expires_on else no_date
    tokens = Text(str(credential.tokens), justify="right")
    return [Text(plain(str(credential.ref))), _word(health), Text(expires_on), tokens]


def _word(health: Reason | None) -> Text:
    return Text(health or "ok", style=STYLES[health.severity] if health else "green")


def _days(one: Outcome | TokenStatus) -> Text:
    return Text("?" if one.days_left is None else f"{one.days_left} d", justify="right")


def _next(token: TokenStatus, now: datetime) -> str:
    if token.health in _LEFT_ALONE:
        return "-"
    if token.last_failure is not None:
        return "retry"
    if token.next_rotation is None or token.next_rotation <= now:
        return "now"
    days, rest = divmod(token.next_rotation - now, timedelta(days=1))
    return f"in {days} d" if days else f"in {rest // timedelta(hours=1)} h"


def _run_in_short(report: RunReport) -> str:
    counts = [
        f"{report.counts[kind]} {_TO_ROTATE if report.dry_run and kind is Kind.ROTATED else kind}"
        for kind in Kind
        if report.counts.get(kind)
    ]
    tokens = sum(report.counts.values())
    told = f"{_number(tokens, 'token')}: {', '.join(counts)}" if tokens else _no_tokens(report.vault_faults)
    took = f"{report.run_id}: {_duration(report.seconds)}"
    took = f"Dry run {took}; nothing was written" if report.dry_run else f"Run {took}"
    return f"{told}; {_number(len(report.problems), 'problem')}\n{took}"


def _status_in_short(report: StatusReport) -> str:
    severities = Counter(token.health.severity if token.health else Severity.NONE for token in report.tokens)
    counts = [f"{severities[severity]} {severity}" for severity in _SEVERITIES[:-1] if severities[severity]]
    counts.append(f"{severities[Severity.NONE]} well")
    told = (
        f"{_number(len(report.tokens), 'token')}: {', '.join(counts)}"
        if report.tokens
        else _no_tokens(report.vault_faults)
    )
    return f"{told}; {report.taken_at:%Y-%m-%d %H:%M} UTC"


def _no_tokens(vault_faults: tuple[VaultFault, ...]) -> str:
    return "No token was looked at" if vault_faults else "No managed token was found"


def _number(count: int, thing: str) -> str:
    return f"{count or 'no'} {thing}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"  # noqa: PLR2004
