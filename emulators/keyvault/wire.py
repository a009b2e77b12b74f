"""The form of what a vault answers and is asked: JSON bodies, ids, pages. Leaves meaning to `state`, statuses to `app`.

After "Azure Key Vault REST API reference, Secrets"; `tests/interop` compares it with recordings of the service.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from emulators.keyvault.errors import BadParameterError, VaultError
from emulators.keyvault.record import RETENTION
from emulators.keyvault.secret import Changes, Deletion, SecretVersion

type Json = dict[str, object]

MAX_PAGE = 25


@dataclass(frozen=True, slots=True)
class Dialect:
    """What answers depend on besides the secret: the vault's address, its soft delete, the version of the API."""

    vault_url: str
    soft_delete: bool
    api_version: str

    def bundle(self, version: SecretVersion, *, value: bool = False) -> Json:
        """A single secret; with its value only where a read or a set is answered."""
        body: Json = {"value": version.value} if value else {}
        return body | self._properties(version, f"{version.name}/{version.version}")

    def item(self, version: SecretVersion, *, version_id: bool) -> Json:
        """One line of a list: a list of versions has version ids, a list of secrets has none."""
        return self._properties(version, f"{version.name}/{version.version}" if version_id else version.name)

    def deleted(self, deletion: Deletion | SecretVersion, *, version_id: bool = True) -> Json:
        """A deleted secret; without soft delete nothing says that it could come back."""
        if isinstance(deletion, SecretVersion):
            return self.bundle(deletion)
        dates: Json = {
            "recoveryId": f"{self.vault_url}/deletedsecrets/{deletion.latest.name}",
            "deletedDate": _seconds(deletion.deleted_on),
            "scheduledPurgeDate": _seconds(deletion.scheduled_purge_on),
        }
        return dates | self.item(deletion.latest, version_id=version_id)

    def page(self, items: Sequence[Json], path: str, marker: str | None, size: int) -> Json:
        """One page of a list; `marker` is the last key on it when more follow."""
        if marker is None:
            return {"value": list(items), "nextLink": None}
        token = quote(base64.urlsafe_b64encode(marker.encode()).decode())
        query = f"api-version={self.api_version}&$skiptoken={token}&maxresults={size}"
        return {"value": list(items), "nextLink": f"{self.vault_url}{path}?{query}"}

    def _properties(self, version: SecretVersion, path: str) -> Json:
        body: Json = {"id": f"{self.vault_url}/secrets/{path}", "attributes": self._attributes(version)}
        if version.content_type is not None:
            body["contentType"] = version.content_type
        if version.tags is not None:
            body["tags"] = dict(version.tags)
        if version.managed:
            body["managed"] = True
        return body

    def _attributes(self, version: SecretVersion) -> Json:
        attributes: Json = {"enabled": version.enabled}
        if version.not_before is not None:
            attributes["nbf"] = _seconds(version.not_before)
        if version.expires_on is not None:
            attributes["exp"] = _seconds(version.expires_on)
        attributes |= {"created": _seconds(version.created), "updated": _seconds(version.updated)}
        attributes["recoveryLevel"] = "Recoverable+Purgeable" if self.soft_delete else "Purgeable"
        if self.api_version != "7.0":  # recoverableDays came with 7.1
            attributes["recoverableDays"] = RETENTION.days if self.soft_delete else 0
        return attributes


def error(refusal: VaultError) -> Json:
    """The service's error body; `innererror` only where the service has an inner code."""
    body: Json = {"code": refusal.code, "message": str(refusal)}
    if refusal.inner is not None:
        body["innererror"] = {"code": refusal.inner}
    return {"error": body}


def changes(body: Mapping[str, object]) -> Changes:
    """What a set or an update gives beside the value. Raises BadParameterError for fields of the wrong type."""
    attributes = _mapping(body, "attributes") or {}
    return Changes(
        tags=_tags(body),
        content_type=_text(body, "contentType"),
        enabled=_flag(attributes, "enabled"),
        not_before=_moment(attributes, "nbf"),
        expires_on=_moment(attributes, "exp"),
    )


def value(body: Mapping[str, object]) -> str:
    """The value of a set or the blob of a restore. Raises BadParameterError when there is none."""
    text = _text(body, "value")
    if text is None:
        raise BadParameterError("The parameter value is required")
    return text


def page_size(given: str | None) -> int:
    """How many items a page may have: 25 at most and by default."""
    if given is None:
        return MAX_PAGE
    if not given.isdecimal() or not 1 <= int(given) <= MAX_PAGE:
        raise BadParameterError(f"Invalid value for maxresults: 1 to {MAX_PAGE} is allowed")
    return int(given)


def page_start(skiptoken: str | None) -> str:
    """The key after which a page starts."""
    try:
        return base64.urlsafe_b64decode(skiptoken or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadParameterError("Invalid skiptoken") from None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _text(body: Mapping[str, object], field: str) -> str | None:
    found = body.get(field)
    if found is None or isinstance(found, str):
        return found
    raise BadParameterError(f"The parameter {field} is not a string")


def _flag(body: Mapping[str, object], field: str) -> bool | None:
    found = body.get(field)
    if found is None or isinstance(found, bool):
        return found
    raise BadParameterError(f"The parameter {field} is not a boolean")


def _moment(body: Mapping[str, object], field: str) -> datetime | None:
    found = body.get(field)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        raise BadParameterError(f"The parameter {field} is not a Unix time")
    return datetime.fromtimestamp(found, UTC)


def _mapping(body: Mapping[str, object], field: str) -> Mapping[str, object] | None:
    found = body.get(field)
    if found is None or isinstance(found, dict):
        return found
    raise BadParameterError(f"The parameter {field} is not an object")


def _tags(body: Mapping[str, object]) -> dict[str, str] | None:
    tags = _mapping(body, "tags")
    if tags is None:
        return None
    if not all(isinstance(text, str) for text in tags.values()):
        raise BadParameterError("A tag's value is not a string")
    return {name: str(text) for name, text in tags.items()}
