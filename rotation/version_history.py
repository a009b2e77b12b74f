"""What a list of a secret's versions says after a store: who wrote each, what ours lies on, what was done meanwhile.

Key Vault has no compare-and-swap: between the look and the store anybody may write, tag or disable a version, and then
ours lies on top. All that is to be had of a version are its id, its tags, whether it is enabled, and two dates that are
cut to the second. Three rules make that enough:

- A version was written since we looked when its date is later than that of the version that we looked at, or where an
  earlier list did not have it. One of the same second is neither older nor younger, and is left as it is, unless we
  looked so much later that it is older.
- A run disables only what is older than another version that lies beneath its own. So no run disabled the newest of the
  others: whoever did means ours too. Of any other version it may have been a run.
- A version whose date of change is later than its date of birth was touched. What that changed is seen, or it confirms
  what is there.

What these do not decide is in doubt, and is told. Pure; what is done about it is left to `settling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.ports import ListedVersion
from rotation.tagging import job_tags, operator_tags
from rotation.token import PUT_BACK, redeemed_at_of

_STORED_WITHIN = timedelta(hours=1)  # of its redemption: far longer than a run takes
_CLOCKS_DIFFER, _A_SECOND = timedelta(minutes=5), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody did: operator tags that ours is to get, and whether they disabled it, or what it lies on.

    `in_doubt`: they may have done more, which the list does not tell apart from what a run does.
    """

    tags: Mapping[str, str] | None = None
    disabled: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class VersionHistory:
    """The versions, the newest first; `ours` is the id of what we stored, `before` was current when we looked.

    `known` are the ids that an earlier list had; empty where this is the first. Without `ours` nothing was stored yet.
    `runs` are the moments of redemption of the versions that runs made; all other versions are re-consents.
    """

    versions: tuple[ListedVersion, ...]
    ours: str
    before: ListedVersion
    known: frozenset[str]
    runs: Mapping[str, datetime]

    @classmethod
    def of(
        cls, versions: tuple[ListedVersion, ...], before: str, *, ours: str = "", known: frozenset[str] = frozenset()
    ) -> VersionHistory | None:
        """What a list says; None where it has not both versions: the secret is gone, or the list is behind."""
        by_id = {version.version: version for version in versions}
        if not {before, ours or before} <= by_id.keys():
            return None
        runs = _made_by_runs(versions, ours)
        if known:  # what went back on top lies on a version of ours, whatever its tags say
            runs.setdefault(before, by_id[before].created_on)
        return cls(versions, ours, by_id[before], known, runs)

    @property
    def stored(self) -> ListedVersion:
        """Ours."""
        return next(version for version in self.versions if version.version == self.ours)

    @property
    def others(self) -> list[ListedVersion]:
        """Every version but ours and the one before it."""
        return [version for version in self.versions if version.version not in (self.ours, self.before.version)]

    @property
    def since(self) -> list[ListedVersion]:
        """What somebody else wrote since we looked."""
        if self.known:
            return [version for version in self.others if version.version not in self.known]
        return [version for version in self.others if version.created_on > self.before.created_on]

    @property
    def superseded(self) -> list[ListedVersion]:
        """Every enabled version that is older than the one before ours."""
        until = self.before.created_on + _A_SECOND * self._looked_later
        return [version for version in self.others if version.enabled and version.created_on < until]

    @property
    def last_consents(self) -> list[ListedVersion]:
        """The last re-consents, where several are of one second and nothing says which of them was the last."""
        last = [version for version in self._last(self.before, *self.others) if version.enabled]
        is_known = last == last[:1] or (self.before in last and self._looked_later)
        return [] if is_known else last

    @property
    def _looked_later(self) -> bool:
        """Whether the version before ours was still current long after its second: then it is the last of it."""
        redeemed = self.runs.get(self.ours)
        return redeemed is not None and redeemed - self.before.created_on > _CLOCKS_DIFFER

    def covered(self) -> list[ListedVersion]:
        """What belongs on top of ours, the first that can be had: it holds what was consented last, or its successor.

        That was consented since we looked; a run beside ours may have redeemed it already. If nobody consented since,
        it is what an earlier run has covered.
        """
        last = self._last(*self.since)
        if not last:
            return [] if self.known else self.covered_before()
        return [v for v in self.since if v.enabled and (v in last or self._was_redeemed_after(v, last[0]))]

    def covered_before(self) -> list[ListedVersion]:
        """The last re-consent, where a run covered it that ended before it could settle."""
        older = [version for version in self.others if version.created_on <= self.before.created_on]
        last = self._last(self.before, *older)
        if self.before in last:
            return self._while_put_back(older)
        return [version for version in last if version.enabled and self._was_covered(version)]

    def _while_put_back(self, older: Sequence[ListedVersion]) -> list[ListedVersion]:
        """What was consented while a run put back the version before ours, and died: its source is enabled still."""
        said = self.before.tags.get(PUT_BACK, "")
        source, _, over = said.partition(" ")
        copied = next((version for version in older if version.version == source and version.enabled), None)
        if copied is None or any(version.tags.get(PUT_BACK) == said for version in older):  # the tags of a copy, copied
            return []
        since = (v for v in older if v.created_on > copied.created_on and v.version != over and PUT_BACK not in v.tags)
        return [version for version in self._last(*since) if version.enabled]

    def _was_covered(self, version: ListedVersion) -> bool:
        """Whether it was written between the redemption of another and the store of what that gave.

        What that run redeemed is enabled still, as it had no time to settle, and is older.
        """
        enabled = [other for other in self.others if other.enabled]
        stores = (store for store in (self.before, *enabled) if store.version in self.runs)
        between = (self.runs[store.version] <= version.created_on <= store.created_on for store in stores)
        return any(between) and any(other.created_on < version.created_on for other in enabled)

    def meanwhile(self, *, looked: Mapping[str, str], stored: Mapping[str, str]) -> Meanwhile:
        """What was done to the version before ours, whose tags were `looked`, to what lies on it, and to ours.

        What they did to ours since it was `stored` counts for more.
        """
        before, beneath, ours = self.before, self._beneath(), self.stored
        theirs = operator_tags(before.tags)
        tagged = theirs != operator_tags(looked)
        if self.is_confirmed(stored):
            return Meanwhile(in_doubt=tagged or not (before.enabled and beneath.enabled))
        disabled = not (ours.enabled and beneath.enabled)
        unexplained = not (disabled or before.enabled)
        if operator_tags(ours.tags) != operator_tags(stored):
            return Meanwhile(disabled=disabled, in_doubt=unexplained)
        left = theirs if tagged else operator_tags(ours.tags)
        unlike = beneath is not before and operator_tags(beneath.tags) != left
        return Meanwhile(theirs if tagged else None, disabled, in_doubt=unexplained or unlike)

    def is_confirmed(self, stored: Mapping[str, str]) -> bool:
        """Whether somebody touched ours and left it as it was `stored`: they enabled it, or put back what it had."""
        as_stored = self.stored.enabled and operator_tags(self.stored.tags) == operator_tags(stored)
        return as_stored and self.stored.updated_on > self.stored.created_on

    def _beneath(self) -> ListedVersion:
        """The version that would be current without ours; of several in one second one that is disabled."""
        since = self.since
        if not since:
            return self.before
        newest = [version for version in since if version.created_on == since[0].created_on]
        return next((version for version in newest if not version.enabled), newest[0])

    def tags_on_top(
        self, theirs: ListedVersion, *, stored: Mapping[str, str], now: Mapping[str, str]
    ) -> Mapping[str, str]:
        """The tags with which `theirs`, beneath ours, goes back on top.

        Its own; but where operators have said others of the version on top of it since, those: of ours, that were
        `stored` and are others `now` or are confirmed, or of `before`, which an earlier run stored over the re-consent.
        """
        on_top = operator_tags(now)
        source = next((operator_tags(v.tags) for v in reversed(self.others) if v.enabled), {})
        as_stored = on_top == operator_tags(stored) and not (self.ours and self.is_confirmed(stored))
        if as_stored and (theirs in self.since or on_top == source):
            return theirs.tags
        return {**on_top, **job_tags(theirs.tags)}

    def _last(self, *versions: ListedVersion) -> list[ListedVersion]:
        """The last re-consent of these, enabled or not; several where they are of one second."""
        theirs = [version for version in versions if version.version not in self.runs]
        second = max((version.created_on for version in theirs), default=None)
        return [version for version in theirs if version.created_on == second]

    def _was_redeemed_after(self, version: ListedVersion, consent: ListedVersion) -> bool:
        return version.version in self.runs and self.runs[version.version] > consent.created_on


def _made_by_runs(versions: tuple[ListedVersion, ...], ours: str) -> dict[str, datetime]:
    """The versions that runs made, and when each was redeemed: it says so, not long before, and no older one the same.

    Else somebody wrote it who copied the tags of a version before. What says the same as ours is ours, stored twice by
    a request that had been given up.
    """
    made: dict[str, datetime] = {}
    first: dict[datetime, datetime] = {}
    for version in reversed(versions):
        at = redeemed_at_of(version.tags, exactly=True)
        if at is None:
            continue
        second = at.replace(microsecond=0)  # a version's own dates are cut to it
        if version.version == ours:
            made[ours] = second
            continue
        is_first = first.setdefault(at, version.created_on) == version.created_on
        if is_first and abs(version.created_on - second) <= _STORED_WITHIN:
            made[version.version] = second
    return made
