"""What a list of a secret's versions says after a store: who wrote each, what is superseded, what a store has covered.

Key Vault has no compare-and-swap: a re-consent may be written between the look and the store, and then lies beneath
ours. Pure; what is done about it is left to `storing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.ports import ListedVersion
from rotation.tagging import Tagged, fitted, job_tags, operator_tags
from rotation.token import redeemed_at_of

_STORED_WITHIN = timedelta(hours=1)  # of its redemption: far longer than a run takes, as the two clocks may differ


@dataclass(frozen=True, slots=True)
class VersionHistory:
    """The versions, the newest first; `stored` is the id of ours, `before` the version that was current before it."""

    versions: tuple[ListedVersion, ...]
    stored: str
    before: ListedVersion

    @property
    def others(self) -> list[ListedVersion]:
        """Every other version that is enabled."""
        return [v for v in self.versions if v.enabled and v.version not in (self.stored, self.before.version)]

    @property
    def superseded(self) -> list[ListedVersion]:
        """Those that are to be disabled: older than the one before ours."""
        return [version for version in self.others if version.created_on <= self.before.created_on]

    @property
    def written_meanwhile(self) -> bool:
        """Whether anybody wrote a version since we looked."""
        return len(self.superseded) < len(self.others)

    @property
    def crowded(self) -> bool:
        """Whether somebody else wrote a version in the second of the one before ours, or later, enabled or not."""
        recent = {version.version for version in self.versions if version.created_on >= self.before.created_on}
        return not recent <= {self.stored, self.before.version}

    def covered(self, since: datetime | None) -> list[ListedVersion]:
        """Re-consents that a store has covered, the newest first; those up to `since` are known already.

        Those since we looked; if there is none, the last one before, where a run covered it that ended before it could
        settle.
        """
        known = since or self.before.created_on
        younger = [version for version in self.others if version.created_on > known and not self._is_of_job(version)]
        if younger or since is not None or not self.others:
            return younger
        oldest = self.others[-1].created_on  # of those that may be it: a history may have hundreds
        older = (v for v in self.versions if v.version != self.stored and oldest <= v.created_on <= known)
        last = next((version for version in older if not self._is_of_job(version)), None)
        return [last] if last in self.others and self._was_covered(last) else []

    def _was_covered(self, version: ListedVersion) -> bool:
        """Whether a run had redeemed another when it was written, and stored on top of it.

        What that run redeemed is enabled still, as it had no time to settle, and is older: so this is not the oldest.
        """
        stores = (other for other in (self.before, *self.others) if self._is_of_job(other))
        return version is not self.others[-1] and any(self._is_beneath(store, version) for store in stores)

    def _is_beneath(self, store: ListedVersion, version: ListedVersion) -> bool:
        """Whether it was written between the redemption and the store of what that gave.

        In the second of the store it may be a re-consent that was put back on top: then the same is there once more.
        """
        at = redeemed_at_of(store.tags)
        if at is None or not at <= version.created_on <= store.created_on:
            return False
        theirs = [v for v in self.versions if at <= v.created_on <= store.created_on and not self._is_of_job(v)]
        return version.created_on < store.created_on or theirs == [version]

    def tags_on_top(
        self, tags: Mapping[str, str], written: datetime, *, new: Mapping[str, str], now: Mapping[str, str]
    ) -> Tagged:
        """The tags with which a re-consent of that moment, beneath ours with these `tags`, goes back on top.

        Its own; but where operators have changed those of the version on top of it since, theirs: those of ours, that
        were `new` and are others `now`, or those of `before`, which an earlier run stored over the re-consent.
        """
        theirs, source = operator_tags(now), operator_tags(self.others[-1].tags)
        if theirs == operator_tags(new) and (written > self.before.created_on or theirs == source):
            return Tagged(tags, dropped=False)
        return fitted(theirs, job_tags(tags))

    def _is_of_job(self, version: ListedVersion) -> bool:
        """Whether a run made this version: it says when, not long before, and no older one says the same.

        Else somebody wrote it who copied the tags of a version before.
        """
        at = redeemed_at_of(version.tags)
        if at is None or abs(version.created_on - at) > _STORED_WITHIN:
            return False
        older = (other for other in self.versions if other.created_on < version.created_on)
        return all(redeemed_at_of(other.tags) != at for other in older)
