"""What a list of a secret's versions says after a store: who wrote each, what is superseded, what a store has covered.

Key Vault has no compare-and-swap: a re-consent may be written between the look and the store, and then lies beneath
ours. Pure; what is done about it is left to `storing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rotation.ports import ListedVersion
from rotation.tagging import fitted, operator_tags
from rotation.token import JOB_TAGS, REDEEMED_AT, redeemed_at_of


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

    def covered(self, since: datetime | None) -> list[ListedVersion]:
        """Re-consents that a store has covered, the newest first; those up to `since` are known already.

        Beside those since we looked there are those that an earlier run covered that ended before it could settle:
        `before` is that run's, and they are younger than the run, but older than `before`. The version that the run
        redeemed is enabled still and is no re-consent that it covered: the oldest is left out.
        """
        known = since or self.before.created_on
        began = redeemed_at_of(self.before.tags) if self._is_of_job(self.before) else None
        if since is None and began is not None and self.others:
            known = min(known, max(began, self.others[-1].created_on))
        return [version for version in self.others if version.created_on > known and not self._is_of_job(version)]

    def tags_on_top(self, tags: Mapping[str, str], written: datetime) -> Mapping[str, str]:
        """The tags with which a re-consent of that moment, beneath ours with these `tags`, goes back on top.

        Its own; but where operators changed the tags of `before` since an earlier run covered the re-consent, theirs.
        """
        theirs = operator_tags(self.before.tags)
        if written > self.before.created_on or theirs == operator_tags(self.others[-1].tags):
            return tags
        return fitted(theirs, {name: text for name, text in tags.items() if name in JOB_TAGS}).tags

    def _is_of_job(self, version: ListedVersion) -> bool:
        """Whether a run made this version: it says when, and no older version says the same (people copy tags)."""
        moment = version.tags.get(REDEEMED_AT)
        older = (other for other in self.versions if other.created_on < version.created_on)
        return moment is not None and all(other.tags.get(REDEEMED_AT) != moment for other in older)
