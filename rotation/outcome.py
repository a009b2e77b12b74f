"""What a run says of one token: an outcome with exactly one reason, and whatever else an operator must know of it.

Pure values, and how they follow from a token's record. How outcomes become problems is left to `problem`, how they are
written down to `report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from rotation.credential_ref import CredentialRef
from rotation.policy import days_left, expiry_reason, expiry_since
from rotation.reason import Reason, Unit
from rotation.remembered import LastFailure, LastWarning
from rotation.token import ManagedToken

_RETIRED = (Reason.DISABLED, Reason.SECRET_DELETED)


class Kind(StrEnum):
    """The five things that can happen to a managed token in a run."""

    ROTATED = "rotated"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    FAILED = "failed"
    STRANDED = "stranded"


@dataclass(frozen=True, slots=True)
class StandingFailure:
    """What an earlier run found, and what its reason's unit means: this run learned nothing of it."""

    failure: LastFailure
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One token's part in a run. Holds no value, no text of others, and nothing that names a person.

    `subject` is what the reason's unit means here: the client credential, the client and tenant, the issuer; empty
    for a reason whose unit is the token or the vault. `because` is set with `breaker_open`: the reason that opened
    the breaker. `days_left` is None while the token's age is unknown, and when the record is not of the version that is
    current. `expiry` is the problem that the days left are by themselves; `dated` is the first day of that, or the day
    on which the tags were lost. `standing` is what failed before, where this run learned nothing of it: the token was
    not tried, or met something that passes. `repeated` says that an earlier run saw this very failure of this very
    version too. `warnings` are those of this rotation, or of the last one where the token was not rotated;
    `last_warning` says since when. `proved` is what a stored redemption shows to be in order: units with their
    subjects.
    """

    vault: str
    name: str
    kind: Kind
    reason: Reason
    message: str = ""
    label: str = ""
    subject: str = ""
    because: Reason | None = None
    days_left: int | None = None
    expiry: Reason | None = None
    dated: date | None = None
    streak: LastFailure | None = None
    standing: StandingFailure | None = None
    repeated: bool = False
    closes_vault: bool = False
    warnings: tuple[Reason, ...] = ()
    last_warning: LastWarning | None = None
    proved: tuple[tuple[Unit, str], ...] = ()

    @property
    def is_plainly_fresh(self) -> bool:
        """Whether there is nothing to tell: not due, nothing failing, days enough."""
        return self.reason is Reason.NOT_DUE and self.expiry is None and not self.warnings


@dataclass(frozen=True, slots=True)
class Refusal:
    """A client credential that the issuer refused, or that cannot be had, and how many due tokens name it."""

    vault: str
    credential: CredentialRef
    reason: Reason
    message: str
    tokens: int


@dataclass(frozen=True, slots=True)
class LostTags:
    """A secret whose current version, of `lost_on`, has no tags, while the version before it was managed."""

    vault: str
    name: str
    label: str
    version: str
    written_on: datetime
    lost_on: datetime

    @property
    def message(self) -> str:
        """Where the tags are, and how to say that it was meant."""
        tags = f"version {self.version} of {self.written_on:%Y-%m-%d} has them"
        return f"the current version has no tags; {tags}. To retire the token instead, set the tag managed-by to none"


@dataclass(frozen=True, slots=True)
class VaultFault:
    """A vault that could not be listed, or whose lease another run holds: none of its tokens was looked at."""

    vault: str
    reason: Reason
    message: str


class Ended(Exception):
    """A rotation that ended early, with its outcome.

    `remembered` is a failure that stands in the tags; `warnings` are of what was done before it ended.
    """

    def __init__(
        self,
        kind: Kind,
        reason: Reason,
        message: str = "",
        *,
        remembered: LastFailure | None = None,
        subject: str | None = None,
        closes_vault: bool = False,
        warnings: tuple[Reason, ...] = (),
    ) -> None:
        super().__init__(message)
        self.closes_vault = closes_vault
        self.warnings = warnings
        self.subject = subject
        self.kind = kind
        self.reason = reason
        self.message = message
        self.remembered = remembered


def outcome_of(token: ManagedToken, kind: Kind, reason: Reason, *, now: datetime, message: str = "") -> Outcome:
    """An outcome of this token as its record stands, with the subject that the reason's unit asks for."""
    is_current = reason is not Reason.SUPERSEDED  # else the record and its days are those of a version before
    is_warned = is_current and reason not in _RETIRED
    return Outcome(
        vault=token.vault,
        name=token.name,
        label=token.label,
        kind=kind,
        reason=reason,
        message=message,
        subject=_subject(token, reason.unit),
        days_left=days_left(token, now=now) if is_current else None,
        expiry=expiry_reason(token, now=now) if is_current else None,
        warnings=token.standing_warnings if is_warned else (),
        last_warning=token.last_warning if is_warned else None,
        dated=expiry_since(token, now=now) if is_current else None,
    )


def standing_of(token: ManagedToken, *, version: str | None = None) -> StandingFailure | None:
    """What failed before, of a token that this run learns nothing of; `version` is None where only a list was seen."""
    failure = token.last_failure
    if failure is None or version not in (None, failure.version):
        return None
    return StandingFailure(failure, _subject(token, failure.reason.unit))


def _subject(token: ManagedToken, unit: Unit) -> str:
    match unit:
        case Unit.CREDENTIAL:
            return str(token.credentials[0])
        case Unit.CLIENT:
            return token.client_id
        case Unit.CLIENT_AND_TENANT:
            return f"{token.client_id} in {token.tenant_id}"
        case Unit.ISSUER:
            return token.cloud.name
        case Unit.TOKEN | Unit.VAULT | Unit.NONE:
            return ""


def proved_by(token: ManagedToken, accepted: CredentialRef) -> tuple[tuple[Unit, str], ...]:
    """What redeeming and storing this token shows to be in order, beside the token itself."""
    by_record = ((unit, _subject(token, unit)) for unit in (Unit.CLIENT, Unit.CLIENT_AND_TENANT, Unit.ISSUER))
    return ((Unit.TOKEN, token.name), (Unit.CREDENTIAL, str(accepted)), *by_record, (Unit.VAULT, token.vault))
