"""Steps 5 and 6 of a rotation: look again, store. All that happens while a redeemed token is only in memory.

Key Vault has no compare-and-swap and its PUT is not idempotent. So the current version is read before every attempt
to store. What somebody else wrote or changed all the same, in the window of that one request, is left to `settling`;
what is decided, redeemed and told before and after, to `rotate`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from rotation.outcome import Ended, Kind
from rotation.pace import Deadlines
from rotation.ports import (
    NewVersion,
    SecretDisabledError,
    SecretNotFoundError,
    SecretVersion,
    Vault,
    VaultError,
)
from rotation.reason import Reason, Unit
from rotation.tagging import fitted, job_tags, operator_tags
from rotation.token import is_managed

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_REFUSED = (Reason.VAULT_DENIED, Reason.UNCLASSIFIED)  # what a vault refuses now, it refuses in a minute
_REFUSALS = 3

_NOT_STORED = "redeemed, but the new token could not be stored"
_DISABLED = "it was disabled while it was being redeemed; the new token was not stored"
_PERHAPS_STORED = "it was disabled while the new token was being stored, which may be the version that is disabled"


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that was stored: its id, all that it is made of, and the version that was current at the last look."""

    version: str
    new: NewVersion
    looked: SecretVersion


@dataclass(frozen=True, slots=True)
class Storing:
    """What the steps need: the vault, and until when they may try."""

    vault: Vault
    deadlines: Deadlines

    def look_again(self, read: SecretVersion) -> SecretVersion:
        """Step 5. The version that was read, as it is now. Raises Ended when theirs stands."""
        return _unless_theirs(self._read_current(read.name, _NOT_STORED), read)

    def store(self, new: NewVersion, looked: SecretVersion, *, unless: str = _NOT_STORED) -> Stored:
        """Step 6. Store until it is there. Raises Ended when it never is.

        What the operator changed since we looked is carried over from the look before the next attempt.
        """
        refusals = 0
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                return Stored(self.vault.store(new), new, looked)
            except VaultError as error:
                if error.reason is Reason.SECRET_DELETED:
                    raise Ended(Kind.FAILED, error.reason, "it was deleted before the new token was stored") from error
                refusals += error.reason in _REFUSED
                if refusals >= _REFUSALS or not self.deadlines.pause(
                    min(error.retry_after or wait, _LONGEST_WAIT_SECONDS)
                ):
                    strand(error, unless)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            current = self._read_current(new.name, unless, sent=True)
            if current.value == new.value:  # the answer was lost, not the request
                return Stored(current.version, new, looked)
            new, looked = _carried_over(new, looked, _unless_theirs(current, looked))

    def _read_current(self, name: str, unless: str, *, sent: bool = False) -> SecretVersion:
        """The current version. Raises Ended; what was `sent` may be there, and what lies beneath it is not known."""
        try:
            return self._persistently(lambda: self.vault.read(name))
        except SecretDisabledError as error:
            message = _PERHAPS_STORED if sent else _DISABLED
            warnings = (Reason.CONCURRENT_WRITE,) * sent
            raise Ended(Kind.SKIPPED, Reason.DISABLED, message, warnings=warnings) from error
        except SecretNotFoundError as error:
            raise Ended(Kind.FAILED, Reason.SECRET_DELETED, "it was deleted while it was being redeemed") from error
        except VaultError as error:
            strand(error, unless)

    def in_time[T](self, call: Callable[[], T], *, attempts: int | None = None) -> T:
        """What comes after a store is not begun once the time is over: the token is safe, the next rotation settles."""
        if self.deadlines.is_over():
            raise VaultError(Reason.OUT_OF_TIME, "the time was over")
        return self._persistently(call, attempts=attempts)

    def _persistently[T](self, call: Callable[[], T], *, attempts: int | None = None) -> T:
        """Call until it answers, `attempts` times at most or until the deadline; what no waiting mends is raised."""
        wait = _FIRST_WAIT_SECONDS
        tried = 0
        while True:
            try:
                return call()
            except (SecretDisabledError, SecretNotFoundError):
                raise
            except VaultError as error:
                tried += 1
                limit = _REFUSALS if error.reason in _REFUSED else attempts
                if (limit is not None and tried >= limit) or not self.deadlines.pause(
                    min(error.retry_after or wait, _LONGEST_WAIT_SECONDS)
                ):
                    raise
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _carried_over(new: NewVersion, looked: SecretVersion, current: SecretVersion) -> tuple[NewVersion, SecretVersion]:
    """The next attempt, and what was looked at before it: with what the operator changed since the look before."""
    theirs = operator_tags(current.tags)
    if theirs != operator_tags(looked.tags):
        new = replace(new, tags=fitted(theirs, job_tags(new.tags)).tags)
    return new, current


def _unless_theirs(current: SecretVersion, ours: SecretVersion) -> SecretVersion:
    """The current version, if it is still the one that was read, and managed if that was. Raises Ended."""
    if current.version != ours.version:
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "somebody stored a newer version meanwhile, and theirs stands")
    if is_managed(ours.tags) and not is_managed(current.tags):
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "the secret stopped being managed meanwhile; nothing was stored")
    return current


def strand(error: VaultError, what: str) -> NoReturn:
    """Raise the end of a rotation whose token the vault does not take; `what` could not be done."""
    message = f"{what}: {error.message}"
    about_vault = error.reason.unit is Unit.VAULT  # else it is about this secret, and the others may well be stored
    raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message, closes_vault=about_vault) from error
