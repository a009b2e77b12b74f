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
from datetime import datetime, timedelta

from rotation.clouds import Cloud
from rotation.outcome import Ended, Kind, Outcome, outcome_of, proved_by, standing_of
from rotation.pace import Deadlines, Pace
from rotation.policy import Leave, Redeem, Standing, decide, expires_at
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
from rotation.reason import TOKEN_IS_DEAD, Reason, Unit
from rotation.redeeming import Credentials, check, redeem
from rotation.remembered import LastFailure, LastWarning
from rotation.remembering import remember, remember_warning
from rotation.secret_value import RefreshToken
from rotation.settling import Settling
from rotation.storing import Stored, Storing
from rotation.tagging import Tagged, after_rotation, job_tags
from rotation.token import InvalidRecord, ManagedToken, Thresholds, is_managed, parse

_AFTER_THE_STORE = {Reason.DISABLE_FAILED, Reason.CONCURRENT_WRITE}  # known when the tags are written already
_GOES_ON = "the next run goes on from here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is the same for every token of one vault in one run; it began at `now`, and at `begun` on its clock."""

    vault: Vault
    vault_cloud: Cloud | None
    issuer: Issuer
    now: datetime
    begun: float
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

    def moment(self) -> datetime:
        """This moment: when the run began, and what has passed on its clock since."""
        return self.now + timedelta(seconds=self.deadlines.clock.monotonic() - self.begun)

    def obstacle(self) -> Ended | None:
        """Why nothing more may be started in this vault now, if anything."""
        if not self.lease.is_held():
            other = self.lease.taken_by()
            to = f" to another run ({other})" if other else ", so that another may have it"
            return Ended(Kind.DEFERRED, Reason.LEASE_HELD, f"this run lost the lease of the vault{to}; {_GOES_ON}")
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
    settling = Settling(storing)
    try:
        read = _read(token, context)
        context.take_permit()  # before redeeming: no redeemed token waits in memory for it
        value = RefreshToken(read.secret.value.reveal())
        redeemed_at = context.moment()
        redemption, by = redeem(value, read.token, credentials, issuer=context.issuer, obstacle=context.obstacle)
        refresh_token = check(read.token, redemption)
        looked = storing.look_again(read.secret)
        warning = LastWarning.after(read.token.last_warning, _without_mfa(redemption), today=redeemed_at.date())
        new, tagged = _new_version(looked, refresh_token, redemption, read.token, redeemed_at, warning)
        stored = storing.store(new, looked)
        credentials.stored()
        warnings = settling.settle(stored)
    except Ended as end:
        return _ended(read.token if read else token, read, _uncovered(end, read, settling), context)
    except Exception as fault:
        if redemption is None or stored is not None:
            raise
        return _ended(read.token if read else token, read, _stranded_by(fault), context)
    warnings += _dropped(tagged, stored.new) + _without_mfa(redemption)
    warning = LastWarning.after(read.token.last_warning, warnings, today=redeemed_at.date())
    if warning is not None and _AFTER_THE_STORE & {*warnings} and Reason.VAULT_DENIED not in warnings:
        remember_warning(warning, stored.new, vault=context.vault, deadlines=context.deadlines)
    return replace(
        outcome_of(read.token, Kind.ROTATED, read.why, now=context.now),
        days_left=read.token.thresholds.inactivity_days,
        expiry=None,
        warnings=_once(warnings),
        last_warning=warning,
        proved=proved_by(read.token, by),
    )


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
    decision = decide(
        record, now=context.moment(), version=secret.version, force=context.force, by_hand=context.by_hand
    )
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
    looked: SecretVersion,
    value: RefreshToken,
    redemption: Redemption,
    token: ManagedToken,
    redeemed_at: datetime,
    warning: LastWarning | None,
) -> tuple[NewVersion, Tagged]:
    """The operator's tags, content type and enabled state as step 5 saw them, with the new token's value and dates."""
    tagged = after_rotation(looked.tags, redeemed_at=redeemed_at, account_id=redemption.account_id, warning=warning)
    new = NewVersion(
        name=looked.name,
        value=value,
        enabled=looked.enabled,
        tags=tagged.tags,
        content_type=looked.content_type,
        expires_on=expires_at(redeemed_at, token.thresholds),
    )
    return new, tagged


def _dropped(tagged: Tagged, stored: NewVersion) -> tuple[Reason, ...]:
    """The warning of tags that did not fit, at the first attempt to store or at a later one."""
    return (Reason.TAGS_DROPPED,) * (tagged.dropped or not job_tags(tagged.tags).keys() <= stored.tags.keys())


def _without_mfa(redemption: Redemption) -> tuple[Reason, ...]:
    """The warning of a sign-in without MFA; nothing is known of one that does not say."""
    methods = redemption.authentication_methods
    return (Reason.MFA_MISSING,) * (methods is not None and "mfa" not in methods)


def _once(warnings: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(warnings))


def _uncovered(end: Ended, read: _Reading | None, settling: Settling) -> Ended:
    """The end of a token that is dead: a re-consent may lie beneath it, where an earlier run had no time to settle."""
    if read is None or end.kind is not Kind.FAILED or end.reason not in TOKEN_IS_DEAD:
        return end
    try:
        settling.uncover(read.secret)
    except Ended as put_back:
        return put_back
    return end


def _ended(token: ManagedToken, read: _Reading | None, end: Ended, context: Context) -> Outcome:
    outcome = outcome_of(token, end.kind, end.reason, now=context.now, message=end.message)
    subject = end.subject or outcome.subject
    outcome = replace(
        outcome, subject=subject, closes_vault=end.closes_vault, warnings=_once(outcome.warnings + end.warnings)
    )
    if end.remembered is not None:
        return replace(outcome, streak=end.remembered, repeated=True)
    if end.kind is Kind.DEFERRED or (end.kind is Kind.FAILED and (read is None or end.reason.unit is Unit.VAULT)):
        return replace(outcome, standing=standing_of(token, version=read.secret.version if read else None))
    if read is None or end.kind is not Kind.FAILED:
        return outcome
    version, now = read.secret.version, context.moment()
    return remember(outcome, read.token, version, vault=context.vault, deadlines=context.deadlines, now=now)


def _stranded_by(fault: Exception) -> Ended:
    """A fault of this program between redeeming and storing: as loud as a vault's, and the next token may meet it."""
    message = f"redeemed, but a fault of this program ({type(fault).__name__}) kept the new token from being stored"
    return Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message, closes_vault=True)
