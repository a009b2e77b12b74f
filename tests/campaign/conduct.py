"""How a run behaved, request by request: what its safety argument says of order and number, and what it told of that.

Judges the journal of one schedule; what is left in the vault is judged in `invariants`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from rotation.report import RunReport
from tests.campaign.invariants import LOST, REPEATED, SILENT, Violation
from tests.campaign.journal import LOOK, READ, REDEEM, RENEW, RETAG, STORE, Acted, Event, Journal, Request, Slept
from tests.campaign.ledger import Ledger

CONSENTS = frozenset({"re-consent", "re-consent without tags", "re-consent with copied tags"})
TAGGINGS = frozenset({"retag", "adopt", "release"})
_EXCUSES = {
    Reason.SUPERSEDED: CONSENTS | {"release"},
    Reason.DISABLED: frozenset({"disable"}),
    Reason.SECRET_DELETED: frozenset({"delete"}),
}
"""What somebody must have done while a token was in hand that a run gives up with this reason, though redeemed."""


_LEFT_OPEN = {Reason.DISABLE_FAILED, Reason.CONCURRENT_WRITE}
"""Warnings that the run could not settle, or that the dates of versions did not say what came last."""


def redeemed_once(journal: Journal, run: int) -> Iterator[Violation]:
    """No token is redeemed twice in a run, except where the answer was lost."""
    tries: dict[str, list[Request]] = {}
    for request in journal.requests(run):
        if request.kind == REDEEM and request.effect:
            tries.setdefault(request.redeemed, []).append(request)
    for requests in tries.values():
        if any(request.answered for request in requests[:-1]):
            yield Violation(REPEATED, requests[0].name, f"redeemed {len(requests)} times, though the answer came")


def stored_once(journal: Journal, run: int) -> Iterator[Violation]:
    """No token that a run redeemed is stored twice by it."""
    redeemed = {request.value for request in journal.requests(run) if request.kind == REDEEM}
    stores = Counter(
        (request.name, request.value)
        for request in journal.requests(run)
        if request.kind == STORE and request.effect and request.value in redeemed
    )
    for (name, _), times in stores.items():
        if times > 1:
            yield Violation(REPEATED, name, f"a token that the run redeemed was stored {times} times")


def stored_nothing_used(journal: Journal, run: int, earlier: Iterable[int], ledger: Ledger) -> Iterator[Violation]:
    """What an `earlier` run had exchanged for a token that it stored never comes back on top of that.

    The earlier ones are runs that had the vault to themselves: of two at once, one may cover what the other redeems.
    Of what was consented in the second of a redemption no date says which came first: in doubt it comes up.
    """
    used: set[str] = set()
    for one in earlier:
        stored = {request.value for request in journal.requests(one) if request.kind == STORE and request.effect}
        used |= {r.redeemed for r in journal.requests(one) if r.kind == REDEEM and r.answered and r.value in stored}
    for request in journal.requests(run):
        if request.kind == STORE and request.effect and request.value in used - ledger.undated:
            yield Violation(LOST, request.name, "a token that an earlier run had used up was put on top of a newer one")


def looked_before_each_store(journal: Journal, run: int) -> Iterator[Violation]:
    """The request before a store is a look at the current version: an act can slip in there, and nowhere else."""
    last: dict[str, Request] = {}
    for request in journal.requests(run):
        before = last.get(request.name)
        looked = before and before.kind in (LOOK, READ) and before.answered and not before.version
        if request.kind == STORE and not looked:
            yield Violation(LOST, request.name, "stored without having looked at the current version just before")
        last[request.name] = request


def started_with_the_lease(journal: Journal, run: int) -> Iterator[Violation]:
    """A run that has lost the lease of the vault starts no further token: the first thing it does is to read it."""
    started: set[str] = set()
    for request in journal.requests(run):
        if request.kind == READ and request.name not in started:
            started.add(request.name)
            if request.unleased:
                yield Violation(REPEATED, request.name, "started after the lease of the vault was lost")


def never_waited_with_a_token(journal: Journal, run: int) -> Iterator[Violation]:
    """From the answer of the issuer to the first store, a run waits for nothing but a request that failed."""
    own = [event for event in journal.events if _is_of(event, run) and not _renews(event)]
    held: str | None = None
    for event, before in zip(own, [None, *own], strict=False):
        if isinstance(event, Slept) and held is not None and not _failed(before):
            yield Violation(LOST, held, f"waited {event.seconds:.1f} s with the new token only in memory")
        if isinstance(event, Request) and event.kind == REDEEM and event.answered:
            held = event.name
        elif isinstance(event, Request) and (event.kind == STORE or event.name != held):
            held = None


def _is_of(event: Event, run: int) -> bool:
    return not isinstance(event, Acted) and event.run == run


def _renews(event: Event) -> bool:
    return isinstance(event, Request) and event.kind == RENEW  # beside whatever else the run does


def _failed(event: Event | None) -> bool:
    return isinstance(event, Request) and not event.answered


def reported(journal: Journal, run: int, report: RunReport, *, in_order: bool = True) -> Iterator[Violation]:
    """Every token of the list has its outcome; what was redeemed is stored, stranded, or given up for a good reason.

    `in_order`: whether the journal knows in which order two runs at once had their effects.
    """
    outcomes = Counter(outcome.name for outcome in report.tokens)
    left = Counter(outcome.name for outcome in report.tokens if outcome.kind is Kind.SKIPPED)
    by_name = {outcome.name: outcome for outcome in report.tokens}
    listed = {name for request in journal.requests(run) if request.answered for name in request.names}
    for name in sorted(listed):
        if report.complete and (not outcomes[name] or outcomes[name] - left[name] > 1):
            yield Violation(SILENT, name, f"a complete run told {outcomes[name]} outcomes of it")
    stored = {request.value for request in journal.requests(run) if request.kind == STORE and request.effect}
    for request in journal.requests(run):
        if request.kind == REDEEM and request.answered and request.value:
            outcome = by_name.get(request.name)
            if request.value not in stored and not (outcome and _excused(outcome, journal, run, in_order=in_order)):
                told = f"{outcome.kind} ({outcome.reason})" if outcome else "nothing"
                yield Violation(SILENT, request.name, f"redeemed, not stored, and told as {told}")
    redeemed = {request.value for request in journal.requests(run) if request.kind == REDEEM and request.answered}
    for outcome in report.tokens:
        stores = (request for request in journal.requests(run, outcome.name) if request.kind == STORE)
        if outcome.kind is Kind.ROTATED and not any(store.effect and store.value in redeemed for store in stores):
            yield Violation(SILENT, outcome.name, "told as rotated, and nothing that the run redeemed was stored")
    yield from _stranded_is_a_problem(report)


def _excused(outcome: Outcome, journal: Journal, run: int, *, in_order: bool) -> bool:
    """Whether it is told as stranded, or somebody did what it says: an operator, or another run that stored.

    What they did before the run read the token, or after its last request about it, excuses nothing.
    """
    if outcome.kind is Kind.STRANDED:
        return True
    happened = _while_in_hand(journal, run, outcome.name)
    excuses = _EXCUSES.get(outcome.reason, frozenset())
    if any(isinstance(event, Acted) and event.act in excuses for event in happened):
        return True
    others = happened if in_order else journal.events
    return outcome.reason is Reason.SUPERSEDED and _stored_by_another(others, run, outcome.name)


def _stored_by_another(events: Iterable[Event], run: int, name: str) -> bool:
    requests = (event for event in events if isinstance(event, Request))
    return any(each.run != run and each.name == name and each.kind == STORE and each.effect for each in requests)


def _while_in_hand(journal: Journal, run: int, name: str) -> list[Acted | Request]:
    """What others did to a token from a run's read of it to the last of its requests about it."""
    happened: list[Acted | Request] = []
    seen = 0
    for event in journal.events:
        if isinstance(event, Slept) or event.name != name:
            continue
        if isinstance(event, Acted) or event.run != run:
            happened.append(event)
            continue
        if event.kind == READ:
            happened.clear()
        seen = len(happened)
    return happened[:seen]


def _stranded_is_a_problem(report: RunReport) -> Iterator[Violation]:
    stranded = [outcome.name for outcome in report.tokens if outcome.kind is Kind.STRANDED]
    if stranded and Reason.STRANDED_TOKEN not in {problem.reason for problem in report.problems}:
        yield Violation(SILENT, stranded[0], "stranded, and no problem of the run says so")


def note_what_may_be_overwritten(journal: Journal, run: int, report: RunReport | None, ledger: Ledger) -> None:
    """Note in the ledger what an act in the window of a write has lost for good, by the promise of docs/adr/0002.

    The window is what lies between a write and the request before it. Closing it is what settling does: a run that
    died before that, or told that it could not settle, leaves an act in the window covered.
    """
    for name in {event.name for event in journal.events if isinstance(event, Acted)}:
        for act, kind in _acts_in_windows(journal, run, name):
            if kind == RETAG:
                ledger.tokens[name].overwritten |= _what(act) & {"tags"}
            elif not _was_settled(report, name) or (act not in CONSENTS and _stored_beside(journal, run, name)):
                ledger.tokens[name].overwritten |= _what(act)


def _acts_in_windows(journal: Journal, run: int, name: str) -> Iterator[tuple[str, str]]:
    window: list[str] = []
    for event in journal.events:
        if isinstance(event, Acted) and event.name == name:
            window.append(event.act)
        elif isinstance(event, Request) and (event.run, event.name) == (run, name):
            if event.effect and event.kind in (STORE, RETAG):
                yield from ((act, event.kind) for act in window)
            window.clear()


def _stored_beside(journal: Journal, run: int, name: str) -> bool:
    """Whether another run stored this token during this one: what keeps two apart is the lease, and there was none."""
    own = [position for position, event in enumerate(journal.events) if _is_of(event, run)]
    return _stored_by_another(journal.events[own[0] : own[-1]], run, name)


def _was_settled(report: RunReport | None, name: str) -> bool:
    outcome = next((each for each in report.tokens if each.name == name), None) if report else None
    return outcome is not None and outcome.kind is not Kind.STRANDED and not _LEFT_OPEN & {*outcome.warnings}


def _what(act: str) -> set[str]:
    if act in CONSENTS:
        return {"consent", "tags", "enabled"}
    if act in TAGGINGS:
        return {"tags"}
    return {"enabled"} if act in ("disable", "enable") else set()
