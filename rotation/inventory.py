"""What a vault's list says: its managed tokens as records, and the client credentials that they name, with their dates.

One pass over the pages, nothing read but names, tags and dates. What is due of it is left to `policy` and `run`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.clouds import Cloud
from rotation.ports import ListedSecret, Vault
from rotation.reason import Reason
from rotation.token import CredentialRef, InvalidRecord, ManagedToken, Thresholds, is_managed, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredential:
    """A client credential that tokens of this vault name. `expires_on` is None when the vault does not say."""

    vault: str
    ref: CredentialRef
    found: bool
    enabled: bool
    expires_on: datetime | None
    tokens: int

    def health(self, *, now: datetime, warn_before_days: int) -> Reason | None:
        """What is wrong with it as far as a list can tell, or None."""
        if not self.found or not self.enabled:
            return Reason.CLIENT_CREDENTIAL_MISSING
        if self.expires_on is not None and self.expires_on - now < timedelta(days=warn_before_days):
            return Reason.CLIENT_CREDENTIAL_EXPIRING
        return None


class Inventory:
    """The records of one vault, listed once: iterate `records` to the end, then ask for `client_credentials`."""

    def __init__(self, vault: Vault, *, vault_cloud: Cloud | None, defaults: Thresholds) -> None:
        self._vault = vault
        self._vault_cloud = vault_cloud
        self._defaults = defaults
        self._named: dict[CredentialRef, int] = defaultdict(int)
        self._others: dict[str, ListedSecret] = {}

    def records(self) -> Iterator[ManagedToken | InvalidRecord]:
        """Every managed token of the vault, page by page. Raises VaultError."""
        for secret in self._vault.secrets():
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
                for ref in record.credentials:
                    self._named[ref] += 1
            yield record

    def client_credentials(self) -> tuple[ClientCredential, ...]:
        """The client credentials that the records named, by name."""
        return tuple(
            self._credential(ref, tokens) for ref, tokens in sorted(self._named.items(), key=lambda item: str(item[0]))
        )

    def _credential(self, ref: CredentialRef, tokens: int) -> ClientCredential:
        secret = self._others.get(ref.name)
        return ClientCredential(
            vault=self._vault.url,
            ref=ref,
            found=secret is not None,
            enabled=secret is not None and secret.enabled,
            expires_on=secret.expires_on if secret else None,
            tokens=tokens,
        )
