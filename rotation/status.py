"""The status of all vaults, each listed once, beside the others. Nothing but lists is read, and nothing written.

How a single token is, and what the whole looks like, is in `status_report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rotation.clouds import cloud_of_vault
from rotation.inventory import ClientCredential, Inventory, of_each
from rotation.outcome import VaultFault
from rotation.pace import Deadlines
from rotation.plan import fault_of
from rotation.ports import Vault, VaultError
from rotation.status_report import StatusReport, TokenStatus, lost_tags_status, token_status
from rotation.token import Thresholds


@dataclass(slots=True)
class _Share:
    """What one vault adds to the report."""

    tokens: list[TokenStatus] = field(default_factory=list)
    credentials: tuple[ClientCredential, ...] = ()
    fault: VaultFault | None = None


def status(vaults: Sequence[Vault], *, defaults: Thresholds, deadlines: Deadlines, now: datetime) -> StatusReport:
    """How every token is; a vault that cannot be listed, or not in time, is a fault of the report."""
    shares = of_each(vaults, partial(_status_of, defaults=defaults, deadlines=deadlines, now=now))
    return StatusReport(
        taken_at=now,
        vaults=tuple(vault.url for vault in vaults),
        vault_faults=tuple(share.fault for share in shares if share.fault),
        tokens=tuple(token for share in shares for token in share.tokens),
        credentials=tuple(credential for share in shares for credential in share.credentials),
        warn_before_days=defaults.warn_before_days,
    )


def _status_of(vault: Vault, *, defaults: Thresholds, deadlines: Deadlines, now: datetime) -> _Share:
    share = _Share()
    inventory = Inventory(
        vault.within(deadlines),
        vault_cloud=cloud_of_vault(vault.url),
        defaults=defaults,
        may_go_on=deadlines.may_start,
    )
    try:
        share.tokens += [token_status(record, now=now) for record in inventory.records()]
        share.tokens += [lost_tags_status(lost) for lost in inventory.lost_tags(now=now)]
    except VaultError as error:
        share.fault = fault_of(vault, error)
    else:
        share.credentials = inventory.client_credentials()  # only a whole list says what is missing
    return share
