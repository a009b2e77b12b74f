"""A vault that is nothing but its list: for runs of more tokens than it is worth serving. Nothing in it is ever due."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import batched
from typing import Never

from rotation.ports import Deadline, ListedSecret, ListedVersion, NewVersion, SecretVersion

_A_PAGE = 25


class ListedVault:
    """The Vault port over tags by name. Each page of the list takes `page_seconds`."""

    url = "https://contoso-vault.vault.azure.net"

    def __init__(self, secrets: Iterable[tuple[str, Mapping[str, str]]], *, page_seconds: float = 0) -> None:
        self._secrets = tuple(secrets)
        self._page_seconds = page_seconds

    def within(self, deadline: Deadline) -> ListedVault:  # noqa: ARG002 - of the port
        """It takes no time."""
        return self

    def secrets(self) -> Iterator[ListedSecret]:
        """Every one, enabled and created now."""
        now = datetime.now(UTC)
        for page in batched(self._secrets, _A_PAGE, strict=False):
            time.sleep(self._page_seconds)
            for name, tags in page:
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
