"""What one Application Insights resource has taken in, as rows of its tables. Knows nothing of HTTP.

Ingestion takes minutes in the service and no time here; nothing is aggregated, and nothing is forgotten but by `clear`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emulators.monitor.envelope import Envelope, RefusedItem
from emulators.monitor.tables import Row, row_of


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why the item at this place of a batch was not taken, with the status that it would have had alone."""

    index: int
    status: int
    message: str


class MonitorState:
    """One resource with its instrumentation key. Safe to use from any thread.

    Without `local_authentication` a sender must be one of the `publishers`, known by their object ids: the role
    Monitoring Metrics Publisher ("Microsoft Entra authentication for Application Insights").
    """

    def __init__(self, *, local_authentication: bool = True) -> None:
        self.instrumentation_key = str(uuid.uuid4())
        self.local_authentication = local_authentication
        self._lock = threading.Lock()
        self._publishers: set[str] = set()
        self._taken: list[Envelope] = []

    def grant(self, object_id: str) -> None:
        """Let an identity publish."""
        with self._lock:
            self._publishers.add(object_id)

    def deny(self, object_id: str) -> None:
        """Let an identity publish no more."""
        with self._lock:
            self._publishers.discard(object_id)

    def may_publish(self, object_id: str) -> bool:
        """Whether an identity has the role."""
        with self._lock:
            return object_id in self._publishers

    def take(self, items: Sequence[object]) -> list[ItemError]:
        """Take a batch in; what is wrong with an item does not touch the others."""
        errors: list[ItemError] = []
        for index, item in enumerate(items):
            try:
                envelope = Envelope.parse(item, now=datetime.now(UTC))
                self._check_key(envelope)
                row_of(envelope)
            except RefusedItem as refused:
                errors.append(ItemError(index, 400, str(refused)))
            except (KeyError, ValueError, IndexError, TypeError) as fault:
                errors.append(ItemError(index, 400, f"Invalid data: {type(fault).__name__}"))
            else:
                with self._lock:
                    self._taken.append(envelope)
        return errors

    def rows(self, table: str) -> list[Row]:
        """The rows of `AppEvents`, `AppTraces`, `AppRequests`, `AppDependencies` or `AppExceptions`, as they came."""
        with self._lock:
            taken = tuple(self._taken)
        return [row for name, row in map(row_of, taken) if name == table]

    def events(self, name: str) -> list[Row]:
        """The rows of AppEvents with this name."""
        return [row for row in self.rows("AppEvents") if row["Name"] == name]

    def tables(self) -> dict[str, int]:
        """How many rows there are in each table; a type of data without a table counts under its own name."""
        with self._lock:
            taken = tuple(self._taken)
        counted: dict[str, int] = {}
        for name, _ in map(row_of, taken):
            counted[name] = counted.get(name, 0) + 1
        return counted

    def age(self, delta: timedelta) -> None:
        """Let time pass: whatever was taken in happened `delta` earlier."""
        with self._lock:
            self._taken = [envelope.earlier(delta) for envelope in self._taken]

    def clear(self) -> None:
        """Forget what was taken in."""
        with self._lock:
            self._taken.clear()

    def _check_key(self, envelope: Envelope) -> None:
        if envelope.instrumentation_key != self.instrumentation_key:
            raise RefusedItem("Invalid instrumentation key")
