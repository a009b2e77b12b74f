"""What is due: one decision a token, from its record, a moment and the thresholds. No I/O, no clock, no settings.

The rules, in order; the first that applies decides:
 1. A disabled secret and a paused token are left alone; `force` does not overrule either.
 2. `force` redeems.
 3. A remembered failure of this version is tried again when its reason passes by itself or is the client credential's
    (a breaker keeps that cheap), when the day has changed, or when a person asks; else it still stands. Which version
    a listing cannot say, so a standing failure is confirmed by reading (`Standing`). A failure of another version means
    that somebody wrote this one: it is redeemed, which proves it.
 4. What the last rotation could not settle is due in every run for two days: a re-consent may lie beneath it.
 5. A token never redeemed by the job is due now, and so is one that claims to have been redeemed in the future.
 6. A token is due from `rotate_after_days` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rotation.reason import TRANSIENT, Reason, Unit
from rotation.remembered import LastFailure
from rotation.token import ManagedToken, Thresholds

CRITICAL_DAYS = 7
"""Fewer days left than this and the loss of access is a matter of days."""

_SETTLED_WITHIN = timedelta(days=2)
_CLOCK_SKEW = timedelta(minutes=5)
_UNKNOWN_AGE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Redeem:
    """The token is to be redeemed now."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Leave:
    """The token is to be left alone in this run."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Standing:
    """A failure stands and is not tried again today; from a listing, only if reading shows the version that failed."""

    failure: LastFailure


type Decision = Redeem | Leave | Standing


def decide(
    token: ManagedToken, *, now: datetime, version: str | None = None, force: bool = False, by_hand: bool = False
) -> Decision:
    """Decide on one token; `version` is the current version's id once it was read, None from a listing.

    `by_hand` says that a person started the run: what they mended since the last failure is tried at once.
    """
    if not token.enabled:
        return Leave(Reason.DISABLED)
    if token.paused_until is not None and now.date() < token.paused_until:
        return Leave(Reason.PAUSED)
    if force:
        return Redeem(Reason.FORCED)
    if token.last_failure is not None:
        return _after_failure(token.last_failure, now=now, version=version, by_hand=by_hand)
    if _is_unsettled(token, now):
        return Redeem(Reason.RETRY)
    if token.redeemed_at is None or token.redeemed_at > now + _CLOCK_SKEW:
        return Redeem(Reason.NEVER_REDEEMED)
    if now - token.redeemed_at >= timedelta(days=token.thresholds.rotate_after_days):
        return Redeem(Reason.DUE)
    return Leave(Reason.NOT_DUE)


def _after_failure(failure: LastFailure, *, now: datetime, version: str | None, by_hand: bool) -> Decision:
    if version is not None and version != failure.version:
        return Redeem(Reason.NEVER_REDEEMED)
    if by_hand or _worth_another_try(failure, now):
        return Redeem(Reason.RETRY)
    return Standing(failure)


def _worth_another_try(failure: LastFailure, now: datetime) -> bool:
    unconfirmed = failure.reason is Reason.TOKEN_REJECTED and failure.days == 1
    return (
        unconfirmed
        or failure.reason in TRANSIENT
        or failure.reason.unit is Unit.CREDENTIAL
        or failure.last_seen != now.date()
    )


def _is_unsettled(token: ManagedToken, now: datetime) -> bool:
    warning = token.last_warning
    if warning is None or Reason.DISABLE_FAILED not in warning.reasons:
        return False
    return now.date() - warning.first_seen < _SETTLED_WITHIN


def streak(previous: LastFailure | None, *, reason: Reason, version: str, now: datetime) -> LastFailure:
    """The streak after one more failure: it goes on for the same reason, or from one passing reason to another."""
    today = now.date()
    if previous is None or previous.version != version or not _same_kind(previous.reason, reason):
        return LastFailure(reason, 1, today, today, version)
    days = previous.days + (previous.last_seen != today)
    return LastFailure(reason, days, previous.first_seen, today, version)


def _same_kind(one: Reason, other: Reason) -> bool:
    return one is other or (one in TRANSIENT and other in TRANSIENT)


def expires_at(redeemed_at: datetime, thresholds: Thresholds) -> datetime:
    """The moment at which a token redeemed then dies of inactivity."""
    return _later(redeemed_at, thresholds.inactivity_days)


def next_rotation(token: ManagedToken) -> datetime | None:
    """The moment from which the token is due, or None when it is due at once."""
    return None if token.redeemed_at is None else _later(token.redeemed_at, token.thresholds.rotate_after_days)


def _later(moment: datetime, days: int) -> datetime:
    try:
        return moment + timedelta(days=days)
    except OverflowError:  # a tag may name the last day of the calendar
        return datetime.max.replace(tzinfo=UTC)


def days_left(token: ManagedToken, *, now: datetime) -> int | None:
    """Whole days until the token dies of inactivity, negative when it should be dead, None when its age is unknown."""
    if token.redeemed_at is None:
        return None
    return (expires_at(token.redeemed_at, token.thresholds) - now) // timedelta(days=1)


def urgency(token: ManagedToken) -> datetime:
    """Sort key: the token that dies first comes first, one of unknown age before all."""
    return _UNKNOWN_AGE if token.redeemed_at is None else expires_at(token.redeemed_at, token.thresholds)


def expiry_reason(token: ManagedToken, *, now: datetime) -> Reason | None:
    """The problem that the days left are by themselves, whatever else happened: none, a warning, or critical."""
    if token.redeemed_at is None or not token.enabled:
        return None
    left = expires_at(token.redeemed_at, token.thresholds) - now
    if left <= timedelta(0) or left < timedelta(days=_critical_days(token.thresholds)):
        return Reason.EXPIRES_WITHIN_WEEK
    return Reason.EXPIRING if left < timedelta(days=token.thresholds.warn_before_days) else None


def expiry_since(token: ManagedToken, *, now: datetime) -> date | None:
    """The first day of `expiry_reason`, which follows from the token's age alone; None where there is no reason."""
    reason = expiry_reason(token, now=now)
    if reason is None or token.redeemed_at is None:
        return None
    critical = reason is Reason.EXPIRES_WITHIN_WEEK
    days = _critical_days(token.thresholds) if critical else token.thresholds.warn_before_days
    return (expires_at(token.redeemed_at, token.thresholds) - timedelta(days=days)).date()


def _critical_days(thresholds: Thresholds) -> int:
    """A quarter of a short window: seven days may be all it ever has."""
    return min(CRITICAL_DAYS, (thresholds.inactivity_days - thresholds.rotate_after_days) // 4)
