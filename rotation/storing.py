"""Steps 5 to 7 of a rotation: look again, store, settle. All that happens while a redeemed token is only in memory.

Key Vault has no compare-and-swap and its PUT is not idempotent. So the current version is read before every attempt
to store, and the versions are listed once afterwards: what somebody else wrote or changed in between stands. What is
decided, redeemed and told before and after is left to `rotate`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from rotation.outcome import Kind
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
from rotation.reason import Reason
from rotation.tagging import operator_tags
from rotation.token import LastFailure, is_managed

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_REFUSALS = 3  # a permission that is missing does not come back in minutes, and the stored token is still good
_SETTLING_ATTEMPTS = 5


class Ended(Exception):
    """A rotation that ended early, with its outcome; `remembered` is a failure that stands in the tags."""

    def __init__(self, kind: Kind, reason: Reason, message: str = "", *, remembered: LastFailure | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.remembered = remembered


@dataclass(frozen=True, slots=True)
class Storing:
    """What the three steps need: the vault, and until when they may try."""

    vault: Vault
    deadlines: Deadlines

    def look_again(self, read: SecretVersion) -> SecretVersion:
        """Step 5. The version that was read, as it is now. Raises Ended when theirs stands."""
        looked = self._read_current(read.name)
        if looked.version != read.version:
            raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "somebody stored a newer version meanwhile, and theirs stands")
        if not is_managed(looked.tags):
            raise Ended(
                Kind.SKIPPED, Reason.SUPERSEDED, "the secret stopped being managed meanwhile; nothing was stored"
            )
        return looked

    def store(self, new: NewVersion, looked: SecretVersion) -> str:
        """Step 6. Store until it is there, and return the version's id. Raises Ended when it never is."""
        refusals = 0
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                return self.vault.store(new)
            except VaultError as error:
                if error.reason is Reason.SECRET_DELETED:
                    raise Ended(Kind.FAILED, error.reason, "it was deleted before the new token was stored") from error
                refusals += error.reason is Reason.VAULT_DENIED
                if refusals >= _REFUSALS or not self.deadlines.pause(error.retry_after or wait):
                    _strand(error)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            current = self._read_current(new.name)
            if current.value == new.value:  # the answer was lost, not the request
                return current.version
            self.look_again(looked)

    def _read_current(self, name: str) -> SecretVersion:
        try:
            return self._persistently(lambda: self.vault.read(name))
        except SecretDisabledError as error:
            message = "it was disabled while it was being redeemed; the new token was not stored"
            raise Ended(Kind.SKIPPED, Reason.DISABLED, message) from error
        except SecretNotFoundError as error:
            raise Ended(Kind.FAILED, Reason.SECRET_DELETED, "it was deleted while it was being redeemed") from error
        except VaultError as error:
            _strand(error)

    def settle(self, stored: str, new: NewVersion, looked: SecretVersion) -> tuple[Reason, ...]:
        """Step 7. Returns the warnings of it. Raises Ended when a re-consent had to be put back on top."""
        try:
            versions = self._persistently(lambda: self.vault.versions(new.name), attempts=_SETTLING_ATTEMPTS)
        except VaultError:
            return (Reason.DISABLE_FAILED,)
        self._give_way_to_theirs(stored, new, looked, versions)
        try:
            self._follow_operator(stored, new, looked, versions)
            for version in versions:
                if version.enabled and version.version not in (stored, looked.version):
                    self.vault.disable(new.name, version.version)
        except VaultError:
            return (Reason.DISABLE_FAILED,)
        return ()

    def _give_way_to_theirs(
        self, stored: str, new: NewVersion, looked: SecretVersion, versions: tuple[ListedVersion, ...]
    ) -> None:
        """A version written between step 5 and the store lies under ours: the newer consent goes back on top."""
        ours = {stored, looked.version}
        since = next((v.created_on for v in versions if v.version == looked.version), None)
        written = [
            v for v in versions if v.version not in ours and v.enabled and since is not None and v.created_on > since
        ]
        if not written:
            return
        try:
            theirs = self._persistently(lambda: self.vault.read(new.name, written[0].version))
            if theirs.value == new.value or self._persistently(lambda: self.vault.read(new.name)).version != stored:
                return
            put_back = replace(new, value=theirs.value, enabled=True, tags=theirs.tags)
            put_back = replace(put_back, content_type=theirs.content_type, expires_on=theirs.expires_on)
            self._persistently(lambda: self.vault.store(put_back))
        except VaultError as error:
            message = (
                f"a re-consent made meanwhile lies under the new version and could not be put back: {error.message}"
            )
            raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message) from error
        raise Ended(
            Kind.SKIPPED, Reason.SUPERSEDED, "somebody stored a newer version meanwhile; it was put back on top"
        )

    def _follow_operator(
        self, stored: str, new: NewVersion, looked: SecretVersion, versions: tuple[ListedVersion, ...]
    ) -> None:
        """What the operator did to the version before ours, after we looked, is done to ours."""
        before = next((version for version in versions if version.version == looked.version), None)
        if before is None:
            return
        theirs = operator_tags(before.tags)
        if theirs != operator_tags(looked.tags):
            ours = {name: value for name, value in new.tags.items() if name not in operator_tags(new.tags)}
            self.vault.retag(new.name, stored, theirs | ours)
        if looked.enabled and not before.enabled:
            self.vault.disable(new.name, stored)

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
                limit = _REFUSALS if error.reason is Reason.VAULT_DENIED else attempts
                if (limit is not None and tried >= limit) or not self.deadlines.pause(error.retry_after or wait):
                    raise
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _strand(error: VaultError) -> NoReturn:
    message = f"redeemed, but the new token could not be stored: {error.message}"
    raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message) from error
