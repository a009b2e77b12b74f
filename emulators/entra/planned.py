"""What a test plans for the next answers of the token endpoint: refusals, and answers that are wrong in one point.

Broken transport, HTML, truncated bodies and bare HTTP statuses are the business of `emulators.faults`.
Not safe for threads by itself: `EntraState` holds its lock around every call.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from emulators.entra.directory import User
from emulators.entra.errors import REFUSALS, EntraError

type GrantType = Literal["refresh_token", "client_credentials"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """How one answer to a redemption differs from the right one; None leaves a point right."""

    refresh_token: Literal["absent", "empty"] | None = None
    account: User | None = None
    tenant_id: str | None = None
    audience: str | None = None
    mfa: bool | None = None
    client_info: Literal["absent"] | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    code: int
    grant_type: GrantType
    client_id: str | None


class Planned:
    """Two queues: refusals are spent by requests, deviations by redemptions that succeed."""

    def __init__(self) -> None:
        self._refused: list[_Refused] = []
        self._deviations: deque[Deviation] = deque()

    def refuse(self, code: int, *, times: int, grant_type: GrantType, client_id: str | None) -> None:
        """Queue a refusal. Raises KeyError for a code that is not in the table."""
        self._refused += [_Refused(REFUSALS[code].code, grant_type, client_id)] * times

    def deviate(self, deviation: Deviation, *, times: int) -> None:
        """Queue a wrong answer."""
        self._deviations.extend([deviation] * times)

    def check(self, grant_type: GrantType, client_id: str) -> None:
        """Raises EntraError with the first planned refusal that this request meets, which is thereby spent."""
        for planned in self._refused:
            if planned.grant_type == grant_type and planned.client_id in (None, client_id):
                self._refused.remove(planned)
                raise EntraError(planned.code)

    def next_deviation(self) -> Deviation:
        """How the answer at hand is to differ, which is thereby spent; for most answers, in nothing."""
        return self._deviations.popleft() if self._deviations else Deviation()
