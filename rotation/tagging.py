"""The tags of the next version, or of a version that failed: what the job writes beside what the operator wrote.

Pure. The operator's tags are carried over, always and unchanged; Key Vault allows 15 in all, and when they do not fit
it is the job's own that give way, the least needed first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rotation.remembered import LastFailure, LastWarning
from rotation.token import ACCOUNT_ID, JOB_TAGS, LAST_FAILURE, LAST_WARNING, MOST_TAGS, PUT_BACK, REDEEMED_AT, timestamp


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


def after_rotation(
    tags: Mapping[str, str], *, redeemed_at: datetime, account_id: str | None, warning: LastWarning | None = None
) -> Tagged:
    """The tags of the version that holds the new token: no failure is remembered, the clock starts anew."""
    ours = {REDEEMED_AT: timestamp(redeemed_at, timespec="milliseconds")}  # so that no two runs write the same
    if account_id or tags.get(ACCOUNT_ID):
        ours[ACCOUNT_ID] = account_id or tags[ACCOUNT_ID]
    if warning is not None:
        ours[LAST_WARNING] = str(warning)
    return fitted(operator_tags(tags), ours)


def after_failure(tags: Mapping[str, str], failure: LastFailure) -> Tagged:
    """The tags of the version that failed: as they are, with the streak; what was warned of gives way to it."""
    rest = {name: value for name, value in tags.items() if name not in (LAST_FAILURE, LAST_WARNING)}
    warned = {LAST_WARNING: tags[LAST_WARNING]} if LAST_WARNING in tags else {}
    tagged = fitted(rest, {LAST_FAILURE: str(failure), **warned})
    return Tagged(tagged.tags, dropped=LAST_FAILURE not in tagged.tags)


def after_warning(tags: Mapping[str, str], warning: LastWarning) -> Tagged:
    """The tags of a version that was stored: as they are, with what its rotation warned of."""
    rest = {name: value for name, value in tags.items() if name != LAST_WARNING}
    return fitted(rest, {LAST_WARNING: str(warning)})


def put_back(tags: Mapping[str, str], *, source: str, over: str) -> Tagged:
    """The tags with which a re-consent goes back on top: as they are, and which version it is a copy of and lies on."""
    rest = {name: value for name, value in job_tags(tags).items() if name != PUT_BACK}
    return fitted(operator_tags(tags), {PUT_BACK: f"{source} {over}", **rest})


def fitted(kept: Mapping[str, str], ours: Mapping[str, str]) -> Tagged:
    """What is kept, and of ours as many as there is room for, from the first on."""
    room = max(0, MOST_TAGS - len(kept))
    fitting = dict(list(ours.items())[:room])
    return Tagged({**kept, **fitting}, dropped=len(fitting) < len(ours))
