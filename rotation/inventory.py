"""What a vault's list says: its managed tokens as records, and the client credentials that they name, with their dates.

One pass over the pages, nothing read but names, tags and dates. What is due of it is left to `policy` and `plan`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.clouds import Cloud
from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.outcome import LostTags
from rotation.ports import ListedSecret, SecretNotFoundError, Vault, VaultError
from rotation.reason import Reason, Unit
from rotation.token import (
    OUR_TAGS,
    InvalidRecord,
    ManagedToken,
    Thresholds,
    is_managed,
    label_of,
    parse,
)

_LISTS_AT_ONCE = 8  # the pages of one list come one after the other, and long lists of several vaults would add up
_WATCHED = timedelta(days=14)  # twice the weekly rotation: long enough for a run to see it, short enough to end


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredential:
    """A client credential that tokens of this vault name. `expires_on` is None when the vault does not say.

    `failing` is what the last run that redeemed with it alone remembered in a tag; it may be mended since.
    """

    vault: str
    ref: CredentialRef
    found: bool
    enabled: bool
    expires_on: datetime | None
    tokens: int
    failing: Reason | None = None

    def health(self, *, now: datetime, warn_before_days: int) -> Reason | None:
        """What is wrong with it as far as a list can tell, or None."""
        if not self.found or not self.enabled:
            return Reason.CLIENT_CREDENTIAL_MISSING
        if self.expires_on is not None and self.expires_on - now < timedelta(days=warn_before_days):
            return Reason.CLIENT_CREDENTIAL_EXPIRING
        return None


def of_each[Found](vaults: Iterable[Vault], look: Callable[[Vault], Found]) -> list[Found]:
    """What a look at each vault finds, beside each other, in the order of the vaults."""
    with ThreadPoolExecutor(_LISTS_AT_ONCE, thread_name_prefix="list") as pool:
        return list(pool.map(look, vaults))


class Inventory:
    """The records of one vault, listed once: iterate `records` to the end, then ask for `client_credentials`."""

    def __init__(
        self, vault: Vault, *, vault_cloud: Cloud | None, defaults: Thresholds, may_go_on: Callable[[], bool]
    ) -> None:
        self._may_go_on = may_go_on
        self._vault = vault
        self._vault_cloud = vault_cloud
        self._defaults = defaults
        self._named: dict[CredentialRef, int] = defaultdict(int)
        self._failing: dict[CredentialRef, Reason] = {}
        self._others: dict[str, ListedSecret] = {}

    def records(self) -> Iterator[ManagedToken | InvalidRecord]:
        """Every managed token of the vault, page by page. Raises VaultError, when the time is over too."""
        for secret in self._vault.secrets():
            self._check_time()
            if secret.holds_certificate or not is_managed(secret.tags):
                self._others[secret.name.lower()] = secret
                continue
            record = parse(
                vault=self._vault.url,
                name=secret.name,
                enabled=secret.enabled,
                tags=secret.tags,
                vault_cloud=self._vault_cloud,
                defaults=self._defaults,
            )
            if isinstance(record, ManagedToken):
                self._note_credentials(record)
            yield record

    def _check_time(self) -> None:
        if not self._may_go_on():
            raise VaultError(Reason.OUT_OF_TIME, "its list was not read to the end in time")

    def _note_credentials(self, token: ManagedToken) -> None:
        for ref in token.credentials:
            self._named[ref] += 1
        failure = token.last_failure
        if failure is not None and failure.reason.unit is Unit.CREDENTIAL and len(token.credentials) == 1:
            self._failing[token.credentials[0]] = failure.reason  # of several, the tag does not say which

    def lost_tags(self, *, now: datetime) -> Iterator[LostTags]:
        """Secrets that lost their tags to another writer of late; lists the versions of each candidate, once.

        The portal, Microsoft's samples and others write a re-consent without any tag: the token would leave care in
        silence. Whoever lets a token go removes `managed-by` and leaves the rest, which is no candidate. Raises
        VaultError.
        """
        credentials = {ref.name for ref in self._named}
        for secret in self._others.values():
            written_by_somebody = not secret.holds_certificate and secret.name.lower() not in credentials
            recent = now - secret.created_on < _WATCHED
            if written_by_somebody and recent and not OUR_TAGS & secret.tags.keys():
                self._check_time()
                yield from self._lost_tags_of(secret)

    def _lost_tags_of(self, secret: ListedSecret) -> Iterator[LostTags]:
        try:
            versions = self._vault.versions(secret.name)
        except SecretNotFoundError:  # deleted after it was listed: whoever did that meant it
            return
        before = next((version for version in versions if OUR_TAGS & version.tags.keys()), None)
        if before is not None and is_managed(before.tags):
            label = label_of(before.tags)
            yield LostTags(self._vault.url, secret.name, label, before.version, before.created_on, secret.created_on)

    def client_credentials(self) -> tuple[ClientCredential, ...]:
        """The client credentials that the records named, by name."""
        return tuple(
            self._credential(ref, tokens) for ref, tokens in sorted(self._named.items(), key=lambda item: str(item[0]))
        )

    def _credential(self, ref: CredentialRef, tokens: int) -> ClientCredential:
        secret = self._others.get(ref.name)
        elsewhere = ref.kind is CredentialKind.MANAGED_IDENTITY  # not in a vault, and without an end
        return ClientCredential(
            vault=self._vault.url,
            ref=ref,
            found=elsewhere or secret is not None,
            enabled=elsewhere or (secret is not None and secret.enabled),
            expires_on=secret.expires_on if secret else None,
            tokens=tokens,
            failing=self._failing.get(ref),
        )
