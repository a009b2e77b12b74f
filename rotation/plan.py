"""What a run would do: list every vault, decide on every token, and keep of the fresh ones no more than their number.

The gathering half of a run; it writes nothing and redeems nothing. The acting half is in `crew`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from rotation.asked_for import AskedFor
from rotation.clouds import cloud_of_vault
from rotation.credential_ref import CredentialRef
from rotation.inventory import ClientCredential, Inventory, of_each
from rotation.outcome import Kind, LostTags, Outcome, Refusal, VaultFault, outcome_of
from rotation.policy import Leave, Redeem, Standing, decide
from rotation.ports import SecretNotFoundError, Vault, VaultError, always
from rotation.problem import Problem
from rotation.reason import Reason
from rotation.report import Trigger, VaultRun
from rotation.token import InvalidRecord, ManagedToken, Thresholds

_LEFT_OVER = (Reason.OUT_OF_TIME, Reason.LEASE_HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What somebody asked for: every managed token, or the `tokens` named, by name or by secret id."""

    trigger: Trigger
    tokens: tuple[str, ...] = ()
    force: bool = False
    dry_run: bool = False
    list_all: bool = False

    @property
    def full(self) -> bool:
        """Whether every managed token is asked for."""
        return not self.tokens

    @property
    def lists_all(self) -> bool:
        """Whether plainly fresh tokens are told too: who names a token wants to hear of it."""
        return self.list_all or not self.full

    @property
    def by_hand(self) -> bool:
        """Whether a person started it: what they mended since a failure is tried at once."""
        return self.trigger is not Trigger.TIMER


@dataclass(slots=True)
class _Share:
    """What is counted of one vault, fresh tokens included: they are not kept."""

    counts: Counter[Kind] = field(default_factory=Counter)
    smallest_days_left: int | None = None

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        if outcome.days_left is None or outcome.reason is Reason.DISABLED:  # a retired token may die
            return
        smallest = self.smallest_days_left
        self.smallest_days_left = outcome.days_left if smallest is None else min(smallest, outcome.days_left)


def nobody(_: Outcome) -> None:
    """For who waits for the report."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """The tokens to redeem, what is already known of the others, and the vaults that could not be listed.

    `listener` hears of every outcome that is kept.
    """

    due: list[ManagedToken] = field(default_factory=list)
    told: list[Outcome] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    shares: dict[str, _Share] = field(default_factory=lambda: defaultdict(_Share))
    vault_faults: list[VaultFault] = field(default_factory=list)
    credentials: list[ClientCredential] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    listener: Callable[[Outcome], None] = nobody
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def take(self, token: ManagedToken) -> None:
        """A token is due, once: a list that changes while it is read may show a secret on two pages."""
        key = token.vault, token.name.lower()
        if key not in self._taken:
            self._taken.add(key)
            self.due.append(token)

    def tell(self, outcome: Outcome, *, list_all: bool) -> None:
        """Count an outcome, and keep it unless there is nothing to say of it."""
        self.counts[outcome.kind] += 1
        self.shares[outcome.vault].add(outcome)
        if list_all or not outcome.is_plainly_fresh:
            self.told.append(outcome)
            self.listener(outcome)

    def by_vault(self, urls: Iterable[str]) -> tuple[VaultRun, ...]:
        """How far the run came in each vault. For after the last outcome was told."""
        undone = {fault.vault for fault in self.vault_faults}
        undone |= {outcome.vault for outcome in self.told if outcome.reason in _LEFT_OVER}
        return tuple(
            VaultRun(
                url=url,
                complete=url not in undone,
                counts=self.shares[url].counts,
                smallest_days_left=self.shares[url].smallest_days_left,
            )
            for url in urls
        )

    def add(self, other: Plan) -> None:
        """Take over what was gathered of further vaults."""
        self.due += other.due
        self.told += other.told
        self.counts += other.counts
        self.shares.update(other.shares)
        self.vault_faults += other.vault_faults
        self.credentials += other.credentials


def plan(
    request: RunRequest,
    vaults: Iterable[Vault],
    *,
    defaults: Thresholds,
    now: datetime,
    left_out: Iterable[VaultFault] = (),
    may_go_on: Callable[[], bool] = always,
    tell: Callable[[Outcome], None] = nobody,
) -> Plan:
    """List the vaults, beside each other, and decide; what is gathered stands in the order of the vaults.

    A vault's failure is a fault of the plan, as those are that were `left_out` of it. Outcomes are told as they become
    known, but of named tokens none before all names are. Raises UnknownTokenError and AmbiguousTokenError.
    """
    made = Plan(vault_faults=list(left_out), listener=tell)
    asked = AskedFor(request.tokens)
    at_once = tell if request.full else nobody
    gather = partial(_gather, request=request, defaults=defaults, now=now, may_go_on=may_go_on, tell=at_once)
    for made_of_vault, asked_of_vault in of_each(vaults, gather):
        made.add(made_of_vault)
        asked.add(asked_of_vault)
    asked.settle(complete=not made.vault_faults)
    if not request.full:
        for outcome in made.told:
            tell(outcome)
    return made


def _gather(
    vault: Vault,
    *,
    request: RunRequest,
    defaults: Thresholds,
    now: datetime,
    may_go_on: Callable[[], bool],
    tell: Callable[[Outcome], None],
) -> tuple[Plan, AskedFor]:
    """What one vault adds to the plan, and which of the names that were asked for it has."""
    made, asked = Plan(listener=tell), AskedFor(request.tokens)
    inventory = Inventory(vault, vault_cloud=cloud_of_vault(vault.url), defaults=defaults, may_go_on=may_go_on)
    try:
        for record in inventory.records():
            if request.full or asked.matches(record):
                _decide(record, made, request, now)
        if request.full:  # who asks for one token is not told of the rest
            _tell_of_the_rest(inventory, made, now)
    except VaultError as error:
        made.vault_faults.append(fault_of(vault, error))
    return made, asked


def _tell_of_the_rest(inventory: Inventory, made: Plan, now: datetime) -> None:
    """What only a whole list tells: which client credentials are missing, and which secrets lost their tags."""
    made.credentials += inventory.client_credentials()
    for lost in inventory.lost_tags(now=now):
        made.tell(_lost(lost), list_all=True)


def fault_of(vault: Vault, error: VaultError) -> VaultFault:
    """A vault that could not be listed; that nothing is found at its address is no secret's fault."""
    missing = isinstance(error, SecretNotFoundError)
    return VaultFault(vault.url, Reason.VAULT_UNAVAILABLE if missing else error.reason, error.message)


def _decide(record: ManagedToken | InvalidRecord, made: Plan, request: RunRequest, now: datetime) -> None:
    if isinstance(record, InvalidRecord):
        made.tell(_invalid(record), list_all=True)
        return
    match decide(record, now=now, force=request.force, by_hand=request.by_hand):
        case Redeem(Reason.RETRY) if request.dry_run and record.last_failure is not None:
            failure = record.last_failure
            message = f"failing since {failure.first_seen}; would be tried again"
            made.tell(outcome_of(record, Kind.FAILED, failure.reason, now=now, message=message), list_all=True)
        case Redeem(why) if request.dry_run:
            outcome = outcome_of(record, Kind.ROTATED, why, now=now, message="would be redeemed")
            made.tell(replace(outcome, expiry=None), list_all=True)
        case Standing(failure) if request.dry_run:
            message = f"failing since {failure.first_seen}; would not be redeemed in this run"
            made.tell(outcome_of(record, Kind.FAILED, failure.reason, now=now, message=message), list_all=True)
        case Leave(reason):
            made.tell(outcome_of(record, Kind.SKIPPED, reason, now=now), list_all=request.lists_all)
        case Redeem() | Standing():
            made.take(record)


def _lost(lost: LostTags) -> Outcome:
    return Outcome(
        vault=lost.vault,
        name=lost.name,
        label=lost.label,
        kind=Kind.FAILED,
        reason=Reason.TAGS_LOST,
        message=lost.message,
        dated=lost.lost_on.date(),
    )


def _invalid(record: InvalidRecord) -> Outcome:
    return Outcome(
        vault=record.vault,
        name=record.name,
        label=record.label,
        kind=Kind.FAILED if record.enabled else Kind.SKIPPED,
        reason=Reason.INVALID_RECORD if record.enabled else Reason.DISABLED,
        message="; ".join(record.faults),
    )


def credential_problems(plan: Plan, *, now: datetime, warn_before_days: int) -> list[Problem]:
    """The problems that client credentials are by themselves: by the vault's list, and by the issuer's refusals."""
    found = _refused(plan.refusals)
    for credential in plan.credentials:
        reason = credential.health(now=now, warn_before_days=warn_before_days)
        if reason is not None:
            found.append(
                Problem(reason, str(credential.ref), credential.vault, credential.tokens, (), _told(credential))
            )
    return found


def _refused(refusals: Iterable[Refusal]) -> list[Problem]:
    """One problem a client credential, with the tokens of every lane that it was refused in."""
    alike: dict[tuple[str, CredentialRef], list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        alike[refusal.vault, refusal.credential].append(refusal)
    return [
        Problem(group[0].reason, str(ref), vault, sum(refusal.tokens for refusal in group), (), group[0].message)
        for (vault, ref), group in alike.items()
    ]


def _told(credential: ClientCredential) -> str:
    if not credential.found:
        return f"the vault's list has no {credential.ref.kind} named {credential.ref.name}"
    if not credential.enabled:
        return f"the {credential.ref.kind} {credential.ref.name} is disabled"
    return (
        f"the {credential.ref.kind} {credential.ref.name} expires on {credential.expires_on:%Y-%m-%d}"
        if credential.expires_on
        else ""
    )
