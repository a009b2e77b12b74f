"""The tags of the next version, or of a version that failed: what the job writes beside what the operator wrote.

Pure. The operator's tags are carried over, always and unchanged; Key Vault allows 15 in all, and when they do not fit
it is the job's own that give way, the least needed first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rotation.token import ACCOUNT_ID, JOB_TAGS, LAST_FAILURE, REDEEMED_AT, LastFailure, timestamp

MOST_TAGS = 15  # Azure Key Vault: "About keys, secrets and certificates", secret tags


@dataclass(frozen=True, slots=True)
class Tagged:
    """Tags that fit, and whether one of the job's own had to be left out for it."""

    tags: Mapping[str, str]
    dropped: bool


def job_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that only the job writes."""
    return {name: value for name, value in tags.items() if name in JOB_TAGS}


def operator_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that are the operator's: all others."""
    return {name: value for name, value in tags.items() if name not in JOB_TAGS}


def after_rotation(tags: Mapping[str, str], *, redeemed_at: datetime, account_id: str | None) -> Tagged:
    """The tags of the version that holds the new token: no failure is remembered, the clock starts anew."""
    ours = {REDEEMED_AT: timestamp(redeemed_at)}
    if account_id or tags.get(ACCOUNT_ID):
        ours[ACCOUNT_ID] = account_id or tags[ACCOUNT_ID]
    return fitted(operator_tags(tags), ours)


def after_failure(tags: Mapping[str, str], failure: LastFailure) -> Tagged:
    """The tags of the version that failed: as they are, with the streak."""
    rest = {name: value for name, value in tags.items() if name != LAST_FAILURE}
    return fitted(rest, {LAST_FAILURE: str(failure)})


def fitted(kept: Mapping[str, str], ours: Mapping[str, str]) -> Tagged:
    """What is kept, and of ours as many as there is room for, from the first on."""
    room = max(0, MOST_TAGS - len(kept))
    fitting = dict(list(ours.items())[:room])
    return Tagged({**kept, **fitting}, dropped=len(fitting) < len(ours))
