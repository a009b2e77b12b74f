"""What the job writes beside what the operator wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.reason import Reason
from rotation.remembered import LastWarning
from rotation.tagging import Tagged, after_failure, after_rotation, operator_tags, put_back
from rotation.token import JOB_TAGS, MOST_TAGS, redeemed_at_of, timestamp
from tests.core.records import DAY, NOW, TAGS, failing

FAILURE = failing(Reason.TOKEN_REVOKED)
OURS_BEFORE = {
    "redeemed-at": timestamp(NOW - 8 * DAY), "account-id": "uid.utid", "last-failure": str(failing(Reason.THROTTLED)),
}  # fmt: skip


def notes(count: int) -> dict[str, str]:
    return {f"note-{number}": "theirs" for number in range(count)}


def test_after_a_rotation_the_clock_starts_anew_and_no_failure_is_remembered() -> None:
    tagged = after_rotation({**TAGS, "note": "theirs", **OURS_BEFORE}, redeemed_at=NOW, account_id="uid.utid")
    assert tagged.tags == {
        **TAGS,
        "note": "theirs",
        "redeemed-at": "2027-03-10T12:00:00.000Z",
        "account-id": "uid.utid",
    }
    assert not tagged.dropped


def test_an_account_that_the_answer_does_not_name_stays_as_it_was() -> None:
    known = after_rotation({**TAGS, "account-id": "uid.utid"}, redeemed_at=NOW, account_id=None)
    unknown = after_rotation(TAGS, redeemed_at=NOW, account_id=None)
    assert known.tags["account-id"] == "uid.utid"
    assert "account-id" not in unknown.tags


def test_after_a_failure_everything_stays_and_the_streak_is_added() -> None:
    tagged = after_failure({**TAGS, **OURS_BEFORE}, FAILURE)
    assert tagged.tags == {**TAGS, **OURS_BEFORE, "last-failure": str(FAILURE)}
    assert not tagged.dropped


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(13, {"redeemed-at", "account-id"}), (14, {"redeemed-at"}), (15, set())],
)
def test_the_date_of_the_redemption_is_the_last_of_the_jobs_tags_to_give_way(theirs: int, ours: set[str]) -> None:
    tagged = after_rotation(notes(theirs), redeemed_at=NOW, account_id="uid.utid")
    assert set(tagged.tags) == set(notes(theirs)) | ours
    assert tagged.dropped == (len(ours) < 2)


@pytest.mark.parametrize("theirs", [12, 13])
def test_a_failure_gives_way_before_the_jobs_other_tags(theirs: int) -> None:
    before = {**notes(theirs), "redeemed-at": timestamp(NOW), "account-id": "uid.utid"}
    tagged = after_failure(before, FAILURE)
    assert tagged.dropped == (theirs == 13)
    assert set(tagged.tags) - set(before) == (set() if tagged.dropped else {"last-failure"})
    assert {name: tagged.tags[name] for name in before} == before


def test_a_failure_that_was_remembered_makes_room_for_the_next() -> None:
    full = {**notes(14), "last-failure": str(failing(Reason.THROTTLED))}
    tagged = after_failure(full, FAILURE)
    assert tagged.tags == {**full, "last-failure": str(FAILURE)}
    assert not tagged.dropped


any_tags = st.dictionaries(st.sampled_from([*TAGS, *sorted(JOB_TAGS)]) | st.text(), st.text(), max_size=MOST_TAGS)


@given(any_tags, st.none() | st.just("uid.utid"))
def test_what_the_operator_wrote_is_always_carried_over(tags: Mapping[str, str], account_id: str | None) -> None:
    rotated = after_rotation(tags, redeemed_at=NOW, account_id=account_id)
    failed = after_failure(tags, FAILURE)
    for tagged in (rotated, failed):
        assert operator_tags(tagged.tags) == operator_tags(tags)
        assert len(tagged.tags) <= MOST_TAGS
    assert "last-failure" not in rotated.tags
    assert failed.dropped == (failed.tags.get("last-failure") != str(FAILURE))
    assert rotated.dropped or rotated.tags["redeemed-at"] == timestamp(NOW, timespec="milliseconds")


def test_two_runs_of_one_second_do_not_say_the_same_of_their_redemption() -> None:
    """What says the same of it as another version has copied it: so `version_history` knows a re-consent."""
    moments = (NOW, NOW + timedelta(milliseconds=20))
    tags = [after_rotation({}, redeemed_at=moment, account_id=None).tags for moment in moments]

    assert tags[0] != tags[1]
    assert redeemed_at_of(tags[0]) == redeemed_at_of(tags[1]) == NOW


def test_what_is_put_back_says_which_version_it_is_a_copy_of_and_lies_on() -> None:
    before = {**notes(12), "put-back": "older on", "last-warning": "mfa_missing;2026-11-14", "account-id": "uid.utid"}
    tagged = put_back(before, source="abc", over="def")

    assert tagged == Tagged({**before, "put-back": "abc def"}, dropped=False)
    assert put_back({**notes(14), "account-id": "uid.utid"}, source="abc", over="def") == Tagged(
        {**notes(14), "put-back": "abc def"}, dropped=True
    )
    assert put_back(notes(15), source="abc", over="def") == Tagged(notes(15), dropped=True)


def test_fifteen_tags_are_what_a_secret_may_have() -> None:
    assert MOST_TAGS == 15


def test_what_was_warned_of_is_carried_past_a_failure_and_gives_way_to_it() -> None:
    warned = {"last-warning": "mfa_missing;2026-11-14"}
    assert after_failure({**notes(13), **warned}, FAILURE) == Tagged(
        {**notes(13), "last-failure": str(FAILURE), **warned}, dropped=False
    )
    assert after_failure({**notes(14), **warned}, FAILURE) == Tagged(
        {**notes(14), "last-failure": str(FAILURE)}, dropped=False
    )


def test_what_is_warned_of_is_written_with_the_new_token_and_gives_way_first() -> None:
    warning = LastWarning((Reason.MFA_MISSING,), NOW.date())
    for theirs, fits in ((12, True), (13, False)):
        tagged = after_rotation(notes(theirs), redeemed_at=NOW, account_id="uid.utid", warning=warning)
        assert (tagged.tags.get("last-warning") == str(warning), tagged.dropped) == (fits, not fits)
        assert tagged.tags["account-id"] == "uid.utid"
