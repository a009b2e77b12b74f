"""Whatever stands in the tags: a record or named faults, never an exception."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from rotation.policy import days_left, decide, expiry_reason, next_rotation, urgency
from rotation.reason import Reason
from rotation.status_report import token_status
from rotation.tagging import after_failure, after_rotation
from rotation.token import JOB_TAGS, InvalidRecord, ManagedToken, redeemed_at_of, timestamp
from tests.core.records import NOW, TAGS, failing, moments, record_of, token_of

NAMES = [
    *TAGS, "scopes", "cloud", "rotate-after-days", "inactivity-days", "label", "paused-until",
    *sorted(JOB_TAGS),
]  # fmt: skip
LETTERS = st.characters(exclude_categories=())  # half characters, control characters, right-to-left marks, all of it

junk = (
    st.text(LETTERS)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.integers(0, 10**300).map(str)
    | moments.map(timestamp)
    | st.dates().map(str)
    | st.sampled_from([*TAGS.values(), "secret:", "common", ";;;;", "token_revoked;1;2027-03-09;2027-03-09;x"])
)
tags = st.dictionaries(st.sampled_from(NAMES) | st.text(LETTERS), junk, max_size=20)


@given(tags, st.booleans())
def test_any_tags_give_a_record_or_faults_that_name_their_tag(more: Mapping[str, str], enabled: bool) -> None:  # noqa: FBT001
    record = record_of(more, enabled=enabled)
    if isinstance(record, InvalidRecord):
        assert record.faults
        assert all(fault.split()[0] in NAMES for fault in record.faults)
        assert not any(fault.split()[0] in JOB_TAGS for fault in record.faults)
    else:
        assert all(ignored.split()[0] in JOB_TAGS for ignored in record.ignored)
        assert 1 <= record.thresholds.rotate_after_days < record.thresholds.inactivity_days <= 3650
    assert record.label.isprintable()


@given(tags, moments, st.booleans())
def test_whatever_record_the_tags_give_can_be_decided_and_told(
    more: Mapping[str, str],
    now: datetime,
    enabled: bool,  # noqa: FBT001
) -> None:
    record = record_of(more, enabled=enabled)
    assert token_status(record, now=now).name == "contoso"
    if isinstance(record, ManagedToken):
        decide(record, now=now)
        assert next_rotation(record) is None or next_rotation(record) is not None
        assert (days_left(record, now=now) is None) == (record.redeemed_at is None)
        assert expiry_reason(record, now=now) in {None, Reason.EXPIRING, Reason.EXPIRES_WITHIN_WEEK}
        assert urgency(record).tzinfo is not None


@given(tags, st.randoms(use_true_random=False))
def test_the_order_of_the_tags_is_irrelevant(more: Mapping[str, str], order: object) -> None:
    items = list({**TAGS, **more}.items())
    shuffled = list(items)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert record_of(dict(shuffled)) == record_of(dict(items))


@given(st.dictionaries(st.sampled_from(sorted(JOB_TAGS)), junk))
def test_junk_in_the_jobs_own_tags_never_blocks_a_token(more: Mapping[str, str]) -> None:
    token = token_of(more)
    unread = {
        "redeemed-at": token.redeemed_at is None,
        "last-failure": token.last_failure is None,
        "last-warning": token.last_warning is None,
    }
    assert [ignored.split()[0] for ignored in token.ignored] == [tag for tag in unread if unread[tag] and tag in more]


@given(st.dictionaries(st.text(LETTERS, min_size=1), st.text(LETTERS)))
def test_tags_of_others_are_nobodys_business(more: Mapping[str, str]) -> None:
    theirs = {name: value for name, value in more.items() if name not in NAMES}
    assert record_of(theirs) == record_of()


@given(tags)
def test_what_is_written_back_is_read_without_a_fault(more: Mapping[str, str]) -> None:
    failure = failing(Reason.TOKEN_REVOKED)
    failed = after_failure(TAGS, failure).tags
    rotated = after_rotation({**more, **TAGS}, redeemed_at=NOW, account_id="uid.utid")
    assert json.loads(json.dumps(dict(failed))) == failed
    assert token_of(failed).last_failure == failure
    assert rotated.dropped or redeemed_at_of(rotated.tags) == NOW
