"""What somebody else than the job did to each token, as they meant it to stay: all that the campaign's oracle knows.

What the job should have done follows from it (`invariants`). `Operators` are the
only ones who write here; each act is done on the emulators' state and noted in one breath.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Meant:
    """How operators left one token. `consents` are refresh tokens, the oldest first: the last one is to be on top.

    `latest` are those of the second of the last one: a vault's dates do not tell which of them was the last.

    `left_care`: a re-consent without tags took it out of care, which nobody meant and the job must tell. `overwritten`
    names what an act in the window of one request may have lost for good (docs/adr/0002), because the
    run that covered it never came to settle: `tags`, `enabled`, `consent`.
    """

    consents: list[str] = field(repr=False)
    tags: dict[str, str]
    content_type: str | None = None
    enabled: bool = True
    deleted: bool = False
    left_care: bool = False
    acts: list[str] = field(default_factory=list)
    overwritten: set[str] = field(default_factory=set)
    latest: list[str] = field(default_factory=list, repr=False)
    consented_on: datetime | None = None

    def consented(self, value: str, moment: datetime) -> None:
        """Somebody signed in and stored this."""
        second = moment.replace(microsecond=0)
        self.latest = [*(self.latest if second == self.consented_on else ()), value]
        self.consented_on = second
        self.consents.append(value)

    @property
    def is_managed(self) -> bool:
        """Whether the job is to care for it."""
        return self.tags.get("managed-by") == "token-rotation" and not self.deleted


@dataclass(slots=True)
class Ledger:
    """What was meant with every token, by name, and every value that nobody may ever see.

    `undated` are consents that somebody gave in the second of what happened around them, `undecided` those of them of
    which nothing at all tells what they came before.
    """

    tokens: dict[str, Meant] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set, repr=False)
    undated: set[str] = field(default_factory=set, repr=False)
    undecided: set[str] = field(default_factory=set, repr=False)
