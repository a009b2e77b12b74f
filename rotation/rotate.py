"""Rotate one token: the only sequence of effects in the product. The order of the steps is the safety argument.

 1. decide from the listing (done by `plan`: what is not due never comes here)
 2. read the current version, and decide again on its own tags
 3. redeem, once
 4. check the answer: same account, same tenant, same audience, and a refresh token in it
 5. look again: still the version of step 2, still enabled, still managed
 6. store, retrying the store and never the redemption
 7. settle: a re-consent made meanwhile goes back on top, what is superseded is disabled

Whatever stops the process between two steps, the current version holds a token that Entra redeems: it does not revoke
a token when it is redeemed (Microsoft identity platform, "Refresh tokens"). Steps 5 to 7 are in `storing`; the order
of many tokens, breakers and deadlines are left to `run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rotation.clouds import Cloud
from rotation.credential_ref import CredentialRef
from rotation.outcome import Ended, Kind, Outcome, StandingFailure
from rotation.pace import Deadlines, Pace
from rotation.policy import Leave, Redeem, Standing, days_left, decide, expires_at, expiry_reason, streak
from rotation.ports import (
    HeldLease,
    Issuer,
    NewVersion,
    Redemption,
    SecretDisabledError,
    SecretNotFoundError,
    SecretVersion,
    Vault,
    VaultError,
)
from rotation.reason import TRANSIENT, Reason, Unit
from rotation.redeeming import Credentials, check, redeem
from rotation.secret_value import RefreshToken
from rotation.storing import Stored, Storing
from rotation.tagging import Tagged, after_failure, after_rotation
from rotation.token import InvalidRecord, LastFailure, ManagedToken, Thresholds, is_managed, parse

_WAITS_SECONDS = (0.5, 1.0)
_REPLACED = "the version that failed was replaced meanwhile; the new one is redeemed by the next run"
_UNTAGGED = "the secret stopped being managed meanwhile"
_LEASE_LOST = "this run lost the lease of the vault, so that another may have it; the next run goes on from here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is the same for every token of one vault in one run."""

    vault: Vault
    vault_cloud: Cloud | None
    issuer: Issuer
    now: datetime
    defaults: Thresholds
    deadlines: Deadlines
    pace: Pace
    lease: HeldLease
    force: bool = False
    by_hand: bool = False

    def parse(self, *, name: str, enabled: bool, tags: Mapping[str, str]) -> ManagedToken | InvalidRecord:
        """Read the tags of a secret of this vault."""
        return parse(
            vault=self.vault.url,
            name=name,
            enabled=enabled,
            tags=tags,
            vault_cloud=self.vault_cloud,
            defaults=self.defaults,
        )

    def obstacle(self) -> Ended | None:
        """Why nothing more may be started in this vault now, if anything."""
        if not self.lease.is_held():
            return Ended(Kind.DEFERRED, Reason.LEASE_HELD, _LEASE_LOST)
        if not self.deadlines.may_start():
            return Ended(Kind.DEFERRED, Reason.OUT_OF_TIME)
        return None

    def take_permit(self) -> None:
        """Wait for a permit to store. Raises Ended when there is none as long as something may be started."""
        if not self.pace.take(until=self.deadlines.start_until):
            raise Ended(Kind.DEFERRED, Reason.OUT_OF_TIME)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The current version, the record in its tags, and why it is redeemed."""

    secret: SecretVersion
    token: ManagedToken
    why: Reason


def rotate(token: ManagedToken, *, context: Context, credentials: Credentials) -> Outcome:
    """Rotate one token. Never raises for what a vault or an issuer does: that is the outcome."""
    read: _Reading | None = None
    redemption: Redemption | None = None
    stored: Stored | None = None
    storing = Storing(context.vault, context.deadlines)
    try:
        read = _read(token, context)
        context.take_permit()  # before redeeming: no redeemed token waits in memory for it
        value = RefreshToken(read.secret.value.reveal())
        redemption, by = redeem(value, read.token, credentials, issuer=context.issuer, obstacle=context.obstacle)
        refresh_token = check(read.token, redemption)
        looked = storing.look_again(read.secret)
        new, tagged = _new_version(looked, refresh_token, redemption, read.token, context)
        stored = storing.store(new, looked)
        credentials.stored()
        warnings = storing.settle(stored)
    except Ended as end:
        return _ended(read.token if read else token, read, end, context)
    except Exception as fault:
        if redemption is None or stored is not None:
            raise
        return _ended(read.token if read else token, read, _stranded_by(fault), context)
    warnings += _warnings(tagged, redemption)
    return replace(
        outcome_of(read.token, Kind.ROTATED, read.why, now=context.now),
        days_left=read.token.thresholds.inactivity_days,
        expiry=None,
        warnings=warnings,
        proved=_proved(read.token, by),
    )


def outcome_of(token: ManagedToken, kind: Kind, reason: Reason, *, now: datetime, message: str = "") -> Outcome:
    """An outcome of this token as its record stands, with the subject that the reason's unit asks for."""
    return Outcome(
        vault=token.vault,
        name=token.name,
        label=token.label,
        kind=kind,
        reason=reason,
        message=message,
        subject=_subject(token, reason.unit),
        days_left=days_left(token, now=now),
        expiry=expiry_reason(token, now=now),
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


def _proved(token: ManagedToken, accepted: CredentialRef) -> tuple[tuple[Unit, str], ...]:
    """What redeeming and storing this token shows to be in order, beside the token itself."""
    by_record = ((unit, _subject(token, unit)) for unit in (Unit.CLIENT, Unit.CLIENT_AND_TENANT, Unit.ISSUER))
    return ((Unit.TOKEN, token.name), (Unit.CREDENTIAL, str(accepted)), *by_record, (Unit.VAULT, token.vault))


def _read(token: ManagedToken, context: Context) -> _Reading:
    """Step 2. The listing may be old and has no version ids: what the version itself says decides."""
    late = context.obstacle()
    if late is not None:
        raise late
    secret = _read_current(token.name, context)
    if not is_managed(secret.tags):
        raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, "the current version is not managed any more")
    record = context.parse(name=secret.name, enabled=secret.enabled, tags=secret.tags)
    if isinstance(record, InvalidRecord):
        raise Ended(Kind.FAILED, Reason.INVALID_RECORD, "; ".join(record.faults))
    decision = decide(record, now=context.now, version=secret.version, force=context.force, by_hand=context.by_hand)
    match decision:
        case Redeem(why):
            return _Reading(secret, record, why)
        case Leave(reason):
            raise Ended(Kind.SKIPPED, reason)
        case Standing(failure):
            raise Ended(Kind.FAILED, failure.reason, _still_failing(failure), remembered=failure)


def _read_current(name: str, context: Context) -> SecretVersion:
    try:
        return context.vault.read(name)
    except SecretDisabledError as error:
        raise Ended(Kind.SKIPPED, Reason.DISABLED, "the current version is disabled") from error
    except SecretNotFoundError as error:
        raise Ended(Kind.FAILED, Reason.SECRET_DELETED, "it was deleted after it was listed") from error
    except VaultError as error:
        raise Ended(Kind.FAILED, error.reason, error.message) from error


def _still_failing(failure: LastFailure) -> str:
    return f"failing since {failure.first_seen}; it is tried again tomorrow, or at once by a run that you start"


def _new_version(
    looked: SecretVersion, value: RefreshToken, redemption: Redemption, token: ManagedToken, context: Context
) -> tuple[NewVersion, Tagged]:
    """The operator's tags, content type and enabled state as step 5 saw them, with the new token's value and dates."""
    tagged = after_rotation(looked.tags, redeemed_at=context.now, account_id=redemption.account_id)
    new = NewVersion(
        name=looked.name,
        value=value,
        enabled=looked.enabled,
        tags=tagged.tags,
        content_type=looked.content_type,
        expires_on=expires_at(context.now, token.thresholds),
    )
    return new, tagged


def _warnings(tagged: Tagged, redemption: Redemption) -> tuple[Reason, ...]:
    without_mfa = redemption.authentication_methods is not None and "mfa" not in redemption.authentication_methods
    return (Reason.TAGS_DROPPED,) * tagged.dropped + (Reason.MFA_MISSING,) * without_mfa


def _ended(token: ManagedToken, read: _Reading | None, end: Ended, context: Context) -> Outcome:
    outcome = outcome_of(token, end.kind, end.reason, now=context.now, message=end.message)
    outcome = replace(outcome, subject=end.subject or outcome.subject, closes_vault=end.closes_vault)
    if end.remembered is not None:
        return replace(outcome, streak=end.remembered, repeated=True)
    if end.kind is Kind.DEFERRED or (end.kind is Kind.FAILED and (read is None or end.reason.unit is Unit.VAULT)):
        return replace(outcome, standing=standing_of(token, version=read.secret.version if read else None))
    if read is None or end.kind is not Kind.FAILED:
        return outcome
    return _remember(outcome, read, context)


def _stranded_by(fault: Exception) -> Ended:
    """A fault of this program between redeeming and storing: as loud as a vault's, and the next token may meet it."""
    message = f"redeemed, but a fault of this program ({type(fault).__name__}) kept the new token from being stored"
    return Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message, closes_vault=True)


def _remember(outcome: Outcome, read: _Reading, context: Context) -> Outcome:
    """Put the failure into the version's tags, unless somebody replaced that version meanwhile."""
    before = read.token.last_failure
    failure = streak(before, reason=outcome.reason, version=read.secret.version, now=context.now)
    repeated = before is not None and before.version == failure.version and before.reason is failure.reason
    failed = replace(outcome, streak=failure, repeated=repeated)
    if before is not None and before.version == failure.version and _says_nothing_of(before.reason, outcome.reason):
        return replace(failed, standing=standing_of(read.token))
    try:
        return _remembered(failed, read, context)
    except VaultError as error:
        if error.reason is Reason.VAULT_DENIED:  # no run can remember anything: told at once, and why
            return replace(outcome, warnings=(Reason.VAULT_DENIED,))
        return failed  # the failure itself is what is told; only its memory is lost, and the next run finds it again


def _says_nothing_of(before: Reason, now: Reason) -> bool:
    """Whether what failed now leaves open what failed before: that stays in the tag, and is tried in every run."""
    return (
        before not in TRANSIENT
        and before.unit is not Unit.CREDENTIAL
        and (now in TRANSIENT or now.unit is Unit.CREDENTIAL)
    )


def _remembered(failed: Outcome, read: _Reading, context: Context) -> Outcome:
    """Change the tags that a look has just shown, and look again before another attempt. Raises VaultError."""
    waits = list(_WAITS_SECONDS)
    while True:
        looked = context.vault.read(failed.name)
        if looked.version != read.secret.version or not is_managed(looked.tags):
            message = _UNTAGGED if looked.version == read.secret.version else _REPLACED
            return replace(
                failed, kind=Kind.SKIPPED, reason=Reason.SUPERSEDED, message=message, streak=None, repeated=False
            )
        tagged = after_failure(looked.tags, failed.streak) if failed.streak else Tagged(looked.tags, dropped=False)
        try:
            if tagged.tags != looked.tags:
                context.vault.retag(looked.name, looked.version, tagged.tags)
        except VaultError as error:
            if error.reason not in TRANSIENT or not waits or not context.deadlines.pause(waits.pop(0)):
                raise
        else:
            break
    if tagged.dropped:  # no run can remember it: what would wait for a second one is told at once
        return replace(failed, streak=None, repeated=False, warnings=(Reason.TAGS_DROPPED,))
    return failed
