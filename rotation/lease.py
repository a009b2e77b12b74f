"""The run lease within one process: one run for one vault at a time. Across processes nothing is promised here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rotation.ports import LeaseHeldError, LeaseHolder

_holders: dict[str, LeaseHolder] = {}  # of the process, since every invocation builds its own wiring
_guard = threading.Lock()


class ProcessLease:
    """The Lease port for one process."""

    @contextmanager
    def hold(self, vault_url: str, *, run_id: str, now: datetime) -> Iterator[None]:
        """Hold the vault's lease for the length of the block. Raises LeaseHeldError at once when it cannot be had."""
        with _guard:
            if vault_url in _holders:
                raise LeaseHeldError(_holders[vault_url])
            _holders[vault_url] = LeaseHolder(run_id, now)
        try:
            yield
        finally:
            with _guard:
                del _holders[vault_url]
