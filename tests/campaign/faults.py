"""How a request can fail, and which cells of the table request x fault x moment there are.

What a fault looks like to each client is left to `state_vault` and `state_issuer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from tests.campaign.journal import AFTER, BEFORE, KINDS


class Fault(StrEnum):
    """What happens to one request."""

    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    THROTTLED = "429"
    THROTTLED_UNTIL = "429, Retry-After"
    ERROR = "500"
    SLOW = "slow"


RETRY_AFTER_SECONDS = 3
ERROR_STATUS, THROTTLED_STATUS = 500, 429

type Cell = tuple[str, Fault, str]

IMPOSSIBLE = {
    (Fault.REFUSED, AFTER): "a connection that is refused has carried no request",
    (Fault.THROTTLED, AFTER): "what is throttled has not been carried out",
    (Fault.THROTTLED_UNTIL, AFTER): "what is throttled has not been carried out",
}
"""Faults that cannot happen at a moment, whatever the request, and why."""


def cells() -> Iterator[Cell]:
    """Every request with every fault before and after its effect that is possible."""
    for kind in KINDS:
        for fault in Fault:
            yield from ((kind, fault, moment) for moment in (BEFORE, AFTER) if (fault, moment) not in IMPOSSIBLE)


class Broken(Exception):
    """A request did not go through; `fault` says how. Raised by the gate, translated by whoever sent the request."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class ProcessStopped(BaseException):
    """The process ends here: nothing of the product may catch it."""


class RunsForEver(BaseException):
    """A run makes request after request and comes to no end."""
