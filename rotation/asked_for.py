"""The tokens that somebody asked for by name, and which of them a vault was found to have.

What is done with them is left to `plan`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rotation.token import InvalidRecord, ManagedToken


class UnknownTokenError(Exception):
    """Somebody asked for tokens that no vault has, or that are not managed."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"no managed token of this name: {', '.join(self.names)}; see the status for the names there are"
        )


class AmbiguousTokenError(Exception):
    """Somebody asked for a name that several vaults have; `candidates` are the secret ids to choose from."""

    def __init__(self, name: str, candidates: Iterable[str]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(f"several vaults have a token named {name}: ask for one of {', '.join(self.candidates)}")


class AskedFor:
    """The names somebody asked for, and which tokens each was found to mean."""

    def __init__(self, names: Iterable[str]) -> None:
        self._found: dict[str, list[str]] = {name: [] for name in names}
        self._spelled: dict[str, list[str]] = defaultdict(list)
        for name in self._found:
            self._spelled[_canonical(name)].append(name)

    def matches(self, record: ManagedToken | InvalidRecord) -> bool:
        """Whether this record is asked for, by its name or its id."""
        secret_id = f"{record.vault}/secrets/{record.name}"
        asked = self._spelled.get(_canonical(record.name), []) + self._spelled.get(_canonical(secret_id), [])
        for name in asked:
            if secret_id not in self._found[name]:  # a list that changes under its reader may show one twice
                self._found[name].append(secret_id)
        return bool(asked)

    def add(self, other: AskedFor) -> None:
        """Take over what was found in a further vault."""
        for name, secret_ids in other._found.items():
            self._found[name] += secret_ids

    def settle(self, *, complete: bool) -> None:
        """Raise for what was not found, unless a vault could not be listed and may have it, or was found twice."""
        for name, secret_ids in self._found.items():
            if len(secret_ids) > 1:
                raise AmbiguousTokenError(name, secret_ids)
        missing = [name for name, secret_ids in self._found.items() if not secret_ids]
        if missing and complete:
            raise UnknownTokenError(missing)


def _canonical(name: str) -> str:
    """Names are compared without case, as Key Vault does; an id may carry a version, which is not part of the name."""
    scheme, separator, rest = name.strip().lower().partition("://")
    return f"{scheme}{separator}{'/'.join(rest.split('/')[:3])}" if separator else scheme
