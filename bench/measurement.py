"""What one contender took for one world, and what follows from it by division. Pure.

Every rate says what it is divided by: stores a second count from the first store to the last, tokens a second count
the whole run, its list and its start included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bench.spec import CREATES, WINDOW_SECONDS, WorldSpec

PER_TOKEN = ("read", "redeem", "store", "versions", "update")
"""The kinds of requests that a token costs; lists are shared, and the rest comes once a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One run. `settings` are the product's that differ from their defaults; the floor takes its threads from them."""

    contender: str
    spec: WorldSpec
    settings: Mapping[str, str]
    counts: Mapping[str, int]
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    grown_bytes: int
    requests: Mapping[str, int]
    throttled: int
    stored: int
    storing_seconds: float
    site_cpu_seconds: float
    load_average: float

    @property
    def stores_per_second(self) -> float:
        """From the first store to the last; 0 when there are not two."""
        return (self.stored - 1) / self.storing_seconds if self.storing_seconds else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens that were rotated, by the seconds of the whole run."""
        return self.counts.get("rotated", 0) / self.seconds

    @property
    def share_of_limit(self) -> float:
        """Stores a second in relation to what the vaults allow."""
        return self.stores_per_second / (CREATES / WINDOW_SECONDS * self.spec.vaults)

    @property
    def requests_per_due_token(self) -> float:
        """Requests that a token costs, without the list; the one read of each vault's client secret is not counted."""
        asked = sum(self.requests.get(kind, 0) for kind in PER_TOKEN) - self.spec.vaults
        return asked / self.spec.due if self.spec.due else 0.0

    @property
    def lists_per_token(self) -> float:
        """A token's share in the pages of the list."""
        return self.requests.get("list", 0) / self.spec.tokens

    @property
    def cpu_per_token(self) -> float:
        """Processor seconds of the contender's process for each token that it looked at."""
        return self.cpu_seconds / self.spec.tokens

    @property
    def went_well(self) -> bool:
        """Every due token was rotated and every other one left alone."""
        expected = {"rotated": self.spec.due, "skipped": self.spec.fresh}
        return {kind: count for kind, count in self.counts.items() if count} == {k: v for k, v in expected.items() if v}

    def to_json(self) -> dict[str, object]:
        """Every field, and what follows from them."""
        derived = (
            "stores_per_second", "tokens_per_second", "share_of_limit", "requests_per_due_token", "lists_per_token",
            "cpu_per_token", "went_well",
        )  # fmt: skip
        return asdict(self) | {name: getattr(self, name) for name in derived}
