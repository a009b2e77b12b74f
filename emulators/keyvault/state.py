"""The secrets of one vault: versions, tags, soft deletion, backups. Knows nothing of HTTP, of callers and of roles.

Deleting and recovering take effect for readers `settle_after` later, as in the service, where both take seconds; zero
by default. Nothing waits: `age` moves the dates, `settle` ends what is under way, and another clock may be given.
"""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter

from emulators.clock import utc_now
from emulators.keyvault.errors import (
    BadParameterError,
    SecretExistsError,
    SecretIsBeingDeletedError,
    SecretIsBeingRecoveredError,
    SecretIsDeletedError,
    SecretNotFoundError,
)
from emulators.keyvault.record import EPOCH, RETENTION, Deleted, Record
from emulators.keyvault.secret import (
    Changes,
    Deletion,
    SecretVersion,
    check_content_type,
    check_name,
    check_tags,
    check_value,
)


class VaultState:
    """One vault. Safe to use from any thread; every verb raises a `VaultError` where the service would refuse."""

    def __init__(
        self,
        name: str,
        *,
        soft_delete: bool = True,
        settle_after: timedelta = timedelta(0),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self._now = now
        self.soft_delete = soft_delete
        self._settle_after = settle_after
        self._lock = threading.RLock()
        self._live: dict[str, Record] = {}  # by lower-case name: the service's names are case-insensitive
        self._deleted: dict[str, Deleted] = {}
        self._backups: dict[str, Record] = {}
        self._in_order: list[str] | None = None  # the keys of `_live`; None when one came or went

    def put(
        self,
        name: str,
        value: str,
        *,
        tags: Mapping[str, str] | None = None,
        content_type: str | None = None,
        enabled: bool = True,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
        managed: bool = False,
    ) -> SecretVersion:
        """Store a new version, which is the current one from now on. Nothing is taken over from the one before."""
        check_name(name)
        check_value(value)
        check_tags(tags)
        check_content_type(content_type)
        now = self._now()
        with self._lock:
            self._refuse_unless_writable(name)
            if name.lower() not in self._live:
                self._in_order = None
            record = self._live.get(name.lower(), Record(name, ()))
            version = SecretVersion(
                name=record.name,
                value=value,
                content_type=content_type,
                enabled=enabled,
                created=now,
                updated=now,
                not_before=not_before,
                expires_on=expires_on,
                tags=dict(tags) if tags is not None else None,
                managed=managed,
            )
            self._live[name.lower()] = replace(record, versions=(*record.versions, version))
            return version

    def current(self, name: str) -> SecretVersion:
        """The newest version, enabled or not."""
        return self._record(name).latest

    def version(self, name: str, version: str) -> SecretVersion:
        """One version by its id."""
        for candidate in self._record(name).versions:
            if candidate.version == version:
                return candidate
        raise SecretNotFoundError.named(f"{name}/{version}")

    def versions(self, name: str) -> tuple[SecretVersion, ...]:
        """Every version from the oldest to the current; none for a name that is not there."""
        try:
            return self._record(name).versions
        except SecretNotFoundError:
            return ()

    def latest(self, *, after: str = "", at_most: int | None = None) -> tuple[SecretVersion, ...]:
        """The newest version of every live secret, by name; of the first so many `after` a lower-case name."""
        with self._lock:
            now = self._now()
            keys = self._keys_in_order()
            following = (self._live[key] for key in islice(keys, bisect_right(keys, after), None))
            return tuple(islice((each.latest for each in following if each.settles_on <= now), at_most))

    def _keys_in_order(self) -> list[str]:
        """Sorted once for as long as no secret comes or goes: a page of a long list costs no more than itself."""
        if self._in_order is None:
            self._in_order = sorted(self._live)
        return self._in_order

    def names(self) -> tuple[str, ...]:
        """Every live secret, by name."""
        return tuple(version.name for version in self.latest())

    def update(self, name: str, version: str | None, changes: Changes) -> SecretVersion:
        """Change one version in place; without a version id, whichever is the newest now."""
        with self._lock:
            old = self.current(name) if version is None else self.version(name, version)
            new = changes.applied_to(old, self._now())
            record = self._record(name)
            versions = tuple(new if one.version == old.version else one for one in record.versions)
            self._live[name.lower()] = replace(record, versions=versions)
            return new

    def retag(self, name: str, tags: Mapping[str, str], version: str | None = None) -> SecretVersion:
        """Replace all tags."""
        return self.update(name, version, Changes(tags=tags))

    def disable(self, name: str, version: str | None = None) -> SecretVersion:
        """Make one version unreadable."""
        return self.update(name, version, Changes(enabled=False))

    def enable(self, name: str, version: str | None = None) -> SecretVersion:
        """Make one version readable again."""
        return self.update(name, version, Changes(enabled=True))

    def delete(self, name: str) -> Deletion | SecretVersion:
        """Delete every version: recoverable for 90 days; without soft delete for good (returns the last version)."""
        with self._lock:
            record = self._record(name)
            del self._live[name.lower()]
            self._in_order = None
            if not self.soft_delete:
                return record.latest
            now = self._now()
            deleted = Deleted(record, now, now + self._settle_after)
            self._deleted[name.lower()] = deleted
            return deleted.told

    def deleted(self, name: str) -> Deletion:
        """A deleted secret that has not been purged."""
        with self._lock:
            return self._settled_deletion(name).told

    def deletions(self) -> tuple[Deletion, ...]:
        """Every deleted secret that has not been purged, by name."""
        with self._lock:
            self._purge_what_is_over()
            now = self._now()
            return tuple(
                each.told for _, each in sorted(self._deleted.items(), key=itemgetter(0)) if each.settles_on <= now
            )

    def deleted_names(self) -> tuple[str, ...]:
        """The names of `deletions`."""
        return tuple(deletion.latest.name for deletion in self.deletions())

    def recover(self, name: str) -> SecretVersion:
        """Bring a deleted secret back with all of its versions; returns the newest."""
        with self._lock:
            record = self._settled_deletion(name).record
            del self._deleted[name.lower()]
            settles_on = self._now() + self._settle_after
            self._live[name.lower()] = replace(record, settles_on=settles_on)
            self._in_order = None
            return record.latest

    def purge(self, name: str) -> None:
        """Remove a deleted secret for good."""
        with self._lock:
            self._settled_deletion(name)
            del self._deleted[name.lower()]

    def backup(self, name: str) -> str:
        """An opaque blob (base64url) from which this vault can restore every version."""
        with self._lock:
            blob = secrets.token_urlsafe(48)
            self._backups[blob] = self._record(name)
            return blob

    def restore(self, blob: str) -> SecretVersion:
        """Restore a backup under its own name and version ids; returns the newest version."""
        with self._lock:
            record = self._backups.get(blob)
            if record is None:
                raise BadParameterError("Backup blob does not contain a valid backup of a secret")
            self._refuse_unless_writable(record.name)
            if record.name.lower() in self._live:
                raise SecretExistsError(record.name)
            self._live[record.name.lower()] = record
            self._in_order = None
            return record.latest

    def settle(self) -> None:
        """What is still being deleted or recovered is done now."""
        with self._lock:
            now = self._now()
            self._live = {key: replace(record, settles_on=EPOCH) for key, record in self._live.items()}
            self._deleted = {
                key: replace(each, settles_on=min(now, each.settles_on)) for key, each in self._deleted.items()
            }

    def age(self, delta: timedelta, *, in_tags: Callable[[str], str] = str) -> None:
        """Let time pass: every stored date is `delta` earlier, and what was to be purged by then is gone.

        `in_tags` makes the text of a tag as much earlier; nobody has changed a version by that.
        """
        with self._lock:
            self._live = {key: record.aged(delta, in_tags) for key, record in self._live.items()}
            self._backups = {key: record.aged(delta) for key, record in self._backups.items()}
            self._deleted = {key: deleted.aged(delta) for key, deleted in self._deleted.items()}
            self._purge_what_is_over()

    def _record(self, name: str) -> Record:
        check_name(name)
        with self._lock:
            record = self._live.get(name.lower())
            if record is None or record.settles_on > self._now():
                raise SecretNotFoundError.named(name)
            return record

    def _settled_deletion(self, name: str) -> Deleted:
        check_name(name)
        self._purge_what_is_over()
        deleted = self._deleted.get(name.lower())
        if deleted is None or deleted.settles_on > self._now():
            raise SecretNotFoundError.among_deleted(name)
        return deleted

    def _refuse_unless_writable(self, name: str) -> None:
        self._purge_what_is_over()
        now = self._now()
        deleted, live = self._deleted.get(name.lower()), self._live.get(name.lower())
        if deleted is not None:
            raise SecretIsBeingDeletedError(name) if deleted.settles_on > now else SecretIsDeletedError(name)
        if live is not None and live.settles_on > now:
            raise SecretIsBeingRecoveredError(name)

    def _purge_what_is_over(self) -> None:
        now = self._now()
        self._deleted = {key: each for key, each in self._deleted.items() if each.deleted_on + RETENTION > now}
