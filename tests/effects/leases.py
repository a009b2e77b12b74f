"""A lease that a test can take away, or that was never had: the Lease port in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rotation.ports import HeldLease, LeaseHolder, always


@dataclass(frozen=True, slots=True)
class LosableLease:
    """Held by whoever asks, until it is lost in one vault, to `taker` if that is known."""

    lost_in: dict[str, threading.Event] = field(default_factory=dict)
    taker: LeaseHolder | None = None

    @contextmanager
    def hold(self, vault_url: str, holder: LeaseHolder) -> Iterator[HeldLease]:  # noqa: ARG002 - of the port
        lost = self.lost_in.setdefault(vault_url, threading.Event())
        yield HeldLease(lambda: not lost.is_set(), taken_by=lambda: self.taker)

    def lose(self, vault_url: str) -> None:
        """Somebody else has it now."""
        self.lost_in[vault_url].set()


@dataclass(frozen=True, slots=True)
class UnavailableLease:
    """Its storage cannot be used."""

    fault: str

    @contextmanager
    def hold(self, vault_url: str, holder: LeaseHolder) -> Iterator[HeldLease]:  # noqa: ARG002 - of the port
        yield HeldLease(always, fault=self.fault)


@dataclass(frozen=True, slots=True)
class SlowLease:
    """Its storage takes its time over each."""

    wait: Callable[[], object]
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def hold(self, vault_url: str, holder: LeaseHolder) -> Iterator[HeldLease]:  # noqa: ARG002 - of the port
        self.asked.append(vault_url)
        self.wait()
        yield HeldLease(always)
