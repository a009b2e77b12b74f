"""Versions of a secret and what a list of them says, as the tests of settling need them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rotation.ports import ListedVersion
from rotation.version_history import VersionHistory

NOW = datetime(2026, 11, 21, 6, 17, tzinfo=UTC)
LABELLED = {"label": "Contoso"}


def version(
    name: str,
    minutes: float,
    *,
    redeemed: float | None = None,
    enabled: bool = True,
    tags: Mapping[str, str] = LABELLED,
    touched: bool = False,
) -> ListedVersion:
    """A version written some minutes after now; `redeemed` is when its token was, or is said to have been."""
    said = {} if redeemed is None else {"redeemed-at": (NOW + timedelta(minutes=redeemed)).isoformat()}
    moment = NOW + timedelta(minutes=minutes)
    updated = moment + timedelta(seconds=touched)
    return ListedVersion(version=name, enabled=enabled, tags={**tags, **said}, created_on=moment, updated_on=updated)


def history(*oldest_first: ListedVersion, before: str = "before", known: tuple[str, ...] = ()) -> VersionHistory:
    ours = "ours" if "ours" in {each.version for each in oldest_first} else ""
    made = VersionHistory.of(tuple(reversed(oldest_first)), before, ours=ours, known=frozenset(known))
    assert made is not None
    return made
