"""A managed token as its tags describe it: parsing tags into a record, and every fault of a record at once.

The tags are the contract with the vault and the only state. Nothing here reads a vault or a clock; what is due is
decided in `policy`. Tags that only the job writes never block a token: what cannot be read of them is ignored and
named in `ignored`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rotation.clouds import CLOUDS, GLOBAL, Cloud
from rotation.credential_ref import GUID, CredentialRef
from rotation.reason import Reason
from rotation.remembered import LastFailure, LastWarning

MANAGED_BY = "managed-by"
MANAGED_BY_US = "token-rotation"
TENANT_ID = "tenant-id"
CLIENT_ID = "client-id"
CLIENT_CREDENTIAL = "client-credential"
SCOPES = "scopes"
CLOUD = "cloud"
ROTATE_AFTER_DAYS = "rotate-after-days"
INACTIVITY_DAYS = "inactivity-days"
LABEL = "label"
PAUSED_UNTIL = "paused-until"
ACCOUNT_ID = "account-id"
REDEEMED_AT = "redeemed-at"
LAST_FAILURE = "last-failure"
LAST_WARNING = "last-warning"
PUT_BACK = "put-back"

MOST_TAGS = 15
"""Azure Key Vault: "About keys, secrets and certificates", secret tags."""

JOB_TAGS = frozenset({ACCOUNT_ID, REDEEMED_AT, LAST_FAILURE, LAST_WARNING, PUT_BACK})
"""Tags that only the job writes; every other tag is the operator's and is never changed."""

OUR_TAGS = JOB_TAGS - {PUT_BACK} | {MANAGED_BY, TENANT_ID, CLIENT_ID, CLIENT_CREDENTIAL}
"""Tags that say that a secret is, or was, a token of ours; `put-back` is on a re-consent that came without any, too."""

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII | re.IGNORECASE)
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_ADDED_BY_MSAL = frozenset({"openid", "profile", "offline_access"})  # it raises when they are given
_DAYS = re.compile(r"[0-9]{1,4}")
_LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Ages in days: redeem from the first on, dead from the second on; and warn when fewer than the third are left."""

    rotate_after_days: int
    inactivity_days: int
    warn_before_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedToken:
    """A secret that holds a refresh token, as its tags describe it. Never holds the value."""

    vault: str
    name: str
    enabled: bool
    tenant_id: str
    client_id: str
    credentials: tuple[CredentialRef, ...]
    scopes: tuple[str, ...]
    cloud: Cloud
    thresholds: Thresholds
    label: str
    paused_until: date | None
    account_id: str | None
    redeemed_at: datetime | None
    last_failure: LastFailure | None
    last_warning: LastWarning | None = None
    is_crowded: bool = False
    ignored: tuple[str, ...]

    @property
    def standing_warnings(self) -> tuple[Reason, ...]:
        """What its last rotation warned of and is so still."""
        remembered = self.last_warning.reasons if self.last_warning else ()
        return remembered + (Reason.TAGS_DROPPED,) * self.is_crowded

    @property
    def has_tenant_guid(self) -> bool:
        """Whether `tenant_id` is a GUID, so that the tenant of an answer can be compared with it."""
        return GUID.fullmatch(self.tenant_id) is not None


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A managed secret whose tags say nothing usable, with every fault of them; each names its tag and the mend."""

    vault: str
    name: str
    label: str
    enabled: bool
    faults: tuple[str, ...]


def is_managed(tags: Mapping[str, str]) -> bool:
    """Whether a secret with these tags is ours to read and write."""
    return tags.get(MANAGED_BY, "").strip().lower() == MANAGED_BY_US  # a blank typed beside it must not mean no care


def parse(
    *, vault: str, name: str, enabled: bool, tags: Mapping[str, str], vault_cloud: Cloud | None, defaults: Thresholds
) -> ManagedToken | InvalidRecord:
    """Read the tags of a managed secret; whatever they hold: a record or its faults, never an exception."""
    faults: list[str] = []
    ignored: list[str] = []
    cloud = _cloud(tags, vault_cloud, faults)
    token = ManagedToken(
        vault=vault,
        name=name,
        enabled=enabled,
        tenant_id=_tenant_id(tags, faults),
        client_id=_client_id(tags, faults),
        credentials=_credentials(tags, faults),
        scopes=_scopes(tags, cloud, faults),
        cloud=cloud,
        thresholds=_thresholds(tags, defaults, faults),
        label=label_of(tags),
        paused_until=_paused_until(tags, faults),
        account_id=tags.get(ACCOUNT_ID) or None,
        redeemed_at=redeemed_at_of(tags, ignored),
        last_failure=_remembered(LAST_FAILURE, LastFailure.parse, tags, ignored),
        last_warning=_remembered(LAST_WARNING, LastWarning.parse, tags, ignored),
        is_crowded=_is_crowded(tags),
        ignored=tuple(ignored),
    )
    return InvalidRecord(vault, name, token.label, enabled, tuple(faults)) if faults else token


def timestamp(moment: datetime, *, timespec: str = "seconds") -> str:
    """RFC 3339 in UTC, to the second: the form of every date in a report; the tag `redeemed-at` has milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def label_of(tags: Mapping[str, str]) -> str:
    """The name people know the token by, without what a terminal would obey."""
    return "".join(letter for letter in tags.get(LABEL, "") if letter.isprintable())


def redeemed_at_of(
    tags: Mapping[str, str], ignored: list[str] | None = None, *, exactly: bool = False
) -> datetime | None:
    """When the job redeemed this version, to the second or `exactly`; None for one that it never did.

    What cannot be read is named in `ignored`.
    """
    text = tags.get(REDEEMED_AT)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        if ignored is not None:
            ignored.append(f"{REDEEMED_AT} is not a timestamp and counts as missing")
        return None
    return moment if exactly else moment.replace(microsecond=0)


def _tenant_id(tags: Mapping[str, str], faults: list[str]) -> str:
    value = tags.get(TENANT_ID, "").strip()
    if not value:
        faults.append(f"{TENANT_ID} is missing: set it to the tenant's GUID or verified domain")
    elif not (GUID.fullmatch(value) or _DOMAIN.fullmatch(value)):
        faults.append(f"{TENANT_ID} is neither a GUID nor a verified domain (common and organizations are not tenants)")
    return value.lower()


def _client_id(tags: Mapping[str, str], faults: list[str]) -> str:
    value = tags.get(CLIENT_ID, "").strip()
    if not value:
        faults.append(f"{CLIENT_ID} is missing: set it to the application (client) id")
    elif not GUID.fullmatch(value):
        faults.append(f"{CLIENT_ID} is not a GUID: use the application (client) id")
    return value.lower()


def _credentials(tags: Mapping[str, str], faults: list[str]) -> tuple[CredentialRef, ...]:
    entries = [entry for entry in tags.get(CLIENT_CREDENTIAL, "").split(",") if entry.strip()]
    if not entries:
        faults.append(
            f"{CLIENT_CREDENTIAL} is missing: set it to secret:<name>, certificate:<name> or managed-identity"
        )
    refs: list[CredentialRef] = []
    for position, entry in enumerate(entries, start=1):
        try:
            refs.append(CredentialRef.parse(entry))
        except ValueError:
            forms = "secret:<name>, certificate:<name>, managed-identity or managed-identity:<client id>"
            faults.append(f"{CLIENT_CREDENTIAL} entry {position} is none of {forms}")
    return tuple(dict.fromkeys(refs))


def _scopes(tags: Mapping[str, str], cloud: Cloud, faults: list[str]) -> tuple[str, ...]:
    scopes = tuple(scope for scope in tags.get(SCOPES, "").split() if scope not in _ADDED_BY_MSAL)
    if not all(map(_SCOPE.fullmatch, scopes)):
        faults.append(f"{SCOPES} has characters that no scope has: write it as https://<resource>/<permission>")
    elif len({resource_of(scope) for scope in scopes}) > 1:
        faults.append(f"{SCOPES} names more than one resource: a token is redeemed for one at a time")
    return scopes or (cloud.partner_center_scope,)


def resource_of(scope: str) -> str:
    """The resource that a scope belongs to: what stands before its last slash (empty for Graph's short names)."""
    return scope.rpartition("/")[0]


def _cloud(tags: Mapping[str, str], vault_cloud: Cloud | None, faults: list[str]) -> Cloud:
    name = tags.get(CLOUD, "").strip().lower()
    if not name:
        return vault_cloud or GLOBAL
    if name not in CLOUDS:
        faults.append(f"{CLOUD} is none of {', '.join(CLOUDS)}")
    elif vault_cloud not in (None, CLOUDS[name]):
        faults.append(
            f"{CLOUD} says {name}, but the vault is in another cloud: a token never crosses clouds (AADSTS90038)"
        )
    return CLOUDS.get(name, GLOBAL)


def _thresholds(tags: Mapping[str, str], defaults: Thresholds, faults: list[str]) -> Thresholds:
    rotate_after = _days(tags, ROTATE_AFTER_DAYS, defaults.rotate_after_days, faults)
    inactivity = _days(tags, INACTIVITY_DAYS, defaults.inactivity_days, faults)
    if rotate_after >= inactivity:
        faults.append(f"{ROTATE_AFTER_DAYS} ({rotate_after}) must be under {INACTIVITY_DAYS} ({inactivity}): lower it")
    # Half the margin at most: with a short window the setting alone would warn about a token in its best health.
    return Thresholds(rotate_after, inactivity, min(defaults.warn_before_days, max(0, inactivity - rotate_after) // 2))


def _days(tags: Mapping[str, str], tag: str, default: int, faults: list[str]) -> int:
    text = tags.get(tag, "").strip()
    if not text:
        return default
    if not (_DAYS.fullmatch(text) and 1 <= int(text) <= _LONGEST_DAYS):
        faults.append(f"{tag} is not a whole number of days from 1 to {_LONGEST_DAYS}")
        return default
    return int(text)


def _paused_until(tags: Mapping[str, str], faults: list[str]) -> date | None:
    text = tags.get(PAUSED_UNTIL, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        faults.append(f"{PAUSED_UNTIL} is not a date: write it as 2027-01-31")
        return None


def _remembered[T](tag: str, parse: Callable[[str], T], tags: Mapping[str, str], ignored: list[str]) -> T | None:
    text = tags.get(tag)
    if text is None:
        return None
    try:
        return parse(text)
    except (ValueError, OverflowError):
        ignored.append(f"{tag} is not of its form and counts as missing")
        return None


def _is_crowded(tags: Mapping[str, str]) -> bool:
    """Whether a rotation had no room for all of its tags; without `redeemed-at` a token is due, and says so itself."""
    return len(tags) >= MOST_TAGS and REDEEMED_AT in tags and ACCOUNT_ID not in tags
