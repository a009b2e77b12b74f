"""A secret as `state` keeps it: all of its versions, alive or soft-deleted. Leaves its verbs to `state`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from emulators.keyvault.secret import Deletion, SecretVersion

RETENTION = timedelta(days=90)
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """A live secret; `versions` from the oldest to the current. Before `settles_on` it is still being recovered."""

    name: str
    versions: tuple[SecretVersion, ...]
    settles_on: datetime = EPOCH

    @property
    def latest(self) -> SecretVersion:
        """The current version."""
        return self.versions[-1]

    def aged(self, delta: timedelta, in_tags: Callable[[str], str] = str) -> Record:
        """The same secret with every date `delta` earlier."""
        versions = tuple(version.aged(delta, in_tags) for version in self.versions)
        return replace(self, versions=versions, settles_on=max(EPOCH, self.settles_on - delta))


@dataclass(frozen=True, slots=True)
class Deleted:
    """A soft-deleted secret. Before `settles_on` it is still being deleted."""

    record: Record
    deleted_on: datetime
    settles_on: datetime

    def aged(self, delta: timedelta) -> Deleted:
        """The same deletion with every date `delta` earlier."""
        return Deleted(self.record.aged(delta), self.deleted_on - delta, self.settles_on - delta)

    @property
    def told(self) -> Deletion:
        """What readers are told of it."""
        return Deletion(self.record.latest, self.deleted_on, self.deleted_on + RETENTION)
