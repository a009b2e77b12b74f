"""One root cause, and all the tokens that it affects, is one problem."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.outcome import Kind, Outcome, StandingFailure, VaultFault
from rotation.problem import Problem, problems_of
from rotation.reason import TOKEN_IS_DEAD, TRANSIENT, Reason, Severity, Unit
from rotation.remembered import LastFailure
from tests.core.records import (
    DAY,
    FAILURES,
    NOW,
    OTHER_VAULT,
    SECRET,
    VAULT,
    VERSION,
    by_one_cause,
    failing,
    outcome,
    untried,
)


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str, int]]:
    return [(problem.reason, problem.subject, problem.tokens) for problem in problems]


@pytest.mark.parametrize("kind", [Kind.ROTATED, Kind.SKIPPED, Kind.DEFERRED])
@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.severity is Severity.NONE])
def test_what_needs_nobody_is_no_problem(kind: Kind, reason: Reason) -> None:
    assert problems_of([outcome(reason, kind=kind)]) == ()


def test_one_expired_client_secret_with_four_hundred_tokens_behind_it_is_one_problem() -> None:
    (problem,) = problems_of(by_one_cause(Reason.CLIENT_CREDENTIAL_EXPIRED, 400))
    assert (problem.reason, problem.subject, problem.vault) == (Reason.CLIENT_CREDENTIAL_EXPIRED, SECRET, VAULT)
    assert problem.tokens == 400
    assert problem.sample == tuple(f"token-{number:03}" for number in range(5))
    assert (problem.severity, problem.action) == (problem.reason.severity, problem.reason.action)


@pytest.mark.parametrize("reason", [reason for reason in FAILURES if reason.unit is not Unit.TOKEN])
def test_two_subjects_of_a_unit_are_two_problems_and_a_vault_is_one(reason: Reason) -> None:
    failed = [outcome(reason, name=name, subject=subject) for name, subject in [("a", "x"), ("b", "y"), ("c", "x")]]
    found = said(problems_of(failed))
    assert found == ([(reason, VAULT, 3)] if reason.unit is Unit.VAULT else [(reason, "x", 2), (reason, "y", 1)])


@pytest.mark.parametrize("reason", FAILURES)
def test_the_same_in_two_vaults_is_two_problems(reason: Reason) -> None:
    failed = [outcome(reason, vault=vault, subject="x", repeated=True) for vault in (VAULT, OTHER_VAULT)]
    assert {problem.vault for problem in problems_of(failed)} == {VAULT, OTHER_VAULT}


@pytest.mark.parametrize("reason", sorted(TRANSIENT))
@pytest.mark.parametrize(("days", "told"), [(1, False), (2, True), (9, True)])
def test_what_passes_by_itself_is_a_problem_on_its_second_day(reason: Reason, days: int, told: bool) -> None:  # noqa: FBT001
    found = problems_of([outcome(reason, streak=failing(reason, days=days), repeated=True)])
    assert bool(found) == told


def test_what_no_tag_can_remember_is_told_at_once() -> None:
    assert len(problems_of([outcome(Reason.VAULT_UNAVAILABLE)])) == 1


@pytest.mark.parametrize("repeated", [False, True])
def test_a_rejection_without_a_cause_is_told_when_a_second_run_confirms_it(repeated: bool) -> None:  # noqa: FBT001
    found = problems_of([outcome(Reason.TOKEN_REJECTED, streak=failing(Reason.TOKEN_REJECTED), repeated=repeated)])
    assert bool(found) == repeated


def test_tokens_that_were_not_tried_count_under_the_cause() -> None:
    tried = by_one_cause(Reason.CLIENT_CREDENTIAL_INVALID, 3)
    waiting = [untried(Reason.CLIENT_CREDENTIAL_INVALID, name=f"waiting-{n}", subject=SECRET) for n in range(97)]
    (problem,) = problems_of([*waiting, *tried])
    assert (problem.reason, problem.tokens) == (Reason.CLIENT_CREDENTIAL_INVALID, 100)


def test_a_cause_that_is_not_told_yet_is_not_told_by_those_that_waited_for_it() -> None:
    throttled = outcome(Reason.THROTTLED, subject="x", streak=failing(Reason.THROTTLED))
    assert problems_of([throttled, untried(Reason.THROTTLED, name="waiting", subject="x")]) == ()


def test_the_message_is_of_a_token_that_was_tried() -> None:
    waiting = untried(Reason.STRANDED_TOKEN, name="a")
    stranded = outcome(Reason.STRANDED_TOKEN, name="b", kind=Kind.STRANDED, message="could not be stored")
    (problem,) = problems_of([waiting, stranded])
    assert (problem.message, problem.sample, problem.subject) == ("could not be stored", ("a", "b"), VAULT)


@pytest.mark.parametrize("reason", FAILURES)
def test_days_that_run_out_are_told_in_addition_unless_the_token_is_told_as_dead(reason: Reason) -> None:
    failed = outcome(reason, subject="x", expiry=Reason.EXPIRES_WITHIN_WEEK, repeated=True, message="failed")
    found = {problem.reason: problem.message for problem in problems_of([failed])}
    in_addition = (
        {} if reason in TOKEN_IS_DEAD or reason is Reason.EXPIRES_WITHIN_WEEK else {Reason.EXPIRES_WITHIN_WEEK: ""}
    )
    assert found == {reason: "failed"} | in_addition


def test_days_that_run_out_are_told_while_a_rejection_is_not_confirmed() -> None:
    seen_once = failing(Reason.TOKEN_REJECTED)
    rejected = outcome(Reason.TOKEN_REJECTED, expiry=Reason.EXPIRES_WITHIN_WEEK, streak=seen_once)
    assert said(problems_of([rejected])) == [("expires_within_week", "contoso", 1)]


@pytest.mark.parametrize("reason", [Reason.TOKEN_REJECTED, Reason.THROTTLED, Reason.VAULT_UNAVAILABLE])
def test_what_no_tag_could_remember_is_told_at_once(reason: Reason) -> None:
    assert [problem.reason for problem in problems_of([outcome(reason, streak=None)])] == [reason]


@pytest.mark.parametrize("reason", [Reason.PAUSED, Reason.OUT_OF_TIME, Reason.BREAKER_OPEN, Reason.NOT_DUE])
def test_days_that_run_out_are_told_whatever_kept_the_token_from_being_tried(reason: Reason) -> None:
    left = outcome(reason, kind=Kind.SKIPPED, expiry=Reason.EXPIRING)
    assert said(problems_of([left])) == [("expiring", "contoso", 1)]


def test_every_warning_of_a_rotation_is_a_problem() -> None:
    warned = outcome(Reason.DUE, kind=Kind.ROTATED, warnings=(Reason.MFA_MISSING, Reason.TAGS_DROPPED))
    assert said(problems_of([warned])) == [("mfa_missing", "contoso", 1), ("tags_dropped", "contoso", 1)]


def test_the_worst_comes_first_and_then_what_has_the_most_tokens() -> None:
    outcomes = [
        outcome(Reason.UNCLASSIFIED, name="a", streak=failing(Reason.UNCLASSIFIED, days=2)),
        outcome(Reason.INVALID_RECORD, name="b"),
        outcome(Reason.TOKEN_REVOKED, name="z"),
        outcome(Reason.TOKEN_REVOKED, name="y"),
        *by_one_cause(Reason.CLIENT_CREDENTIAL_EXPIRED, 2),
        outcome(Reason.MISCONFIGURED, name="c", subject="x"),
        outcome(Reason.MISCONFIGURED, name="d", subject="x"),
    ]
    for seed in range(5):
        random.Random(seed).shuffle(outcomes)  # noqa: S311 - an order, not a secret
        assert said(problems_of(outcomes)) == [
            ("client_credential_expired", SECRET, 2), ("token_revoked", "y", 1), ("token_revoked", "z", 1),
            ("misconfigured", "x", 2), ("invalid_record", "b", 1), ("unclassified", "a", 1),
        ]  # fmt: skip


def test_a_vault_that_could_not_be_listed_is_a_problem_and_one_that_is_leased_is_none() -> None:
    denied = VaultFault(VAULT, Reason.VAULT_DENIED, "no permission to list")
    leased = VaultFault(OTHER_VAULT, Reason.LEASE_HELD, "another run")
    (problem,) = problems_of([], [denied, leased])
    assert problem == Problem(Reason.VAULT_DENIED, VAULT, VAULT, 0, (), "no permission to list")


def test_a_vault_whose_list_broke_off_and_whose_tokens_failed_likewise_is_one_problem() -> None:
    fault = VaultFault(VAULT, Reason.VAULT_UNAVAILABLE, "no answer")
    (problem,) = problems_of([outcome(Reason.VAULT_UNAVAILABLE, message="no answer for this one")], [fault])
    assert problem.tokens == 1


def known(reason: Reason) -> Problem:
    return Problem(reason, SECRET, VAULT, 40, (), "what the list says of it")


def test_a_client_credential_that_no_token_met_is_told_from_the_list() -> None:
    assert problems_of([], known=[known(Reason.CLIENT_CREDENTIAL_MISSING)]) == (
        known(Reason.CLIENT_CREDENTIAL_MISSING),
    )


@pytest.mark.parametrize("from_list", [Reason.CLIENT_CREDENTIAL_MISSING, Reason.CLIENT_CREDENTIAL_EXPIRING])
@pytest.mark.parametrize("met", [Reason.CLIENT_CREDENTIAL_MISSING, Reason.CLIENT_CREDENTIAL_EXPIRED])
def test_a_client_credential_that_tokens_met_is_told_once_with_those_tokens(from_list: Reason, met: Reason) -> None:
    (problem,) = problems_of(by_one_cause(met, 3), known=[known(from_list)])
    assert (problem.reason, problem.tokens) == (met, 3)


def test_another_vaults_client_credential_of_the_same_name_is_another() -> None:
    elsewhere = outcome(Reason.CLIENT_CREDENTIAL_EXPIRED, vault=OTHER_VAULT, subject=SECRET)
    assert len(problems_of([elsewhere], known=[known(Reason.CLIENT_CREDENTIAL_EXPIRING)])) == 2


outcomes_of_a_vault = st.lists(
    st.builds(
        outcome,
        st.sampled_from(FAILURES),
        name=st.sampled_from([f"t{number}" for number in range(40)]),
        subject=st.sampled_from(["x", "y"]),
        repeated=st.booleans(),
        expiry=st.sampled_from([None, Reason.EXPIRING, Reason.EXPIRES_WITHIN_WEEK]),
    ),
    max_size=40,
    unique_by=lambda one: one.name,
)


@given(outcomes_of_a_vault, st.randoms(use_true_random=False))
def test_problems_do_not_depend_on_the_order_and_none_is_told_twice(
    outcomes: list[Outcome], order: random.Random
) -> None:
    found = problems_of(outcomes)
    shuffled = outcomes.copy()
    order.shuffle(shuffled)
    assert said(problems_of(shuffled)) == said(found)
    keys = [(problem.vault, problem.reason, problem.subject, problem.day) for problem in found]
    assert len(set(keys)) == len(keys)
    assert all(
        list(Severity).index(a.severity) <= list(Severity).index(b.severity) for a, b in itertools.pairwise(found)
    )


@given(outcomes_of_a_vault)
def test_no_failure_goes_untold_but_a_rejection_that_may_pass(outcomes: list[Outcome]) -> None:
    told = {problem.reason for problem in problems_of(outcomes)}
    for one in outcomes:
        unconfirmed = one.reason is Reason.TOKEN_REJECTED and not one.repeated and one.streak is not None
        assert one.reason in told or unconfirmed
        if one.expiry is not None:
            assert one.expiry in told or (one.reason in TOKEN_IS_DEAD and not unconfirmed)


# ---- what stands although a run learned nothing of it


def standing(reason: Reason, *, days: int = 3, subject: str = "") -> StandingFailure:
    failure = LastFailure(reason, days, NOW.date() - 2 * DAY, NOW.date() - DAY, VERSION)
    return StandingFailure(failure, subject)


@pytest.mark.parametrize("reason", FAILURES)
def test_what_failed_before_stays_a_problem_while_its_token_is_not_tried(reason: Reason) -> None:
    before = standing(reason, subject="x")
    deferred = replace(untried(Reason.THROTTLED, name="contoso", subject="app in tenant"), standing=before)
    (problem,) = problems_of([deferred])
    assert (problem.reason, problem.tokens, problem.since) == (reason, 1, NOW.date() - 2 * DAY)
    again = replace(outcome(reason, subject="x", repeated=True), streak=before.failure)
    assert said((problem,)) == said(problems_of([again]))


@pytest.mark.parametrize("reason", sorted(TRANSIENT | {Reason.TOKEN_REJECTED}))
def test_what_was_none_before_is_none_because_its_token_is_not_tried(reason: Reason) -> None:
    assert problems_of([replace(untried(Reason.THROTTLED, name="contoso"), standing=standing(reason, days=1))]) == ()


def test_a_dead_token_that_is_not_tried_is_told_once_and_not_as_expiring_too() -> None:
    deferred = replace(
        untried(Reason.THROTTLED, name="contoso"),
        standing=standing(Reason.TOKEN_REVOKED),
        expiry=Reason.EXPIRES_WITHIN_WEEK,
    )
    assert said(problems_of([deferred])) == [(Reason.TOKEN_REVOKED, "contoso", 1)]


def test_a_token_counts_once_where_what_stands_is_what_keeps_it_from_being_tried() -> None:
    reason = Reason.CLIENT_CREDENTIAL_EXPIRED
    failed = outcome(reason, name="a", subject=SECRET)
    deferred = replace(untried(reason, name="b", subject=SECRET), standing=standing(reason, subject=SECRET))
    assert said(problems_of([failed, deferred])) == [(reason, SECRET, 2)]
