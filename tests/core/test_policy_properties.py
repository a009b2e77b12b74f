"""What must hold of the policy for every record at every moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rotation.policy import (
    Leave,
    Redeem,
    Standing,
    days_left,
    decide,
    expires_at,
    expiry_reason,
    next_rotation,
    streak,
    urgency,
)
from rotation.reason import Reason, Severity
from rotation.remembered import LastFailure
from rotation.token import ManagedToken
from tests.core.records import FAILURES, MICROSECOND, NOW, OTHER_VERSION, VERSION, last_failures, tokens

versions = st.sampled_from([None, VERSION, OTHER_VERSION])
later = st.just(timedelta(0)) | st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000))
_WORST_FIRST = list(Severity)


def badness(token: ManagedToken, now: datetime) -> int:
    reason = expiry_reason(token, now=now)
    return -_WORST_FIRST.index(reason.severity if reason else Severity.NONE)


@given(tokens(enabled=True, redeemed=True), later, versions, st.booleans(), st.booleans())
def test_an_expired_token_is_never_silently_skipped(
    token: ManagedToken,
    wait: timedelta,
    version: str | None,
    force: bool,  # noqa: FBT001
    by_hand: bool,  # noqa: FBT001
) -> None:
    assert token.redeemed_at is not None
    now = max(expires_at(token.redeemed_at, token.thresholds), NOW) + wait
    decision = decide(token, now=now, version=version, force=force, by_hand=by_hand)
    told = expiry_reason(token, now=now)
    assert told is Reason.EXPIRES_WITHIN_WEEK
    if not isinstance(decision, Redeem | Standing):
        assert decision == Leave(Reason.PAUSED)
        assert token.paused_until is not None
        assert now.date() < token.paused_until
    if isinstance(decision, Standing):
        assert decision.failure.reason.severity is not Severity.NONE


@given(tokens(enabled=True, redeemed=True))
def test_a_token_is_due_strictly_inside_its_life(token: ManagedToken) -> None:
    alone = replace(token, paused_until=None, last_failure=None)
    assert alone.redeemed_at is not None
    due, dies = next_rotation(alone), expires_at(alone.redeemed_at, alone.thresholds)
    assert due is not None
    assert alone.redeemed_at < due < dies
    assert decide(alone, now=due - MICROSECOND) == Leave(Reason.NOT_DUE)
    assert decide(alone, now=due) == Redeem(Reason.DUE)
    assert expiry_reason(alone, now=due) is None  # nobody is told of what the next run does anyway


@given(tokens(), later, later, versions)
def test_what_is_due_stays_due_as_time_passes(
    token: ManagedToken, first: timedelta, second: timedelta, version: str | None
) -> None:
    now = decide(token, now=NOW + first, version=version)
    then = decide(token, now=NOW + first + second, version=version)
    if not isinstance(now, Leave):
        assert not isinstance(then, Leave)
    if isinstance(now, Redeem):
        assert isinstance(then, Redeem)


@given(tokens(), later, later)
def test_later_is_never_less_urgent(token: ManagedToken, first: timedelta, second: timedelta) -> None:
    now, then = NOW + first, NOW + first + second
    assert badness(token, now) <= badness(token, then)
    left_now, left_then = days_left(token, now=now), days_left(token, now=then)
    assert left_now is None or (left_then is not None and left_then <= left_now)


@given(tokens(), tokens())
def test_what_dies_first_comes_first_and_what_is_of_unknown_age_before_all(
    one: ManagedToken, other: ManagedToken
) -> None:
    if one.redeemed_at is None:
        assert urgency(one) <= urgency(other)
    elif other.redeemed_at is not None:
        dies, dies_too = expires_at(one.redeemed_at, one.thresholds), expires_at(other.redeemed_at, other.thresholds)
        assert (dies < dies_too) == (urgency(one) < urgency(other))


@given(tokens(), versions)
def test_force_overrules_everything_but_the_operator(token: ManagedToken, version: str | None) -> None:
    decision = decide(token, now=NOW, version=version, force=True)
    paused = token.paused_until is not None and NOW.date() < token.paused_until
    assert isinstance(decision, Redeem) == (token.enabled and not paused)


@given(tokens(), versions)
def test_a_person_never_gets_less_done_than_the_timer(token: ManagedToken, version: str | None) -> None:
    by_timer = decide(token, now=NOW, version=version)
    by_hand = decide(token, now=NOW, version=version, by_hand=True)
    assert by_hand == by_timer or isinstance(by_hand, Redeem)


@given(last_failures(NOW), st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=12))
def test_a_streak_lasts_as_many_days_as_it_was_seen_on(before: LastFailure, waits: list[timedelta]) -> None:
    seen: set[date] = {before.last_seen}
    now, failure = NOW, before
    for wait in waits:
        now += wait
        failure = streak(failure, reason=before.reason, version=before.version, now=now)
        seen.add(now.date())
    assert failure.days == before.days + len(seen) - 1
    assert failure.first_seen == before.first_seen
    assert failure.last_seen == max(seen)


@given(last_failures(NOW), st.sampled_from(FAILURES), st.sampled_from([VERSION, OTHER_VERSION]))
def test_a_streak_is_never_longer_than_its_days_on_the_calendar(
    before: LastFailure, reason: Reason, version: str
) -> None:
    after = streak(before, reason=reason, version=version, now=NOW)
    assert 1 <= after.days <= (after.last_seen - after.first_seen).days + 1
    assert (after.reason, after.version, after.last_seen) == (reason, version, NOW.date())
