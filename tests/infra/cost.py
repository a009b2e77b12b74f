"""What a month costs, from unit prices and assumptions: the tables of docs/cost.md, which a test holds to this.

`python tests/infra/cost.py` prints them. Free grants of the subscription are left out, so the truth is a little less.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

RULES = Path(__file__).resolve().parents[2] / "infra" / "alerts" / "rules.json"
SIZES = (1, 100, 10_000, 100_000, 1_000_000)
DAYS = 30.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What so many tokens cause in a month, by the assumptions of docs/cost.md."""

    tokens: int
    runs_a_day: int = 4
    rotate_after_days: int = 7
    memory_gb: float = 2.0
    rules: int

    @property
    def runs(self) -> float:
        return self.runs_a_day * DAYS

    @property
    def rotations(self) -> float:
        return self.tokens * DAYS / self.rotate_after_days

    @property
    def vault_requests(self) -> float:
        pages, client_credentials = math.ceil(self.tokens / 25), math.ceil(self.tokens / 100)
        return self.runs * (pages + client_credentials) + self.rotations * 5

    @property
    def gb_seconds(self) -> float:
        pages = math.ceil(self.tokens / 25)
        return self.memory_gb * (self.runs * (10 + 0.1 * pages) + self.rotations / 25)

    @property
    def storage_writes(self) -> float:
        return self.runs * 40 + DAYS * 24 * 60

    @property
    def logs_gb(self) -> float:
        kilobytes = self.runs * 500 + self.rotations * 8 + (self.vault_requests + self.storage_writes) * 2
        return kilobytes / 1e6

    @property
    def open_problems(self) -> float:
        return self.tokens / 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One line of the bill; `each` is the price of `per` units in US dollars."""

    name: str
    each: float
    per: float
    unit: str
    units: Callable[[Usage], float]

    def dollars(self, usage: Usage) -> float:
        """The line's amount in a month."""
        return self.units(usage) * self.each / self.per


METERS = (
    Meter(name="Alerts System Log Monitored at 15 Minute Frequency", each=0.50, per=1, unit="rule",
          units=lambda usage: usage.rules),
    Meter(name="Alerts Resource Monitored at 15 Minute Frequency", each=0.05, per=1, unit="series that fires",
          units=lambda usage: usage.open_problems),
    Meter(name="Analytics Logs Data Ingestion", each=2.30, per=1, unit="GB", units=lambda usage: usage.logs_gb),
    Meter(name="Key Vault Operations", each=0.03, per=10_000, unit="requests",
          units=lambda usage: usage.vault_requests),
    Meter(name="Flex Consumption On Demand Execution Time", each=0.000026, per=1, unit="GB-s",
          units=lambda usage: usage.gb_seconds),
    Meter(name="Flex Consumption On Demand Total Executions", each=0.40, per=1_000_000, unit="executions",
          units=lambda usage: usage.runs),
    Meter(name="Hot LRS Write Operations", each=0.05, per=10_000, unit="requests",
          units=lambda usage: usage.storage_writes),
)  # fmt: skip


def rules() -> int:
    """How many log alert rules infra/alerts/rules.json has."""
    return len(json.loads(RULES.read_text(encoding="utf-8")))


def rows() -> Iterator[str]:
    """The rows of the two tables: a meter with its price, then a meter with its amount at each size."""
    for meter in METERS:
        yield f"| {meter.name} | {price(meter)} |"
    usages = [Usage(tokens=size, rules=rules()) for size in SIZES]
    for meter in METERS:
        amounts = " | ".join(f"{meter.units(usage):,.2f} | {meter.dollars(usage):.2f}" for usage in usages)
        yield f"| {meter.name} | {amounts} |"
    totals = " | ".join(f" | **{sum(meter.dollars(usage) for meter in METERS):.2f}**" for usage in usages)
    yield f"| **a month, US dollars** | {totals} |"


def price(meter: Meter) -> str:
    """As a person reads it: `0.03 for 10,000 requests`."""
    return (
        f"{meter.each:.2f} for {meter.per:,.0f} {meter.unit}"
        if meter.each >= 0.01
        else f"{meter.each:f} for 1 {meter.unit}"
    )


if __name__ == "__main__":
    sys.stdout.write("\n".join([*rows(), ""]))
