"""A vault that is nothing but its list: for runs of more tokens than it is worth serving. Nothing in it is ever due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Never

from rotation.ports import Deadline, ListedSecret, ListedVersion, NewVersion, SecretVersion


class ListedVault:
    """The Vault port over tags by name."""

    url = "https://contoso-vault.vault.azure.net"

    def __init__(self, secrets: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        self._secrets = tuple(secrets)

    def within(self, deadline: Deadline) -> ListedVault:  # noqa: ARG002 - of the port
        """It takes no time."""
        return self

    def secrets(self) -> Iterator[ListedSecret]:
        """Every one, enabled and created now."""
        now = datetime.now(UTC)
        for name, tags in self._secrets:
            yield ListedSecret(
                name=name, enabled=True, tags=tags, created_on=now, expires_on=None, holds_certificate=False
            )

    def read(self, name: str, version: str | None = None) -> SecretVersion:
        """Never."""
        raise self._not_here(name, version)

    def versions(self, name: str) -> tuple[ListedVersion, ...]:
        """Never."""
        raise self._not_here(name)

    def store(self, new: NewVersion) -> str:
        """Never."""
        raise self._not_here(new)

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Never."""
        raise self._not_here(name, version, tags)

    def disable(self, name: str, version: str) -> None:
        """Never."""
        raise self._not_here(name, version)

    def _not_here(self, *asked: object) -> Never:
        raise AssertionError(f"nothing is due here, and yet {asked} was asked for")
