"""The status: every managed token and client credential with its health, as a value and as a JSON object.

Pure, from a vault's list alone: nothing is read, nothing is redeemed, and there is never a value in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from rotation.inventory import ClientCredential
from rotation.outcome import LostTags, VaultFault
from rotation.policy import Leave, days_left, decide, expiry_reason, next_rotation
from rotation.reason import Reason, Severity
from rotation.remembered import LastFailure
from rotation.token import InvalidRecord, ManagedToken, timestamp

_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus:
    """One managed token.

    `health` is None when all is well, `next_rotation` when there will be none; days are None while its age is unknown.
    """

    vault: str
    name: str
    label: str
    health: Reason | None
    message: str = ""
    age_days: int | None = None
    days_left: int | None = None
    redeemed_at: datetime | None = None
    next_rotation: datetime | None = None
    last_failure: LastFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Every managed token and client credential of every vault that could be listed, and the vaults that could not."""

    taken_at: datetime
    vaults: tuple[str, ...]
    vault_faults: tuple[VaultFault, ...]
    tokens: tuple[TokenStatus, ...]
    credentials: tuple[ClientCredential, ...]
    warn_before_days: int

    @property
    def all_well(self) -> bool:
        """Whether nothing needs a person."""
        unwell = [*(token.health for token in self.tokens), *map(self.health_of, self.credentials)]
        return not self.vault_faults and all(health is None or health.severity is Severity.NONE for health in unwell)

    def health_of(self, credential: ClientCredential) -> Reason | None:
        """What is wrong with a client credential at the moment of this report, or None."""
        by_its_date = credential.health(now=self.taken_at, warn_before_days=self.warn_before_days)
        if by_its_date is Reason.CLIENT_CREDENTIAL_MISSING:
            return by_its_date
        return credential.failing or by_its_date

    def to_json(self) -> dict[str, object]:
        """The status as a JSON object; its fields are only ever added."""
        return {
            "taken_at": timestamp(self.taken_at),
            "status": "ok" if self.all_well else "problems",
            "vaults": list(self.vaults),
            "vault_faults": [{"vault": f.vault, "reason": f.reason, "message": f.message} for f in self.vault_faults],
            "tokens": [_token(token) for token in self.tokens],
            "client_credentials": [_credential(one, self.health_of(one)) for one in self.credentials],
        }


def token_status(record: ManagedToken | InvalidRecord, *, now: datetime) -> TokenStatus:
    """The status of one token, from its record alone."""
    if isinstance(record, InvalidRecord):
        return TokenStatus(
            vault=record.vault,
            name=record.name,
            label=record.label,
            health=Reason.INVALID_RECORD if record.enabled else Reason.DISABLED,
            message="; ".join(record.faults),
        )
    return TokenStatus(
        vault=record.vault,
        name=record.name,
        label=record.label,
        health=_health(record, now=now),
        message="; ".join((*_past_its_end(record, now=now), *record.ignored)),
        age_days=None if record.redeemed_at is None else (now - record.redeemed_at) // timedelta(days=1),
        days_left=days_left(record, now=now),
        redeemed_at=record.redeemed_at,
        next_rotation=_next_rotation(record, now=now),
        last_failure=record.last_failure,
    )


def _next_rotation(token: ManagedToken, *, now: datetime) -> datetime | None:
    """The moment from which a run redeems it: not in the past, not before a pause ends, never while it is disabled."""
    if not token.enabled:
        return None
    due = max(next_rotation(token) or now, now)
    if token.paused_until is None:
        return due
    return max(due, datetime.combine(token.paused_until, time(), UTC))


def _past_its_end(token: ManagedToken, *, now: datetime) -> tuple[str, ...]:
    left = days_left(token, now=now)
    if left is None or left >= 0:
        return ()
    return (
        f"its {token.thresholds.inactivity_days} days without use have passed; only the issuer knows if it is dead",
    )


def lost_tags_status(lost: LostTags) -> TokenStatus:
    """The status of a secret that lost its tags."""
    return TokenStatus(
        vault=lost.vault, name=lost.name, label=lost.label, health=Reason.TAGS_LOST, message=lost.message
    )


def _health(token: ManagedToken, *, now: datetime) -> Reason | None:
    """The worst of what its days, its last failure and its owner's wishes say; a run would call the same a problem."""
    decision = decide(token, now=now)
    wish = decision.reason if isinstance(decision, Leave) and decision.reason is not Reason.NOT_DUE else None
    failure = token.last_failure.reason if token.enabled and token.last_failure and token.last_failure.lasts else None
    warned = token.standing_warnings if token.enabled else ()
    found = [reason for reason in (failure, expiry_reason(token, now=now), *warned, wish) if reason is not None]
    return min(found, key=lambda reason: _WORST_FIRST.index(reason.severity), default=None)


def _token(token: TokenStatus) -> dict[str, object]:
    return {
        "vault": token.vault,
        "name": token.name,
        "label": token.label,
        "health": token.health or "ok",
        "severity": token.health.severity if token.health else Severity.NONE,
        "age_days": token.age_days,
        "days_left": token.days_left,
        "redeemed_at": _moment(token.redeemed_at),
        "next_rotation": _moment(token.next_rotation),
        "last_failure": _failure(token.last_failure),
        "message": token.message,
        "action": token.health.action if token.health else "",
    }


def _failure(failure: LastFailure | None) -> dict[str, object] | None:
    if failure is None:
        return None
    return {
        "reason": failure.reason,
        "days": failure.days,
        "first_seen": str(failure.first_seen),
        "last_seen": str(failure.last_seen),
    }


def _credential(credential: ClientCredential, health: Reason | None) -> dict[str, object]:
    return {
        "vault": credential.vault,
        "name": str(credential.ref),
        "health": health or "ok",
        "severity": health.severity if health else Severity.NONE,
        "expires_on": _moment(credential.expires_on),
        "tokens": credential.tokens,
        "action": health.action if health else "",
    }


def _moment(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None
