"""Step 7 of a rotation: what somebody else did while ours was stored stands, and what is superseded is disabled.

The versions are listed once after every store, and `version_history` says what they tell. Here it is done: a re-consent
goes back on top, tags and a disabling are done to ours, and what is in doubt is left as it is and told
(`concurrent_write`). A request that fails leaves the token stored, and the rest to the next rotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from rotation.outcome import Ended, Kind
from rotation.ports import (
    ListedVersion,
    NewVersion,
    SecretDisabledError,
    SecretNotFoundError,
    SecretVersion,
    VaultError,
)
from rotation.reason import Reason
from rotation.storing import Stored, Storing, strand
from rotation.tagging import fitted, job_tags, put_back
from rotation.token import is_managed
from rotation.version_history import Meanwhile, VersionHistory

_ATTEMPTS = 5
_A_SECOND = 1.0  # dates are cut to it: so what goes on top of ours is later than ours

_STANDS = "somebody stored a newer version meanwhile, and theirs stands"
_PUT_BACK = "somebody stored a newer version meanwhile; it was put back on top"
_NOT_PUT_BACK = "a re-consent made meanwhile lies under the new version and could not be put back"
_DISABLED = "it was disabled while it was being rotated; the new version is disabled too"
_RELEASED = "the secret stopped being managed while it was being rotated"


@dataclass(frozen=True, slots=True)
class Settling:
    """What settling needs: whatever storing does, for it may have to store once more."""

    storing: Storing

    def settle(self, stored: Stored, *, known: frozenset[str] = frozenset()) -> tuple[Reason, ...]:
        """Settle what was stored; returns the warnings. Raises Ended when it is not ours that stands.

        `known` are the versions that an earlier list had: they were given way to.
        """
        name = stored.new.name
        try:
            history = self._history(name, stored.looked.version, ours=stored.version, known=known)
            if history is None:
                return ()
            undecided = self._undecided(name, history.last_consents)
        except VaultError as error:
            return _unsettled(error)
        covered = [version for version in history.covered() if version in history.since or version not in undecided]
        if history.since or covered:
            on_top = self._give_way(stored, history, covered)
            if on_top != stored.version:
                return self.settle(replace(stored, version=on_top), known=known)
        warnings = self._follow(stored, history) + (Reason.CONCURRENT_WRITE,) * bool(undecided)
        return warnings + self._supersede(name, [each for each in history.superseded if each not in undecided])

    def uncover(self, read: SecretVersion) -> None:
        """Put on top what a run had covered with this version, which the issuer refuses. Raises Ended when it does."""
        try:
            history = self._history(read.name, read.version)
            theirs = history and self._first(history.covered_before(), read)
            current = self._current(read.name) if theirs else read
        except VaultError:  # what the issuer said is told all the same
            return
        if history and theirs and current.version == read.version and is_managed(current.tags):
            self._put_on_top(theirs, current, history, read.tags)

    def _history(
        self, name: str, before: str, *, ours: str = "", known: frozenset[str] = frozenset()
    ) -> VersionHistory | None:
        listed = self.storing.in_time(lambda: self.storing.vault.versions(name), attempts=_ATTEMPTS)
        return VersionHistory.of(listed, before, ours=ours, known=known)

    def _current(self, name: str) -> SecretVersion:
        return self.storing.in_time(lambda: self.storing.vault.read(name))

    def _first(
        self, versions: Iterable[ListedVersion], ours: SecretVersion | NewVersion, *used: SecretVersion
    ) -> tuple[ListedVersion, SecretVersion] | None:
        """The first of these versions that can be read and holds another token than ours, and none that was used up."""
        for version in versions:
            with suppress(SecretDisabledError):  # just now: hands off
                theirs = self.storing.in_time(partial(self.storing.vault.read, ours.name, version.version))
                if all(theirs.value != each.value for each in (ours, *used)):
                    return version, theirs
        return None

    def _give_way(self, stored: Stored, history: VersionHistory, covered: list[ListedVersion]) -> str:
        """Somebody else wrote since we looked: theirs stands, on top of ours, or beneath it where ours covers it.

        Returns the id of the version that holds our token, which is another than was stored when a request that had
        been given up came through after all.
        """
        theirs = None
        try:
            theirs = self._first(covered, stored.new, *([] if history.since else [stored.looked]))
            if theirs:
                self.storing.deadlines.pause(_A_SECOND)
            current = self._current(stored.new.name)
        except SecretDisabledError as error:  # a re-consent beneath it comes up when it is enabled again
            warnings = (Reason.CONCURRENT_WRITE,) * bool(theirs)
            raise Ended(Kind.SKIPPED, Reason.DISABLED, _DISABLED, warnings=warnings) from error
        except SecretNotFoundError:
            return stored.version
        except VaultError as error:
            strand(error, _NOT_PUT_BACK)
        if current.value != stored.new.value:
            raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, _STANDS)
        if theirs:
            if is_managed(stored.new.tags) and not is_managed(current.tags):
                raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, _RELEASED)
            in_doubt = history.is_confirmed(stored.new.tags)
            self._put_on_top(theirs, current, history, stored.new.tags, (Reason.CONCURRENT_WRITE,) * in_doubt)
        return current.version

    def _put_on_top(
        self,
        theirs: tuple[ListedVersion, SecretVersion],
        current: SecretVersion,
        history: VersionHistory,
        stored: Mapping[str, str],
        warnings: tuple[Reason, ...] = (),
    ) -> NoReturn:
        """Store what lies beneath ours on top of it, and settle that: they may have signed in once more."""
        listed, secret = theirs
        tags = history.tags_on_top(listed, stored=stored, now=current.tags)
        tagged = put_back(tags, source=listed.version, over=current.version)
        on_top = NewVersion(
            name=secret.name,
            value=secret.value,
            enabled=True,
            tags=tagged.tags,
            content_type=secret.content_type,
            expires_on=secret.expires_on,
        )
        known = frozenset(version.version for version in history.versions)
        again = self.storing.store(on_top, current, unless=_NOT_PUT_BACK)
        warnings += (Reason.TAGS_DROPPED,) * tagged.dropped + self.settle(again, known=known)
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, _PUT_BACK, warnings=warnings)

    def _follow(self, stored: Stored, history: VersionHistory) -> tuple[Reason, ...]:
        """Do to ours what somebody did meanwhile. Raises Ended when that ends the rotation."""
        what, dropped = _meanwhile(stored, history), False
        try:
            if what.tags is not None:
                history, dropped = self.storing.in_time(partial(self._carry_over, stored, history), attempts=_ATTEMPTS)
                what = _meanwhile(stored, history)
            if what.disabled and history.stored.enabled:
                self.storing.in_time(lambda: self.storing.vault.disable(stored.new.name, stored.version), attempts=1)
        except VaultError as error:
            return (Reason.CONCURRENT_WRITE, *_unsettled(error))
        warnings = (Reason.CONCURRENT_WRITE,) * what.in_doubt + (Reason.TAGS_DROPPED,) * dropped
        if what.disabled:
            raise Ended(Kind.SKIPPED, Reason.DISABLED, _DISABLED, warnings=warnings)
        if is_managed(stored.new.tags) and not is_managed(what.tags or history.stored.tags):
            raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, _RELEASED, warnings=warnings)
        return warnings

    def _carry_over(self, stored: Stored, listed: VersionHistory) -> tuple[VersionHistory, bool]:
        """Change the tags of ours, if a new list says so too. Returns that list, and whether a tag of ours gave way."""
        name = stored.new.name
        history = self._history(name, stored.looked.version, ours=stored.version, known=listed.known) or listed
        tags = _meanwhile(stored, history).tags
        if tags is None:  # somebody touched ours since: it stays as they left it
            return history, False
        tagged = fitted(tags, job_tags(stored.new.tags))
        self.storing.vault.retag(name, stored.version, tagged.tags)
        return history, tagged.dropped

    def _supersede(self, name: str, versions: Iterable[ListedVersion]) -> tuple[Reason, ...]:
        try:
            for version in versions:
                if self.storing.deadlines.is_over():  # an adopted secret may have hundreds; the next rotation goes on
                    return (Reason.DISABLE_FAILED,)
                self.storing.vault.disable(name, version.version)
        except VaultError as error:
            return _unsettled(error)
        return ()

    def _undecided(self, name: str, consents: list[ListedVersion]) -> list[ListedVersion]:
        """Re-consents of one second, unless all hold the same token, as a request that was sent twice leaves it."""
        values = [self.storing.in_time(partial(self.storing.vault.read, name, v.version)).value for v in consents]
        return consents if any(value != values[0] for value in values) else []


def _meanwhile(stored: Stored, history: VersionHistory) -> Meanwhile:
    return history.meanwhile(looked=stored.looked.tags, stored=stored.new.tags)


def _unsettled(error: VaultError) -> tuple[Reason, ...]:
    """Waiting mends most of it; a permission that is missing needs a person."""
    return (Reason.DISABLE_FAILED,) + (error.reason,) * (error.reason is Reason.VAULT_DENIED)
