"""What must hold after every schedule, whatever failed and whoever acted. Reads emulators' state, reports and logs.

Three groups, by when they hold: `kept` at any moment, even over a process that has just died; `settled` once a run has
rotated with nothing failing; `told` of the report of a full run with nothing failing. `unseen` holds of every text.
What a run asked of the cloud, request by request, is judged in `conduct`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from emulators.entra.state import EntraState
from emulators.keyvault.errors import SecretNotFoundError
from emulators.keyvault.secret import SecretVersion
from emulators.keyvault.state import VaultState
from rotation.outcome import Kind, Outcome
from rotation.reason import TOKEN_IS_DEAD, Reason
from rotation.report import RunReport
from rotation.tagging import operator_tags
from rotation.token import OUR_TAGS
from tests.campaign.ledger import Ledger, Meant

_TOLD_OF_LOST_TAGS = timedelta(days=14)  # the age until which `rotation.inventory` looks for them

LOST, SILENT, LEAKED, MEDDLED, REPEATED = "lost", "silent", "leaked", "meddled", "repeated"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, for which token, and what was found; never a value."""

    promise: str
    token: str
    found: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.token}: {self.found}"


def kept(vault: VaultState, entra: EntraState, ledger: Ledger) -> Iterator[Violation]:
    """At any moment: the current version is enabled and redeemable, unless somebody else than the job ended that.

    What was consented in the window of a run that never settled lies beneath what that run stored, until a later run
    has asked the issuer.
    """
    for name, meant in ledger.tokens.items():
        current = _current(vault, name)
        if current is None:
            if not meant.deleted:
                yield Violation(LOST, name, "the secret is gone")
            continue
        if meant.enabled and not current.enabled:
            yield Violation(LOST, name, "the current version is disabled, and no operator did that")
        alive = "consent" not in meant.overwritten and entra.is_redeemable(meant.consents[-1])
        if alive and not entra.is_redeemable(current.value):
            yield Violation(LOST, name, "the current version holds nothing that the issuer redeems")


def settled(vault: VaultState, entra: EntraState, ledger: Ledger) -> Iterator[Violation]:
    """After a rotation without a fault: the last re-consent is on top, and everything is as operators left it.

    Of a consent that is `undecided` nothing says what it came before: only `kept` holds of it.
    """
    for name, meant in ledger.tokens.items():
        current = _current(vault, name)
        if current is None or meant.consents[-1] in ledger.undecided:
            continue
        in_care = meant.enabled and (meant.is_managed or meant.left_care)  # else nothing is written: hands off
        is_last = any(entra.same_sign_in(current.value, latest) for latest in meant.latest)
        if in_care and "consent" not in meant.overwritten and not is_last:
            yield Violation(LOST, name, "the last re-consent is not on top")
        if "tags" not in meant.overwritten and operator_tags(current.tags or {}) != meant.tags:
            found, theirs = operator_tags(current.tags or {}), meant.tags
            differing = sorted(key for key in found.keys() | theirs.keys() if found.get(key) != theirs.get(key))
            yield Violation(MEDDLED, name, f"the operator's tags are not as they left them: {', '.join(differing)}")
        if "enabled" not in meant.overwritten and current.enabled != meant.enabled:
            now, then = (("enabled" if each else "disabled") for each in (current.enabled, meant.enabled))
            yield Violation(MEDDLED, name, f"the current version is {now}, and the operator left it {then}")
        if meant.is_managed and current.content_type != meant.content_type:
            yield Violation(MEDDLED, name, "the content type is not as the operator left it")


def tidy(vault: VaultState, report: RunReport) -> Iterator[Violation]:
    """After a rotation: what is superseded by more than one version is disabled, or the run warns that it is not.

    Of two versions of one second none is the older: the rotation after sees that both are.
    """
    for outcome in report.tokens:
        if outcome.kind is not Kind.ROTATED or {Reason.DISABLE_FAILED, Reason.CONCURRENT_WRITE} & {*outcome.warnings}:
            continue
        versions = vault.versions(outcome.name)
        until = min((each.created.replace(microsecond=0) for each in versions[-2:-1]), default=None)
        left = [each for each in versions[:-2] if until and each.enabled and each.created < until]
        if left:
            yield Violation(LOST, outcome.name, f"{len(left)} superseded versions can still be redeemed, untold")


def told(report: RunReport, vault: VaultState, entra: EntraState, ledger: Ledger) -> Iterator[Violation]:
    """Of a full run that lists all: every token has one outcome, and what is wrong with it is said."""
    outcomes = Counter(outcome.name for outcome in report.tokens)
    by_name = {outcome.name: outcome for outcome in report.tokens}
    for name, theirs in ledger.tokens.items():
        current = _current(vault, name)
        meant = _as_it_lies(theirs, current, is_undecided=theirs.consents[-1] in ledger.undecided)
        if meant.deleted or not (meant.is_managed or meant.left_care):
            continue
        outcome = by_name.get(name)
        if meant.left_care and current and report.started_at - current.created > _TOLD_OF_LOST_TAGS:
            continue
        if outcome is None or outcomes[name] != 1:
            yield Violation(SILENT, name, f"a full run told {outcomes[name]} outcomes of it")
        elif not (_came_up(outcome, meant, ledger) or _is_right(outcome, current, entra, meant)):
            yield Violation(SILENT, name, f"{outcome.kind} ({outcome.reason}) is not how it is")


def _as_it_lies(meant: Meant, current: SecretVersion | None, *, is_undecided: bool) -> Meant:
    """What was meant; but where an act in the window of a write may have been lost for good, how the vault has it."""
    if current is None or meant.deleted:
        return meant
    lies = replace(meant)
    if "tags" in meant.overwritten or is_undecided:
        lies.tags = operator_tags(current.tags or {})
        lies.left_care = (meant.is_managed or meant.left_care) and not lies.tags.keys() & OUR_TAGS
    if "enabled" in meant.overwritten or is_undecided:
        lies.enabled = current.enabled
    return lies


def _came_up(outcome: Outcome, meant: Meant, ledger: Ledger) -> bool:
    """Whether a consent may have gone back on top in this run: what it is like, the next one tells."""
    may_be_covered = "consent" in meant.overwritten or meant.consents[-1] in ledger.undated
    return outcome.reason is Reason.SUPERSEDED and may_be_covered


def _is_right(outcome: Outcome, current: SecretVersion | None, entra: EntraState, meant: Meant) -> bool:
    if current is None:
        return outcome.reason is Reason.TAGS_LOST
    if not meant.enabled:
        return outcome.reason is Reason.DISABLED or (meant.left_care and outcome.reason is Reason.TAGS_LOST)
    if meant.left_care:
        return outcome.reason is Reason.TAGS_LOST
    if not entra.is_redeemable(current.value):
        return outcome.reason in TOKEN_IS_DEAD or outcome.reason is Reason.NOT_DUE  # nobody has asked the issuer yet
    return outcome.kind is Kind.ROTATED or outcome.reason is Reason.NOT_DUE


def unseen(texts: Iterable[str], ledger: Ledger) -> Iterator[Violation]:
    """No text shows a value, nor a part of one."""
    seen = "\n".join(texts)
    for secret in ledger.secrets:
        if any(part in seen for part in _parts(secret)):
            yield Violation(LEAKED, "", "a value, or a part of it, was shown")


def _parts(secret: str) -> tuple[str, ...]:
    """Pieces of a long value that occur nowhere else; a short one as it is."""
    return (secret[3:27], secret[-24:]) if len(secret) > 64 else (secret,)


def _current(vault: VaultState, name: str) -> SecretVersion | None:
    try:
        return vault.current(name)
    except SecretNotFoundError:
        return None
