"""Steps 5 to 7 of a rotation: look again, store, settle. All that happens while a redeemed token is only in memory.

Key Vault has no compare-and-swap and its PUT is not idempotent. So the current version is read before every attempt
to store, and the versions are listed once afterwards: what somebody else wrote or changed in between stands. What is
decided, redeemed and told before and after is left to `rotate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from rotation.outcome import Ended, Kind
from rotation.pace import Deadlines
from rotation.ports import (
    ListedVersion,
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
from rotation.version_history import VersionHistory

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_REFUSED = (Reason.VAULT_DENIED, Reason.UNCLASSIFIED)  # what a vault refuses now, it refuses in a minute
_REFUSALS = 3
_SETTLING_ATTEMPTS = 5

_NOT_STORED = "redeemed, but the new token could not be stored"
_PUT_BACK = "somebody stored a newer version meanwhile; it was put back on top"
_NOT_PUT_BACK = "a re-consent made meanwhile lies under the new version and could not be put back"


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that was stored: its id, all that it is made of, and the version that was current at the last look."""

    version: str
    new: NewVersion
    looked: SecretVersion


@dataclass(frozen=True, slots=True)
class Storing:
    """What the three steps need: the vault, and until when they may try."""

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
                    _strand(error, unless)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            current = self._read_current(new.name, unless)
            if current.value == new.value:  # the answer was lost, not the request
                return Stored(current.version, new, looked)
            new, looked = _carried_over(new, looked, _unless_theirs(current, looked))

    def _read_current(self, name: str, unless: str) -> SecretVersion:
        try:
            return self._persistently(lambda: self.vault.read(name))
        except SecretDisabledError as error:
            message = "it was disabled while it was being redeemed; the new token was not stored"
            raise Ended(Kind.SKIPPED, Reason.DISABLED, message) from error
        except SecretNotFoundError as error:
            raise Ended(Kind.FAILED, Reason.SECRET_DELETED, "it was deleted while it was being redeemed") from error
        except VaultError as error:
            _strand(error, unless)

    def settle(self, stored: Stored, *, since: datetime | None = None) -> tuple[Reason, ...]:
        """Step 7. Returns the warnings of it. Raises Ended when a re-consent stands after all.

        `since`: the re-consents up to then are known, and were given way to.
        """
        name = stored.new.name
        try:
            versions = self._in_time(lambda: self.vault.versions(name), attempts=_SETTLING_ATTEMPTS)
        except VaultError as error:
            return _unsettled(error)
        before = next((version for version in versions if version.version == stored.looked.version), None)
        if before is None:  # the secret is gone, or its list is not up to date: nothing in it is known to be older
            return ()
        history = VersionHistory(versions, stored.version, before)
        covered = history.covered(since)
        if history.written_meanwhile or covered:
            stored = replace(stored, version=self._give_way_to_theirs(stored.new, history, covered))
        warnings: tuple[Reason, ...] = ()
        try:
            warnings = self._follow_tags(stored, history)
            self._follow_disabling(stored, history, beside=since is not None)
            for version in history.superseded:
                if self.deadlines.is_over():  # an adopted secret may have hundreds; the next rotation goes on
                    return (*warnings, Reason.DISABLE_FAILED)
                self.vault.disable(name, version.version)
        except VaultError as error:
            return (*warnings, *_unsettled(error))
        return warnings

    def _give_way_to_theirs(self, new: NewVersion, history: VersionHistory, covered: list[ListedVersion]) -> str:
        """Somebody else wrote since step 5: theirs stands, on top of ours, or beneath it where it is `covered`.

        Returns the id of the version that holds our token, which is another than was stored when a request that had
        been given up came through after all.
        """
        try:
            theirs, since = self._newest_of_theirs(new, covered)
            current = self._in_time(lambda: self.vault.read(new.name))
        except (SecretDisabledError, SecretNotFoundError):  # hands off: there is nothing to put it back on
            return history.stored
        except VaultError as error:
            _strand(error, _NOT_PUT_BACK)
        if current.value != new.value:
            raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "somebody stored a newer version meanwhile, and theirs stands")
        if theirs is None or since is None or not is_managed(current.tags):
            return current.version
        tagged = history.tags_on_top(theirs.tags, since, new=new.tags, now=current.tags)
        put_back = replace(new, value=theirs.value, enabled=True, tags=tagged.tags)
        put_back = replace(put_back, content_type=theirs.content_type, expires_on=theirs.expires_on)
        on_top = self.store(put_back, current, unless=_NOT_PUT_BACK)
        dropped = (Reason.TAGS_DROPPED,) * tagged.dropped
        warnings = dropped + self.settle(on_top, since=since)  # they may have signed in once more meanwhile
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, _PUT_BACK, warnings=warnings)

    def _newest_of_theirs(
        self, new: NewVersion, covered: list[ListedVersion]
    ) -> tuple[SecretVersion, datetime] | tuple[None, None]:
        """The newest of these versions that does not hold our own token, and when it was written."""
        for version in covered:
            theirs = self._in_time(partial(self.vault.read, new.name, version.version))
            if theirs.value != new.value:
                return theirs, version.created_on
        return None, None

    def _follow_tags(self, stored: Stored, history: VersionHistory) -> tuple[Reason, ...]:
        """What the operator did to the tags of the version before ours, after we looked, is done to ours."""
        theirs = operator_tags(history.before.tags)
        if theirs == operator_tags(stored.looked.tags):
            return ()
        tagged = fitted(theirs, job_tags(stored.new.tags))
        self._in_time(partial(self._retag, stored, tagged.tags), attempts=_SETTLING_ATTEMPTS)
        return (Reason.TAGS_DROPPED,) * tagged.dropped

    def _follow_disabling(self, stored: Stored, history: VersionHistory, *, beside: bool) -> None:
        """If the operator disabled the version before ours, after we looked, ours is disabled.

        `beside`: where that version is ours too, a run beside this one may have disabled it, having stored another.
        """
        if stored.looked.enabled and not history.before.enabled and not (beside and history.crowded):
            self._in_time(lambda: self.vault.disable(stored.new.name, stored.version), attempts=1)

    def _retag(self, stored: Stored, tags: Mapping[str, str]) -> None:
        """Change the tags of ours, unless somebody has changed them, or the version, since it was stored."""
        with suppress(SecretDisabledError, SecretNotFoundError):  # hands off
            current = self.vault.read(stored.new.name)
            if current.version == stored.version and operator_tags(current.tags) == operator_tags(stored.new.tags):
                self.vault.retag(stored.new.name, stored.version, tags)

    def _in_time[T](self, call: Callable[[], T], *, attempts: int | None = None) -> T:
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
    """The current version, if it is still the one that was read and still managed. Raises Ended."""
    if current.version != ours.version:
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "somebody stored a newer version meanwhile, and theirs stands")
    if not is_managed(current.tags):
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "the secret stopped being managed meanwhile; nothing was stored")
    return current


def _unsettled(error: VaultError) -> tuple[Reason, ...]:
    """Waiting mends most of it; a permission that is missing needs a person."""
    return (Reason.DISABLE_FAILED,) + (error.reason,) * (error.reason is Reason.VAULT_DENIED)


def _strand(error: VaultError, what: str) -> NoReturn:
    message = f"{what}: {error.message}"
    about_vault = error.reason.unit is Unit.VAULT  # else it is about this secret, and the others may well be stored
    raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message, closes_vault=about_vault) from error
