"""From outcomes to problems: one root cause, and all the tokens that it affects, is one problem.

Pure. What passes by itself becomes a problem when its streak lasts two days, or at once where no tag could remember it;
a rejection without a cause when a second run confirms it. What one cause did to many is one problem: it folds by the
day on which it began, which the tags keep, and not by a count, which changes with every repair (ADR 7).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from rotation.outcome import Outcome, VaultFault
from rotation.reason import TOKEN_IS_DEAD, TRANSIENT, Reason, Severity, Unit

EVERY_SUBJECT = "*"
FOLD_ABOVE = 10
"""How many problems of one reason and vault stay apart: but tokens, where the tags keep the day on which they began."""

_SAMPLE = 5
_IN = " in "  # between a client and its tenant
_KEEPS_ITS_DAY = frozenset({Unit.TOKEN, Unit.CLIENT, Unit.CLIENT_AND_TENANT})
_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Problem:
    """One root cause. `subject` is what its unit means: a token's name, a client credential, a vault; `*` is many.

    `label` is the name people know the token by, where one token is meant; `since` the first day that the tags remember
    it from. `day` is the same where it cannot change while the problem stands: then it is a part of what the problem
    is, as the subject is, and what begins on another day is another problem.
    """

    reason: Reason
    subject: str
    vault: str
    tokens: int
    sample: tuple[str, ...]
    message: str
    label: str = ""
    since: date | None = None
    day: date | None = None

    @property
    def fold(self) -> str:
        """The subject that it has together with others of its reason, vault and day; its own where it stands alone."""
        if self.reason.unit is Unit.TOKEN:
            return EVERY_SUBJECT
        client, of_tenant, _ = self.subject.partition(_IN)
        return f"{client}{of_tenant}{EVERY_SUBJECT}" if of_tenant else self.subject

    @property
    def severity(self) -> Severity:
        """The severity of the reason: it never changes while the problem is open."""
        return self.reason.severity

    @property
    def action(self) -> str:
        """What ends the problem."""
        return self.reason.action


@dataclass(frozen=True, slots=True)
class _Key:
    vault: str
    reason: Reason
    subject: str


def problems_of(
    outcomes: Iterable[Outcome], vault_faults: Iterable[VaultFault] = (), known: Iterable[Problem] = ()
) -> tuple[Problem, ...]:
    """Every problem that a run found, the most severe first, then the one with the most tokens.

    `known` are problems that were seen without any token's help; one that tokens met too is told once, with those
    tokens.
    """
    groups: dict[_Key, list[Outcome]] = defaultdict(list)
    untried: list[Outcome] = []
    for outcome in outcomes:
        for key in _keys(outcome):
            groups[key].append(outcome)
        if outcome.because is not None:
            untried.append(outcome)
    for outcome in untried:
        key = _key(outcome, outcome.because or outcome.reason, outcome.subject)
        if key in groups and key not in _keys(outcome):
            groups[key].append(outcome)
    found = [_problem(key, members) for key, members in groups.items()]
    listed = [Problem(f.reason, f.vault, f.vault, 0, (), f.message) for f in vault_faults if _says_something(f)]
    found += [problem for problem in _once((*listed, *known)) if not _is_told(problem, groups)]
    return tuple(sorted(_folded(found), key=_rank))


def _says_something(fault: VaultFault) -> bool:
    return fault.reason.severity is not Severity.NONE


def _once(problems: Iterable[Problem]) -> Iterable[Problem]:
    """The first of each; whatever is said of one client credential is said once."""
    first: dict[tuple[str, str, Reason | None], Problem] = {}
    for problem in problems:
        reason = None if problem.reason.unit is Unit.CREDENTIAL else problem.reason
        first.setdefault((problem.vault, problem.subject, reason), problem)
    return first.values()


def _is_told(problem: Problem, groups: Iterable[_Key]) -> bool:
    """Whether tokens met it too: this very problem, or whatever else is wrong with the same client credential."""
    alike = (key for key in groups if (key.vault, key.subject) == (problem.vault, problem.subject))
    if problem.reason.unit is Unit.CREDENTIAL:
        return any(key.reason.unit is Unit.CREDENTIAL for key in alike)
    return any(key.reason is problem.reason for key in alike)


def _keys(outcome: Outcome) -> list[_Key]:
    """What is wrong with a token: found by this run, standing since an earlier one, its days left, and warnings."""
    keys = [_key(outcome, outcome.reason, outcome.subject)] if _is_problem(outcome) else []
    standing = outcome.standing
    if standing is not None and standing.failure.lasts:  # else its alert would close although nobody mended anything
        keys.append(_key(outcome, standing.failure.reason, standing.subject))
    if outcome.expiry is not None and not any(key.reason in TOKEN_IS_DEAD for key in keys):
        keys.append(_key(outcome, outcome.expiry, outcome.subject))
    keys += [_key(outcome, reason, outcome.subject) for reason in outcome.warnings]
    return list(dict.fromkeys(keys))


def _is_problem(outcome: Outcome) -> bool:
    if outcome.reason.severity is Severity.NONE:
        return False
    if outcome.reason in TRANSIENT and outcome.streak is not None:  # what no tag can remember is told at once
        return outcome.streak.lasts
    if outcome.reason is Reason.TOKEN_REJECTED:
        return outcome.repeated or outcome.streak is None  # single rejections without a cause occur and pass
    return True


def _key(outcome: Outcome, reason: Reason, subject: str) -> _Key:
    match reason.unit:
        case Unit.TOKEN | Unit.NONE:
            return _Key(outcome.vault, reason, outcome.name)
        case Unit.VAULT:
            return _Key(outcome.vault, reason, outcome.vault)
        case Unit.CREDENTIAL | Unit.CLIENT | Unit.CLIENT_AND_TENANT | Unit.ISSUER:
            return _Key(outcome.vault, reason, subject)


def _problem(key: _Key, members: list[Outcome]) -> Problem:
    told = members[0]  # who was not tried comes after who was
    names = sorted(outcome.name for outcome in members)
    message = told.message if key.reason is told.reason else ""
    label = told.label if key.reason.unit is Unit.TOKEN else ""
    since = _earliest(_first_seen(member, key.reason) for member in members)
    day = since if _keeps_its_day(key.reason) else None
    return Problem(key.reason, key.subject, key.vault, len(members), tuple(names[:_SAMPLE]), message, label, since, day)


def _keeps_its_day(reason: Reason) -> bool:
    """Whether all that is behind it fails until it is mended: else the first day moves with whoever recovers first."""
    return reason.unit in _KEEPS_ITS_DAY and reason not in TRANSIENT


def _first_seen(outcome: Outcome, reason: Reason) -> date | None:
    warned = outcome.last_warning
    if warned is not None and reason in warned.reasons:
        return warned.first_seen
    known = (outcome.streak, outcome.standing.failure if outcome.standing else None)
    remembered = _earliest(failure.first_seen for failure in known if failure is not None and failure.reason is reason)
    return _earliest((remembered, outcome.dated if reason in (outcome.expiry, Reason.TAGS_LOST) else None))


def _earliest(days: Iterable[date | None]) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _folded(found: list[Problem]) -> list[Problem]:
    """One problem for the tokens that failed on one day, and for more than `FOLD_ABOVE` of anything else alike.

    First by what tells of a common cause (tokens; the tenants of one app, of which each must be asked to consent); then
    whatever is still too many.
    """
    by_cause = _fold(found, lambda problem: problem.fold, above=_apart)
    return _fold(by_cause, lambda _: EVERY_SUBJECT, above=lambda _: FOLD_ABOVE)


def _apart(problem: Problem) -> int:
    """How many like this one stay apart."""
    return 1 if problem.day and problem.reason.unit is Unit.TOKEN else FOLD_ABOVE


def _fold(found: list[Problem], into: Callable[[Problem], str], *, above: Callable[[Problem], int]) -> list[Problem]:
    alike: dict[tuple[str, Reason, date | None, str], list[Problem]] = defaultdict(list)
    for problem in found:
        alike[problem.vault, problem.reason, problem.day, into(problem)].append(problem)
    folded: list[Problem] = []
    for (vault, reason, day, subject), group in alike.items():
        folded += [_together(group, vault, reason, day, subject)] if len(group) > above(group[0]) else group
    return folded


def _together(group: list[Problem], vault: str, reason: Reason, day: date | None, subject: str) -> Problem:
    names = sorted({name for problem in group for name in problem.sample})
    tokens = sum(problem.tokens for problem in group)
    since = _earliest(problem.since for problem in group)
    return Problem(reason, subject, vault, tokens, tuple(names[:_SAMPLE]), group[0].message, since=since, day=day)


def _rank(problem: Problem) -> tuple[int, int, str, str, date, str]:
    day = problem.day or date.min
    return _ORDER.index(problem.severity), -problem.tokens, problem.reason, problem.vault, day, problem.subject
