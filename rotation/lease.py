"""The run lease within one process: one writer for one vault at a time. Other processes are left to `blob_lease`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rotation.ports import HeldLease, LeaseHeldError, LeaseHolder, always

_holders: dict[str, LeaseHolder] = {}  # of the process, since every invocation builds its own wiring
_guard = threading.Lock()


class ProcessLease:
    """The Lease port for one process."""

    @contextmanager
    def hold(self, vault_url: str, holder: LeaseHolder) -> Iterator[HeldLease]:
        """Hold the vault's lease for the length of the block. Raises LeaseHeldError at once when it cannot be had."""
        with _guard:
            if vault_url in _holders:
                raise LeaseHeldError(_holders[vault_url])
            _holders[vault_url] = holder
        try:
            yield HeldLease(always)
        finally:
            with _guard:
                del _holders[vault_url]
