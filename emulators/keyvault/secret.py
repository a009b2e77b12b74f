"""A version of a secret as a vault holds it, and the limits that a vault puts on one. Leaves storing to `state`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emulators.keyvault.errors import BadParameterError

# "About Azure Key Vault secrets" and "Vault name and object name" of "Azure Key Vault keys, secrets and certificates".
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
MAX_VALUE_BYTES = 25 * 1024
MAX_TAGS = 15
MAX_TAG_LENGTH = 256
MAX_CONTENT_TYPE_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """One version. `managed` secrets belong to a certificate."""

    name: str
    version: str = field(default_factory=lambda: uuid.uuid4().hex)
    value: str = field(repr=False)
    content_type: str | None = None
    enabled: bool = True
    created: datetime
    updated: datetime
    not_before: datetime | None = None
    expires_on: datetime | None = None
    tags: Mapping[str, str] | None = None
    managed: bool = False

    def aged(self, delta: timedelta, in_tags: Callable[[str], str] = str) -> SecretVersion:
        """The same version with every date `delta` earlier; `in_tags` does that to the text of a tag."""
        return replace(
            self,
            created=self.created - delta,
            updated=self.updated - delta,
            not_before=self.not_before and self.not_before - delta,
            expires_on=self.expires_on and self.expires_on - delta,
            tags=self.tags and {tag: in_tags(text) for tag, text in self.tags.items()},
        )


@dataclass(frozen=True, slots=True)
class Deletion:
    """A soft-deleted secret's latest version and dates."""

    latest: SecretVersion
    deleted_on: datetime
    scheduled_purge_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an update gives; None leaves a field as it is, and tags are replaced as a whole."""

    tags: Mapping[str, str] | None = None
    content_type: str | None = None
    enabled: bool | None = None
    not_before: datetime | None = None
    expires_on: datetime | None = None

    def applied_to(self, version: SecretVersion, now: datetime) -> SecretVersion:
        """The version after this update; raises BadParameterError outside of the limits."""
        check_tags(self.tags)
        check_content_type(self.content_type)
        return replace(
            version,
            tags=version.tags if self.tags is None else dict(self.tags),
            content_type=version.content_type if self.content_type is None else self.content_type,
            enabled=version.enabled if self.enabled is None else self.enabled,
            not_before=self.not_before or version.not_before,
            expires_on=self.expires_on or version.expires_on,
            updated=now,
        )


def check_name(name: str) -> None:
    """Raises BadParameterError unless `name` has 1 to 127 letters, digits and hyphens."""
    if NAME.fullmatch(name) is None:
        raise BadParameterError(f"The request URI contains an invalid name: {name}")


def check_value(value: str) -> None:
    """Raises BadParameterError when the value is over 25 KB."""
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise BadParameterError(f"The value is longer than {MAX_VALUE_BYTES} bytes")


def check_tags(tags: Mapping[str, str] | None) -> None:
    """Raises BadParameterError over 15 tags or over 256 characters in a tag's name or value."""
    if tags is None:
        return
    if len(tags) > MAX_TAGS:
        raise BadParameterError(f"There are more than {MAX_TAGS} tags")
    if any(len(name) > MAX_TAG_LENGTH or len(value) > MAX_TAG_LENGTH for name, value in tags.items()):
        raise BadParameterError(f"A tag's name or value is longer than {MAX_TAG_LENGTH} characters")


def check_content_type(content_type: str | None) -> None:
    """Raises BadParameterError over 255 characters."""
    if content_type is not None and len(content_type) > MAX_CONTENT_TYPE_LENGTH:
        raise BadParameterError(f"The content type is longer than {MAX_CONTENT_TYPE_LENGTH} characters")
