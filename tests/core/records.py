"""Records of contoso's managed tokens, and hypothesis strategies of them, for the tests of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from rotation.clouds import GLOBAL, Cloud
from rotation.outcome import Kind, Outcome
from rotation.reason import Reason, Severity
from rotation.remembered import LastFailure
from rotation.token import InvalidRecord, ManagedToken, Thresholds, parse

NOW = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
VAULT = "https://contoso-tokens.vault.azure.net"
OTHER_VAULT = "https://fabrikam-tokens.vault.azure.net"
SECRET = "secret:contoso-app"
THRESHOLDS = Thresholds(7, 90, 30)
VERSION = "0123456789abcdef0123456789abcdef"
OTHER_VERSION = "fedcba9876543210fedcba9876543210"
TAGS: Mapping[str, str] = {
    "managed-by": "token-rotation",
    "tenant-id": "11111111-2222-3333-4444-555555555555",
    "client-id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "client-credential": "secret:contoso-app",
}
"""What an operator must write at least."""

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)

FAILURES = [reason for reason in Reason if reason.severity is not Severity.NONE]
"""Every reason that a token can fail with."""


def record_of(
    more: Mapping[str, str] | None = None,
    *,
    name: str = "contoso",
    enabled: bool = True,
    vault: str = VAULT,
    vault_cloud: Cloud | None = GLOBAL,
) -> ManagedToken | InvalidRecord:
    """The record of a secret with an operator's tags and `more`."""
    tags = {**TAGS, **(more or {})}
    return parse(vault=vault, name=name, enabled=enabled, tags=tags, vault_cloud=vault_cloud, defaults=THRESHOLDS)


def token_of(
    more: Mapping[str, str] | None = None, *, name: str = "contoso", enabled: bool = True, vault: str = VAULT
) -> ManagedToken:
    record = record_of(more, name=name, enabled=enabled, vault=vault)
    assert isinstance(record, ManagedToken), record
    return record


def redeemed(age: timedelta, more: Mapping[str, str] | None = None, *, name: str = "contoso") -> ManagedToken:
    """A token redeemed that long before `NOW`."""
    return replace(token_of(more, name=name), redeemed_at=NOW - age)


def failing(reason: Reason, *, days: int = 1, last_seen: timedelta = timedelta(0)) -> LastFailure:
    """A streak of version `VERSION` that was last seen so long before `NOW`."""
    last = (NOW - last_seen).date()
    return LastFailure(reason, days, last - (days - 1) * DAY, last, VERSION)


def outcome(  # noqa: PLR0913 - the fields of an outcome
    reason: Reason,
    *,
    name: str = "contoso",
    vault: str = VAULT,
    kind: Kind = Kind.FAILED,
    subject: str = "",
    message: str = "",
    expiry: Reason | None = None,
    dated: date | None = None,
    streak: LastFailure | None = None,
    repeated: bool = False,
    warnings: tuple[Reason, ...] = (),
    because: Reason | None = None,
    days_left: int | None = 41,
) -> Outcome:
    return Outcome(
        vault=vault,
        name=name,
        kind=kind,
        reason=reason,
        message=message,
        subject=subject,
        expiry=expiry,
        dated=dated,
        streak=streak,
        repeated=repeated,
        warnings=warnings,
        because=because,
        days_left=days_left,
    )


def untried(because: Reason, *, name: str, subject: str = "", expiry: Reason | None = None) -> Outcome:
    """A token that was not tried, because a breaker was open."""
    return outcome(Reason.BREAKER_OPEN, name=name, kind=Kind.DEFERRED, subject=subject, because=because, expiry=expiry)


moments = st.timedeltas(timedelta(days=-4000), timedelta(days=4000)).map(lambda distance: NOW + distance)
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000))


@st.composite
def thresholds(draw: st.DrawFn) -> dict[str, str]:
    """Any pair of tags that a record accepts."""
    inactivity = draw(st.integers(2, 3650))
    rotate_after = draw(st.integers(1, inactivity - 1) | st.just(inactivity - 1))
    return {"rotate-after-days": str(rotate_after), "inactivity-days": str(inactivity)}


@st.composite
def last_failures(draw: st.DrawFn, now: datetime) -> LastFailure:
    """Any streak that the job can have written up to that moment."""
    last_seen = now.date() - draw(st.just(0) | st.integers(0, 400)) * DAY
    first_seen = last_seen - draw(st.integers(0, 400)) * DAY
    days = draw(st.integers(1, (last_seen - first_seen).days + 1))
    version = draw(st.sampled_from([VERSION, OTHER_VERSION]))
    return LastFailure(draw(st.sampled_from(FAILURES)), days, first_seen, last_seen, version)


@st.composite
def tokens(draw: st.DrawFn, *, enabled: bool | None = None, redeemed: bool = False) -> ManagedToken:
    """Any token whose dates lie before `NOW`, however old, failing, paused or disabled; or enabled, or redeemed."""
    dates = ages.map(lambda age: NOW - age)
    return replace(
        token_of(draw(thresholds()), enabled=draw(st.booleans()) if enabled is None else enabled),
        redeemed_at=draw(dates if redeemed else st.none() | dates),
        last_failure=draw(st.none() | last_failures(NOW)),
        paused_until=draw(st.none() | st.integers(-400, 400).map(lambda days: NOW.date() + days * DAY)),
    )


def by_one_cause(reason: Reason, count: int) -> list[Outcome]:
    return [outcome(reason, name=f"token-{number:03}", subject=SECRET, repeated=True) for number in range(count)]
