"""How the story looks: a heading a part, a sentence or two, and what the product itself says.

For somebody who has never heard of the product, on a terminal or in a pipe. Decides nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.box import SQUARE
from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from demo.disclosure import IN_A_ROW, Finding
from emulators.alerting import Mail
from rotation.cli.layout import STYLES, block, hanging, named, plain, table
from rotation.cli.render import render_run, render_status
from rotation.outcome import Kind
from rotation.report import RunReport
from rotation.status_report import StatusReport

_WIDEST = 100


def stdout(*, quiet: bool = False) -> Console:
    """Where the story is told: as wide as the terminal, within what is good to read."""
    width = min(Console().width, _WIDEST) if sys.stdout.isatty() else _WIDEST
    return Console(width=width, quiet=quiet, highlight=False, markup=False, emoji=False)


def the_world(status: StatusReport, console: Console) -> None:
    """Part one: what there is."""
    console.print(
        Text("token-rotation", "bold"), Text("keeps refresh tokens alive, and says which one needs a person.")
    )
    console.print()
    _part(console, 1, "The world")
    _say(
        console,
        "Software that works in the tenants of a Microsoft partner's customers signs in with refresh tokens, kept in "
        "Azure Key Vault. One that is not used for 90 days dies; others get revoked. Then the work stops, and nobody "
        "is told.",
        "Here are nine. Key Vault and Entra ID are emulated on this machine; the job, the SDKs and the Functions "
        "runtime are the real ones. So the job's own status says before its first run:",
    )
    render_status(status, console)
    console.print()
    _say(
        console,
        "What no list can show: contoso-revoked was revoked, and the client secret behind the three of Fabrikam ended "
        "three days ago. Only redeeming finds out.",
    )


def the_timer_fires(run: RunReport, console: Console) -> None:
    """Part two: what the first run did."""
    _part(console, 2, "The timer fires")
    _say(
        console,
        "As it does in Azure every six hours. Each token that is a week old is redeemed for a new one, which becomes "
        f"a new version of its secret. The run took {run.seconds:.1f} seconds:",
    )
    rows = [
        [
            named(outcome.name, outcome.label),
            Text(outcome.kind, STYLES[outcome.reason.severity] or "green"),
            Text(outcome.reason),
        ]
        for outcome in sorted(run.tokens, key=lambda outcome: (outcome.kind is not Kind.ROTATED, outcome.name))
    ]
    table(console, ("TOKEN", "OUTCOME", "REASON"), rows)
    rotated, failed, skipped = (run.counts.get(kind, 0) for kind in (Kind.ROTATED, Kind.FAILED, Kind.SKIPPED))
    _say(console, f"{rotated} rotated, {failed} failed, {skipped} not due yet.")


def what_needs_a_person(run: RunReport, console: Console) -> None:
    """Part three: each problem once, with its cause and its cure."""
    _part(console, 3, "What needs a person")
    _say(
        console,
        f"The {run.counts.get(Kind.FAILED, 0)} failures are {len(run.problems)} problems: one cause is one problem, "
        "however many tokens are behind it.",
    )
    for problem in run.problems:
        heading = Text(problem.reason, "bold") + Text(f"  {problem.subject}")
        rows = [
            ("tokens", Text(", ".join(problem.sample) if problem.tokens > 1 else "")),
            ("cause", Text(problem.message)),
            ("cure", Text(problem.action, "green")),
        ]
        block(console, problem.severity, heading, rows)


def the_operator_repairs(repairs: Iterable[str], console: Console) -> None:
    """Part four: what was done about them."""
    _part(console, 4, "The operator repairs")
    for repair in repairs:
        hanging(console, Text("-"), Text(repair), indent=2)
    console.print()


def eight_days_later(run: RunReport, status: StatusReport, console: Console) -> None:
    """Part five: the second run, and how all is after it."""
    _part(console, 5, "Eight days later")
    _say(console, "The world is eight days older, so all nine are due. The timer fires again:")
    render_run(run, console)
    console.print()
    _say(console, "And the status now, with nothing left for a person to do:")
    render_status(status, console)
    console.print()


def the_mails(mails: Sequence[Mail], console: Console) -> None:
    """Part six: what the first run made Azure Monitor mail; the first mail whole, of the others what is their own."""
    _part(console, 6, "The mails")
    _say(
        console,
        "In Azure you would have seen none of this, but for your inbox. The rules of infra/alerts ran their queries "
        f"over what the first run had sent to Azure Monitor: {len(mails)} mails, one for each problem. Each comes "
        "once, and once more when the problem is mended; what is critical is repeated once a day.",
    )
    for number, mail in enumerate(mails):
        console.print(Panel(_mail(mail, whole=number == 0), box=SQUARE, title_align="left", title=mail.condition))
    console.print()


def _mail(mail: Mail, *, whole: bool) -> Group:
    """A mail as text: its subject, when it was fired, the dimensions of its alert, and the words of its rule."""
    fields = {"Subject": mail.subject, "Fired": f"{mail.fired:%Y-%m-%d %H:%M} UTC", **mail.dimensions}
    if mail.rule.measure:
        fields[mail.rule.measure] = f"{mail.value:.0f}"
    rows = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    for name, value in fields.items():
        rows.add_row(name, Text(plain(str(value)), "bold" if name == "Subject" else ""))
    words = [Text(paragraph) for line in mail.rule.description.splitlines() for paragraph in ("", line)]
    return Group(rows, *(words if whole else []))


def no_value_was_shown(finding: Finding, console: Console) -> None:
    """Part seven: what was looked for, and where."""
    _part(console, 7, "Values were shown" if finding.shown else "No value was shown")
    _say(
        console,
        f"{finding.values} values were looked for in {finding.characters:,} characters: every version of every refresh "
        "token and client secret, and the beginning of all access tokens, in all that was printed here and in all "
        "that any library logged at DEBUG.",
    )
    if not finding.shown:
        _say(console, f"None of them is there, not even {IN_A_ROW} characters of one in a row.")


def the_end(seconds: float, console: Console) -> None:
    """What was seen, and where to go from here."""
    console.print(Text("All of it went as told,", "bold green"), Text(f"in {seconds:.1f} seconds. Next:"))
    console.print("  make serve             keeps this world up, to try the HTTP routes with curl")
    console.print("  make demo ARGS=--json  prints the reports as one JSON object")


def _part(console: Console, number: int, title: str) -> None:
    console.print(Rule(Text(f"{number}  {title}", "bold cyan"), align="left", style="cyan"))


def _say(console: Console, *paragraphs: str) -> None:
    for paragraph in paragraphs:
        hanging(console, Text(), Text(paragraph), indent=0)
        console.print()
