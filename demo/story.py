"""The story: a status, a run, a person who mends what it says, eight days, a run, a status, the mails; how it must end.

What each part looks like is left to `telling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console

from demo import telling
from demo.partners import LABELS, Operator
from demo.stage import Stage
from emulators.alerting import Mail
from rotation.outcome import Kind
from rotation.problem import EVERY_SUBJECT, Problem
from rotation.reason import Reason
from rotation.report import RunReport
from rotation.status_report import StatusReport

_PROBLEMS = {
    (Reason.CLIENT_CREDENTIAL_EXPIRED, "secret:fabrikam-client-secret", 3),
    (Reason.TOKEN_EXPIRED, "contoso-expired", 1),
    (Reason.TOKEN_REVOKED, "contoso-revoked", 1),
    (Reason.INVALID_RECORD, "contoso-wrong-tags", 1),
}
_MAILED = {
    ("problems_critical", "secret:fabrikam-client-secret"),
    ("problems_critical", "contoso-expired"),
    ("problems_critical", "contoso-revoked"),
    ("problems_error", "contoso-wrong-tags"),
}
_FIRST_COUNTS = {Kind.ROTATED: 2, Kind.SKIPPED: 1, Kind.FAILED: 6}
_LAST_COUNTS = {Kind.ROTATED: len(LABELS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was seen, what the first run made Azure Monitor mail, and which tokens the issuer refuses at the end."""

    status_before: StatusReport
    runs: tuple[RunReport, RunReport]
    mails: tuple[Mail, ...]
    status_after: StatusReport
    refused_at_the_end: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The reports, as HTTP and `--json` of the product give them."""
        return {
            "runs": [run.to_json() for run in self.runs],
            "mails": [mail.to_json() for mail in self.mails],
            "status_before": self.status_before.to_json(),
            "status_after": self.status_after.to_json(),
        }

    def faults(self) -> Iterator[str]:
        """In what it went otherwise than it is told; nothing when all is well."""
        first, last = self.runs
        yield from _unlike("the first run", first, _FIRST_COUNTS, _PROBLEMS)
        yield from _unlike("the second run", last, _LAST_COUNTS, set())
        mailed = {(mail.rule.name, str(mail.dimensions.get("subject"))) for mail in self.mails}
        yield from (f"{rule} does not mail {subject}" for rule, subject in _MAILED - mailed)
        yield from (f"{rule} mails {subject}" for rule, subject in mailed - _MAILED)
        if not self.status_after.all_well:
            yield "the status at the end still names what needs a person"
        if self.refused_at_the_end:
            yield f"the issuer refuses what the vault holds at the end: {', '.join(self.refused_at_the_end)}"


def play(stage: Stage, console: Console) -> Story:
    """Play it from the first status to the last. Raises what `Stage.fire_timer` raises."""
    before = stage.status()
    telling.the_world(before, console)
    first = stage.fire_timer()
    telling.the_timer_fires(first, console)
    telling.what_needs_a_person(first, console)
    mails = tuple(stage.mails())
    repairs = [repair for problem in first.problems for repair in _repaired(problem, stage.operator)]
    telling.the_operator_repairs(repairs, console)
    stage.world.age(timedelta(days=8))
    last = stage.fire_timer()
    after = stage.status()
    telling.eight_days_later(last, after, console)
    telling.the_mails(mails, console)
    refused = _refused(stage)
    return Story(status_before=before, runs=(first, last), mails=mails, status_after=after, refused_at_the_end=refused)


def _repaired(problem: Problem, operator: Operator) -> Iterator[str]:
    """Do what the problem's action asks of a person, and say what was done."""
    repair = _REPAIRS.get(problem.reason)
    for name in problem.sample if problem.subject == EVERY_SUBJECT else (problem.subject,):
        yield repair(name, operator) if repair else f"{name}: nothing was done"


def _client_secret(_: str, operator: Operator) -> str:
    operator.renew_client_secret()
    return f"added a client secret to Fabrikam's app registration, and stored it as {operator.fabrikam.vault_secret}"


def _consent(name: str, operator: Operator) -> str:
    operator.consent(name)
    return f"signed in again for {LABELS[name]}, and stored the new refresh token as {name}"


def _tags(name: str, operator: Operator) -> str:
    operator.correct_tags(name)
    return f"corrected the tags tenant-id and client-credential of {name}"


_REPAIRS: Mapping[Reason, Callable[[str, Operator], str]] = {
    Reason.CLIENT_CREDENTIAL_EXPIRED: _client_secret,
    Reason.TOKEN_EXPIRED: _consent,
    Reason.TOKEN_REVOKED: _consent,
    Reason.INVALID_RECORD: _tags,
}


def _refused(stage: Stage) -> tuple[str, ...]:
    vault, entra = stage.world.vault.state, stage.world.entra
    return tuple(name for name in LABELS if not entra.is_redeemable(vault.current(name).value))


def _unlike(
    which: str, run: RunReport, counts: Mapping[Kind, int], problems: set[tuple[Reason, str, int]]
) -> Iterator[str]:
    seen = {kind: count for kind, count in run.counts.items() if count}
    if seen != counts:
        yield f"{which} counts {_told(seen)} instead of {_told(counts)}"
    found = {(problem.reason, problem.subject, problem.tokens) for problem in run.problems}
    yield from (f"{which} does not find {reason} of {subject} ({n})" for reason, subject, n in problems - found)
    yield from (f"{which} finds {reason} of {subject} ({n})" for reason, subject, n in found - problems)


def _told(counts: Mapping[Kind, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing"
