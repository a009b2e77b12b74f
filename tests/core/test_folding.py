"""What one cause did to many is one problem, and which one it is changes with no repair."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.outcome import Outcome
from rotation.problem import problems_of
from rotation.reason import TRANSIENT, Reason, Unit
from rotation.remembered import LastFailure
from tests.core.records import (
    DAY,
    FAILURES,
    NOW,
    OTHER_VAULT,
    VERSION,
    by_one_cause,
    outcome,
)


@pytest.mark.parametrize(("count", "problems"), [(1, 1), (10, 10), (11, 1), (300, 1)])
def test_more_than_ten_equal_problems_of_which_no_day_is_known_fold_into_one(count: int, problems: int) -> None:
    found = problems_of(by_one_cause(Reason.TOKEN_REVOKED, count))
    assert len(found) == problems
    assert sum(problem.tokens for problem in found) == count
    assert (found[0].subject == "*") == (count > 10)
    assert found[0].sample[0] == "token-000"


def test_only_what_is_equal_in_vault_and_reason_folds() -> None:
    here = by_one_cause(Reason.TOKEN_REVOKED, 11)
    there = [outcome(Reason.TOKEN_REVOKED, vault=OTHER_VAULT, name=f"t{number}") for number in range(10)]
    others = [outcome(Reason.TOKEN_EXPIRED, name=f"t{number}") for number in range(10)]
    assert len(problems_of([*here, *there, *others])) == 1 + 10 + 10


def failing_since(reason: Reason, days_ago: int) -> LastFailure:
    return LastFailure(reason, days_ago + 1, NOW.date() - days_ago * DAY, NOW.date(), VERSION)


def in_tenants(app: str, count: int, *, days_ago: int | None = None) -> list[Outcome]:
    """So many tenants that refuse an app: the same day, or a day that no tag remembers."""
    streak = None if days_ago is None else failing_since(Reason.CONSENT_REQUIRED, days_ago)
    subjects = [f"{app} in tenant-{number}" for number in range(count)]
    return [outcome(Reason.CONSENT_REQUIRED, name=f"{s} token", subject=s, streak=streak) for s in subjects]


@pytest.mark.parametrize(
    ("outcomes", "subjects"),
    [
        (in_tenants("app", 10), [f"app in tenant-{number}" for number in range(10)]),
        (in_tenants("app", 11), ["app in *"]),
        (in_tenants("app", 400, days_ago=1), ["app in *"]),
        (in_tenants("app", 400) + in_tenants("another", 1), ["another in tenant-0", "app in *"]),
        ([each for app in "abcdefghijk" for each in in_tenants(app, 1)], ["*"]),
        ([each for app in "abcdefghijk" for each in in_tenants(app, 2, days_ago=1)], ["*"]),
    ],
)
def test_the_tenants_of_one_app_fold_into_it_and_too_many_apps_into_one(
    outcomes: list[Outcome], subjects: list[str]
) -> None:
    found = problems_of(outcomes)
    assert sorted(problem.subject for problem in found) == subjects
    assert sum(problem.tokens for problem in found) == len(outcomes)


@pytest.mark.parametrize("reason", [Reason.CLIENT_CREDENTIAL_EXPIRED, Reason.THROTTLED, Reason.REDIRECT_TYPE_SPA])
def test_more_than_ten_of_any_unit_fold(reason: Reason) -> None:
    failed = [outcome(reason, name=f"t{number}", subject=f"s{number}") for number in range(11)]
    assert len(problems_of(failed[:10])) == 10
    assert [(problem.subject, problem.tokens) for problem in problems_of(failed)] == [("*", 11)]


# ---- by the day, which no repair and no later death changes


def dead(*names: str, days_ago: int) -> list[Outcome]:
    reason = Reason.TOKEN_REVOKED
    return [outcome(reason, name=name, streak=failing_since(reason, days_ago)) for name in names]


def test_what_died_on_one_day_is_one_problem_and_on_another_day_another() -> None:
    found = problems_of([*dead("a", "b", days_ago=3), *dead("c", days_ago=1)])
    assert [(problem.subject, problem.tokens, problem.day) for problem in found] == [
        ("*", 2, NOW.date() - 3 * DAY),
        ("c", 1, NOW.date() - DAY),
    ]


@given(st.sets(st.integers(0, 40), min_size=2), st.sets(st.integers(0, 40), min_size=2), st.integers(0, 9))
def test_no_repair_and_no_later_death_makes_another_problem_of_it(
    before: set[int], after: set[int], later: int
) -> None:
    """10, 11, 10 or 400, 2: which problem it is does not depend on how many are left, while there are several."""

    def told(numbers: set[int]) -> set[tuple[str, object]]:
        others = dead(*(f"later-{number}" for number in range(later)), days_ago=1)
        found = problems_of([*dead(*(f"t{number}" for number in numbers), days_ago=3), *others])
        return {(problem.subject, problem.day) for problem in found if problem.day == NOW.date() - 3 * DAY}

    assert told(before) == told(after) == {("*", NOW.date() - 3 * DAY)}


@pytest.mark.parametrize("reason", FAILURES)
def test_a_day_is_told_only_where_it_cannot_move_while_the_problem_stands(reason: Reason) -> None:
    """A credential, an issuer or a vault recovers for one token before the others: the first day moves."""
    (problem,) = problems_of([outcome(reason, subject="x", repeated=True, streak=failing_since(reason, 2))])
    moves = reason in TRANSIENT or reason.unit in (Unit.CREDENTIAL, Unit.ISSUER, Unit.VAULT)
    assert (problem.since, problem.day) == (NOW.date() - 2 * DAY, None if moves else problem.since)


@pytest.mark.parametrize("reason", [Reason.EXPIRING, Reason.EXPIRES_WITHIN_WEEK])
def test_days_that_run_out_began_by_the_tokens_own_dates(reason: Reason) -> None:
    day = NOW.date() - 4 * DAY
    failed = outcome(Reason.THROTTLED, expiry=reason, dated=day, streak=failing_since(Reason.THROTTLED, 0))
    assert [(problem.reason, problem.day) for problem in problems_of([failed])] == [(reason, day)]
