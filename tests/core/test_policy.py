"""What is due, at exactly which moment, and what a remembered failure changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rotation.policy import (
    Decision,
    Leave,
    Redeem,
    Standing,
    days_left,
    decide,
    expires_at,
    expiry_reason,
    expiry_since,
    next_rotation,
    streak,
    urgency,
)
from rotation.reason import TRANSIENT, Reason, Unit
from rotation.remembered import LastFailure, LastWarning
from rotation.token import ManagedToken, Thresholds
from tests.core.records import (
    DAY,
    FAILURES,
    MICROSECOND,
    NOW,
    OTHER_VERSION,
    SECOND,
    VERSION,
    failing,
    redeemed,
    token_of,
)

ONCE_A_DAY = [
    reason
    for reason in FAILURES
    if reason not in TRANSIENT and reason.unit is not Unit.CREDENTIAL and reason is not Reason.TOKEN_REJECTED
]


def with_failure(failure: LastFailure, *, age: timedelta = DAY) -> ManagedToken:
    return replace(redeemed(age), last_failure=failure)


@pytest.mark.parametrize(
    ("age", "decision"),
    [
        (7 * DAY - MICROSECOND, Leave(Reason.NOT_DUE)),
        (7 * DAY - SECOND, Leave(Reason.NOT_DUE)),
        (7 * DAY, Redeem(Reason.DUE)),
        (7 * DAY + MICROSECOND, Redeem(Reason.DUE)),
        (90 * DAY, Redeem(Reason.DUE)),
        (4000 * DAY, Redeem(Reason.DUE)),
        (timedelta(0), Leave(Reason.NOT_DUE)),
        (timedelta(minutes=-5), Leave(Reason.NOT_DUE)),
        (timedelta(minutes=-5) - MICROSECOND, Redeem(Reason.NEVER_REDEEMED)),
        (-400 * DAY, Redeem(Reason.NEVER_REDEEMED)),
    ],
)
def test_a_token_is_due_from_its_days_on_and_when_it_claims_the_future(age: timedelta, decision: Decision) -> None:
    assert decide(redeemed(age), now=NOW) == decision


def test_a_token_may_have_days_of_its_own() -> None:
    token = redeemed(3 * DAY, {"rotate-after-days": "3"})
    assert decide(token, now=NOW) == Redeem(Reason.DUE)
    assert decide(token, now=NOW - MICROSECOND) == Leave(Reason.NOT_DUE)


def test_a_token_that_the_job_never_redeemed_is_due_now() -> None:
    assert decide(token_of(), now=NOW) == Redeem(Reason.NEVER_REDEEMED)


def test_a_disabled_secret_is_left_alone_whatever_else_is_said() -> None:
    token = replace(with_failure(failing(Reason.TOKEN_REVOKED)), enabled=False)
    assert decide(token, now=NOW, force=True, by_hand=True) == Leave(Reason.DISABLED)


@pytest.mark.parametrize("force", [False, True])
def test_a_pause_ends_when_its_day_begins_in_utc(force: bool) -> None:  # noqa: FBT001
    token = token_of({"paused-until": "2027-03-11"})
    midnight = datetime(2027, 3, 11, tzinfo=UTC)
    assert decide(token, now=midnight - MICROSECOND, force=force) == Leave(Reason.PAUSED)
    assert isinstance(decide(token, now=midnight, force=force), Redeem)


def test_force_redeems_what_is_fresh_and_what_failed_today() -> None:
    assert decide(redeemed(DAY), now=NOW, force=True) == Redeem(Reason.FORCED)
    assert decide(with_failure(failing(Reason.TOKEN_REVOKED)), now=NOW, force=True) == Redeem(Reason.FORCED)


@pytest.mark.parametrize("reason", ONCE_A_DAY)
def test_a_failure_that_lasts_is_tried_once_a_day(reason: Reason) -> None:
    token = with_failure(failing(reason))
    midnight = datetime(2027, 3, 11, tzinfo=UTC)
    assert decide(token, now=NOW) == Standing(failing(reason))
    assert decide(token, now=NOW, version=VERSION) == Standing(failing(reason))
    assert decide(token, now=midnight - MICROSECOND, version=VERSION) == Standing(failing(reason))
    assert decide(token, now=midnight, version=VERSION) == Redeem(Reason.RETRY)


@pytest.mark.parametrize("reason", [reason for reason in FAILURES if reason not in ONCE_A_DAY])
def test_what_passes_and_what_a_breaker_keeps_cheap_is_tried_in_every_run(reason: Reason) -> None:
    assert decide(with_failure(failing(reason)), now=NOW) == Redeem(Reason.RETRY)
    assert decide(with_failure(failing(reason)), now=NOW, version=VERSION) == Redeem(Reason.RETRY)


def test_a_rejection_without_a_cause_is_confirmed_by_the_next_run_and_then_tried_once_a_day() -> None:
    assert decide(with_failure(failing(Reason.TOKEN_REJECTED, days=1)), now=NOW) == Redeem(Reason.RETRY)
    assert isinstance(decide(with_failure(failing(Reason.TOKEN_REJECTED, days=2)), now=NOW), Standing)


@pytest.mark.parametrize("reason", ONCE_A_DAY)
def test_a_person_who_starts_a_run_has_every_failure_tried(reason: Reason) -> None:
    assert decide(with_failure(failing(reason)), now=NOW, by_hand=True) == Redeem(Reason.RETRY)
    assert decide(with_failure(failing(reason)), now=NOW, version=VERSION, by_hand=True) == Redeem(Reason.RETRY)


def test_a_failure_copied_from_another_version_says_that_this_one_is_new() -> None:
    token = with_failure(failing(Reason.TOKEN_REVOKED))
    assert decide(token, now=NOW, version=OTHER_VERSION) == Redeem(Reason.NEVER_REDEEMED)


@pytest.mark.parametrize("days", [0, 1, 2])
def test_what_could_not_be_settled_is_due_in_every_run_for_two_days(days: int) -> None:
    def warned(reason: Reason) -> Decision:
        warning = LastWarning((reason,), NOW.date() - days * DAY)
        return decide(replace(redeemed(DAY), last_warning=warning), now=NOW)

    assert warned(Reason.DISABLE_FAILED) == (Redeem(Reason.RETRY) if days < 2 else Leave(Reason.NOT_DUE))
    assert warned(Reason.MFA_MISSING) == Leave(Reason.NOT_DUE)


def test_a_failure_is_tried_again_though_the_token_is_not_due_by_age() -> None:
    token = with_failure(failing(Reason.TOKEN_REVOKED, last_seen=DAY), age=timedelta(0))
    assert decide(token, now=NOW) == Redeem(Reason.RETRY)


@pytest.mark.parametrize(
    ("age", "left", "reason"),
    [
        (timedelta(0), 90, None),
        (60 * DAY, 30, None),
        (60 * DAY + MICROSECOND, 29, Reason.EXPIRING),
        (83 * DAY, 7, Reason.EXPIRING),
        (83 * DAY + MICROSECOND, 6, Reason.EXPIRES_WITHIN_WEEK),
        (90 * DAY - MICROSECOND, 0, Reason.EXPIRES_WITHIN_WEEK),
        (90 * DAY, 0, Reason.EXPIRES_WITHIN_WEEK),
        (90 * DAY + MICROSECOND, -1, Reason.EXPIRES_WITHIN_WEEK),
        (91 * DAY, -1, Reason.EXPIRES_WITHIN_WEEK),
    ],
)
def test_days_run_out_at_exactly_these_moments(age: timedelta, left: int, reason: Reason | None) -> None:
    assert days_left(redeemed(age), now=NOW) == left
    assert expiry_reason(redeemed(age), now=NOW) is reason


@pytest.mark.parametrize("inactivity", ["2", "3", "4", "8"])
def test_a_token_of_a_short_window_is_healthy_when_due_and_critical_when_dead(inactivity: str) -> None:
    tags = {"inactivity-days": inactivity, "rotate-after-days": "1"}
    assert expiry_reason(redeemed(DAY, tags), now=NOW) is None
    assert expiry_reason(redeemed(int(inactivity) * DAY, tags), now=NOW) is Reason.EXPIRES_WITHIN_WEEK


@pytest.mark.parametrize("age", [0 * DAY, 60 * DAY, 60 * DAY + MICROSECOND, 82 * DAY, 83 * DAY, 84 * DAY, 200 * DAY])
def test_days_run_out_from_one_day_on_whatever_the_moment(age: timedelta) -> None:
    """The alert is named after it: it may not move while the same days run out."""
    token, reason = redeemed(age), expiry_reason(redeemed(age), now=NOW)
    left = {Reason.EXPIRING: 30, Reason.EXPIRES_WITHIN_WEEK: 7}
    day = None if reason is None else (NOW - age + (90 - left[reason]) * DAY).date()
    assert expiry_since(token, now=NOW) == day
    later = expiry_reason(token, now=NOW + DAY)
    assert later is not reason or expiry_since(token, now=NOW + DAY) == day


def test_an_age_that_nobody_knows_is_no_number_and_the_first_in_line() -> None:
    assert days_left(token_of(), now=NOW) is None
    assert expiry_reason(token_of(), now=NOW) is None
    assert next_rotation(token_of()) is None
    assert urgency(token_of()) < urgency(redeemed(4000 * DAY))


def test_whoever_disabled_a_secret_is_not_told_that_its_days_run_out() -> None:
    assert expiry_reason(replace(redeemed(200 * DAY), enabled=False), now=NOW) is None


def test_the_next_rotation_is_the_moment_from_which_it_is_due() -> None:
    assert next_rotation(redeemed(2 * DAY)) == NOW + 5 * DAY


def test_dates_beyond_the_calendar_end_with_it() -> None:
    late = datetime(9999, 12, 1, tzinfo=UTC)
    assert expires_at(late, Thresholds(7, 90, 30)) == datetime.max.replace(tzinfo=UTC)
    assert days_left(replace(token_of(), redeemed_at=late), now=NOW) is not None


def test_a_first_failure_starts_a_streak_of_one_day() -> None:
    today = NOW.date()
    assert streak(None, reason=Reason.TOKEN_REVOKED, version=VERSION, now=NOW) == LastFailure(
        Reason.TOKEN_REVOKED, 1, today, today, VERSION
    )


def test_a_streak_counts_days_and_not_runs() -> None:
    seen = None
    for hours in (0, 6, 11, 12, 18, 36, 40):  # noon, 18:00, 23:00, midnight, 6:00, midnight, 4:00
        now = NOW + timedelta(hours=hours)
        seen = streak(seen, reason=Reason.TOKEN_REVOKED, version=VERSION, now=now)
    assert seen == LastFailure(Reason.TOKEN_REVOKED, 3, date(2027, 3, 10), date(2027, 3, 12), VERSION)


def test_a_day_begins_at_midnight_utc_to_the_microsecond() -> None:
    midnight = datetime(2027, 3, 11, tzinfo=UTC)
    before = failing(Reason.TOKEN_REVOKED)
    assert streak(before, reason=before.reason, version=VERSION, now=midnight - MICROSECOND).days == 1
    assert streak(before, reason=before.reason, version=VERSION, now=midnight).days == 2


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        (Reason.TOKEN_REVOKED, Reason.TOKEN_REVOKED, True),
        (Reason.TOKEN_REVOKED, Reason.TOKEN_EXPIRED, False),
        (Reason.ISSUER_UNAVAILABLE, Reason.THROTTLED, True),
        (Reason.ISSUER_UNAVAILABLE, Reason.TOKEN_REVOKED, False),
        (Reason.TOKEN_REVOKED, Reason.ISSUER_UNAVAILABLE, False),
    ],
)
def test_a_streak_goes_on_for_the_same_reason_and_among_those_that_pass(
    before: Reason,
    after: Reason,
    goes_on: bool,  # noqa: FBT001
) -> None:
    previous = failing(before, days=4, last_seen=DAY)
    now = streak(previous, reason=after, version=VERSION, now=NOW)
    assert now.reason is after
    assert (now.days, now.first_seen) == ((5, previous.first_seen) if goes_on else (1, NOW.date()))


def test_another_version_starts_anew() -> None:
    previous = failing(Reason.TOKEN_REVOKED, days=4, last_seen=DAY)
    now = streak(previous, reason=Reason.TOKEN_REVOKED, version=OTHER_VERSION, now=NOW)
    assert (now.days, now.first_seen, now.version) == (1, NOW.date(), OTHER_VERSION)
