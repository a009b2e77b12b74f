"""What an attempt leaves behind: of a failed one its streak, in the tag `last-failure` of the version that failed.

The next run goes on from there (docs/adr/0003-a-failure-is-remembered.md). A rotation that could not settle says so in
the tag `last-warning` of its own version. Which failure is worth remembering is left to `rotate`, how a streak counts
to `policy`, what fits into the tags to `tagging`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from rotation.outcome import Kind, Outcome, outcome_of, standing_of
from rotation.pace import Deadlines
from rotation.policy import streak
from rotation.ports import NewVersion, Vault, VaultError
from rotation.reason import TRANSIENT, Reason, Unit
from rotation.remembered import LastFailure, LastWarning
from rotation.tagging import after_failure, after_warning
from rotation.token import REDEEMED_AT, ManagedToken, is_managed

_WAITS_SECONDS = (0.5, 1.0)
_REPLACED = "the version that failed was replaced meanwhile; the new one is redeemed by the next run"
_UNTAGGED = "the secret stopped being managed meanwhile"


def remember(
    outcome: Outcome, token: ManagedToken, version: str, *, vault: Vault, deadlines: Deadlines, now: datetime
) -> Outcome:
    """Put the failure into the tags of this version of the token; the outcome with all that is known of it then.

    A version that somebody replaced meanwhile is left alone, and so is a failure that this one says nothing of.
    """
    standing = standing_of(token, version=version)
    before = standing.failure if standing else None
    failure = streak(before, reason=outcome.reason, version=version, now=now)
    failed = replace(outcome, streak=failure, repeated=before is not None and before.reason is failure.reason)
    if before is not None and _says_nothing_of(before.reason, failure.reason):
        return replace(failed, standing=standing)
    try:
        gone, dropped = _put(failure, token.name, vault, deadlines)
    except VaultError as error:
        if error.reason is Reason.VAULT_DENIED:  # no run can remember anything: told at once, and why
            return replace(outcome, warnings=(*outcome.warnings, Reason.VAULT_DENIED))
        return failed  # the failure itself is what is told; only its memory is lost, and the next run finds it again
    if gone:
        return outcome_of(token, Kind.SKIPPED, Reason.SUPERSEDED, now=now, message=gone)
    if dropped:  # no run can remember it: what would wait for a second one is told at once
        return replace(outcome, warnings=tuple(dict.fromkeys((*outcome.warnings, Reason.TAGS_DROPPED))))
    return failed


def _says_nothing_of(before: Reason, now: Reason) -> bool:
    """Whether what failed now leaves open what failed before: that stays in the tag, and is tried in every run."""
    return (
        before not in TRANSIENT
        and before.unit is not Unit.CREDENTIAL
        and (now in TRANSIENT or now.unit is Unit.CREDENTIAL)
    )


def _put(failure: LastFailure, name: str, vault: Vault, deadlines: Deadlines) -> tuple[str, bool]:
    """Change the tags that a look has just shown, and look again before another attempt. Raises VaultError.

    Returns why there is nothing to remember it for, if anything, and whether there was no room for it.
    """
    waits = list(_WAITS_SECONDS)
    while True:
        looked = vault.read(name)
        if looked.version != failure.version:
            return _REPLACED, False
        if not is_managed(looked.tags):
            return _UNTAGGED, False
        tagged = after_failure(looked.tags, failure)
        try:
            if tagged.tags != looked.tags:
                vault.retag(name, looked.version, tagged.tags)
        except VaultError as error:
            if error.reason not in TRANSIENT or not waits or not deadlines.pause(waits.pop(0)):
                raise
        else:
            return "", tagged.dropped


def remember_warning(warning: LastWarning, stored: NewVersion, *, vault: Vault, deadlines: Deadlines) -> None:
    """Put what came up after the store into the tags of the version that was stored, if it is current still.

    Once: if it cannot be, the warning ends with the next run, although it stands until the next rotation.
    """
    if deadlines.is_over():
        return
    with suppress(VaultError):
        looked = vault.read(stored.name)
        if is_managed(looked.tags) and looked.tags.get(REDEEMED_AT) == stored.tags.get(REDEEMED_AT):
            vault.retag(looked.name, looked.version, after_warning(looked.tags, warning).tags)
