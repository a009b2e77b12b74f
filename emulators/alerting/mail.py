"""The mail of an alert, as the person at the other end reads it; and how many of them an address gets.

The words are the rule's subject, title and description and the values of its dimensions: of a log search alert's mail
nothing else is the deployer's to choose. Sources, Azure Monitor documentation: "Customize log search alert email
subjects (preview)" (2025-06-26), and for the limit "Azure Monitor service limits", Action groups (2023-04-25).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from emulators.alerting.rule import AlertRule, UnsupportedRuleError

MAILS_AN_HOUR = 100
_HOUR = timedelta(hours=1)
_PLACE = re.compile(r"\$\{(.+?)\}")
_DIMENSION = re.compile(r"data\.alertContext\.condition\.allOf\[0\]\.dimensions\[(\d)\]\.value")
_CONDITION = "data.essentials.monitorCondition"


class Condition(StrEnum):
    """What became of the alert."""

    FIRED = "Fired"
    RESOLVED = "Resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail; `value` is the measure of the alert that fired."""

    rule: AlertRule
    condition: Condition
    dimensions: Mapping[str, object]
    sent: datetime
    fired: datetime
    value: float | None

    @property
    def subject(self) -> str:
        """The line that is seen first: the rule's, with what the alert's payload has at each path in it."""
        return _PLACE.sub(lambda place: self._at(place[1]), self.rule.subject)

    def _at(self, path: str) -> str:
        """What the payload has at a path; its dimensions stand in the rule's order, which is that of the alphabet."""
        if path == _CONDITION:
            return self.condition
        dimension = _DIMENSION.fullmatch(path)
        if dimension is None:
            raise UnsupportedRuleError(f"the payload of an alert has no {path}")
        return str(self.dimensions[self.rule.dimensions[int(dimension[1])]])

    def to_json(self) -> dict[str, object]:
        """The mail as a JSON object."""
        return {
            "rule": self.rule.name,
            "subject": self.subject,
            "condition": self.condition,
            "severity": self.rule.severity,
            "fired": self.fired.isoformat(timespec="seconds"),
            "sent": self.sent.isoformat(timespec="seconds"),
            "dimensions": dict(self.dimensions),
            "value": self.value,
            "description": self.rule.description,
        }


def delivered(mails: Iterable[Mail]) -> list[Mail]:
    """The mails that one address gets, in order: no more than a hundred in any hour, the rest is dropped."""
    kept: list[Mail] = []
    recent: deque[datetime] = deque()
    for mail in sorted(mails, key=lambda mail: mail.sent):
        while recent and mail.sent - recent[0] >= _HOUR:
            recent.popleft()
        if len(recent) < MAILS_AN_HOUR:
            recent.append(mail.sent)
            kept.append(mail)
    return kept
