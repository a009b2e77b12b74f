"""Which token comes next, and the breakers by which one cause is found out once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from rotation.schedule import Cause, Schedule, Turn
from rotation.token import ManagedToken
from tests.core.records import DAY, VAULT, outcome, redeemed

OTHER_VAULT = "https://fabrikam-tokens.vault.azure.net"
OTHER_TENANT = "99999999-2222-3333-4444-555555555555"
REJECTED = outcome(Reason.CLIENT_CREDENTIAL_INVALID, subject="secret:app")
MISSING = outcome(Reason.CLIENT_CREDENTIAL_MISSING, subject="secret:app")
ROTATED = outcome(Reason.DUE, kind=Kind.ROTATED)


def due(name: str, age: int = 10, *, app: str = "app", vault: str = VAULT, tenant: str | None = None) -> ManagedToken:
    tags = {"client-credential": f"secret:{app}"} | ({"tenant-id": tenant} if tenant else {})
    return replace(redeemed(age * DAY, tags, name=name), vault=vault)


def alike(count: int, *, app: str = "app", vault: str = VAULT, oldest: int = 80) -> list[ManagedToken]:
    return [due(f"{app}-{number}", oldest - number, app=app, vault=vault) for number in range(count)]


def schedule_of(*tokens: ManagedToken, has_permit: Callable[[str], bool] = lambda _: True) -> Schedule:
    return Schedule(tokens, may_start=lambda: True, has_permit=has_permit)


def ready(schedule: Schedule) -> Turn | None:
    """The next turn, or None where `take` would wait."""
    return schedule._next()


def taken(schedule: Schedule) -> Turn:
    turn = ready(schedule)
    assert turn is not None, "nothing may go now: a worker would wait"
    return turn


def proven(schedule: Schedule) -> None:
    """Let one token show that its client credential and its vault are well."""
    turn = taken(schedule)
    schedule.accepted(turn.lane, turn.lane.credentials[0])
    schedule.stored(turn.lane)
    schedule.give_back(turn, ROTATED)


def end(schedule: Schedule, *outcomes: Outcome) -> None:
    for each in outcomes:
        schedule.give_back(taken(schedule), each)


def test_while_none_is_in_flight_the_token_that_dies_first_comes_first_whatever_its_credential_and_vault() -> None:
    ages = {"a": 80, "b": 70, "c": 60, "d": 50, "e": 40}
    tokens = [
        due(name, age, app=f"app-{number % 2}", vault=(VAULT, OTHER_VAULT)[number // 3])
        for number, (name, age) in enumerate(ages.items())
    ]
    schedule = schedule_of(*reversed(tokens))
    names = []
    for _ in tokens:
        turn = taken(schedule)
        names.append(turn.token.name)
        schedule.accepted(turn.lane, turn.lane.credentials[0])
        schedule.give_back(turn, ROTATED)
    assert names == list(ages)


def test_a_token_of_unknown_age_comes_before_all() -> None:
    unknown = replace(due("unknown"), redeemed_at=None)
    assert taken(schedule_of(*alike(3), unknown)).token.name == "unknown"


def in_two_proven_vaults(**limits: Callable[[str], bool]) -> Schedule:
    """Six tokens in each of two vaults, those of the first more urgent than all of the other."""
    schedule = schedule_of(*alike(7), *alike(7, vault=OTHER_VAULT, oldest=40), **limits)
    first, elsewhere = taken(schedule), taken(schedule)
    for turn in (first, elsewhere):
        schedule.accepted(turn.lane, turn.lane.credentials[0])
        schedule.stored(turn.lane)
        schedule.give_back(turn, ROTATED)
    return schedule


def test_vaults_share_the_workers_however_urgent_the_tokens_of_one_are() -> None:
    schedule = in_two_proven_vaults()
    tokens = [taken(schedule).token for _ in range(6)]
    for vault in (VAULT, OTHER_VAULT):
        assert [token.name for token in tokens if token.vault == vault] == ["app-1", "app-2", "app-3"]


def test_a_vault_that_is_slow_keeps_no_more_workers_than_its_share() -> None:
    schedule = in_two_proven_vaults()
    slow = [taken(schedule) for _ in range(4)]
    for turn in slow:
        if turn.token.vault == OTHER_VAULT:
            schedule.give_back(turn, ROTATED)
    assert [taken(schedule).token.vault for _ in range(2)] == [OTHER_VAULT] * 2


def test_a_vault_without_a_permit_waits_until_no_other_has_one() -> None:
    exhausted = {VAULT}
    schedule = in_two_proven_vaults(has_permit=lambda url: url not in exhausted)
    assert [taken(schedule).token.vault for _ in range(3)] == [OTHER_VAULT] * 3
    exhausted.add(OTHER_VAULT)
    assert [taken(schedule).token.vault for _ in range(3)] == [VAULT] * 3
    exhausted.clear()
    assert [taken(schedule).token.vault for _ in range(2)] == [VAULT, OTHER_VAULT]


def test_until_the_issuer_accepted_a_credential_its_tokens_go_one_at_a_time() -> None:
    schedule = schedule_of(*alike(4), *alike(2, app="other", oldest=40))
    first = taken(schedule)
    schedule.stored(first.lane)  # the vault is well: only the credential is to be proven
    assert [turn and turn.token.name for turn in (ready(schedule), ready(schedule))] == ["other-0", None]
    schedule.accepted(first.lane, first.lane.credentials[0])
    assert [turn and turn.token.name for turn in (ready(schedule), ready(schedule))] == ["app-1", "app-2"]


def test_until_a_vault_stored_a_version_its_tokens_go_one_at_a_time() -> None:
    schedule = schedule_of(*alike(2), *alike(2, app="other", oldest=40), *alike(2, vault=OTHER_VAULT, oldest=60))
    first, elsewhere = taken(schedule), taken(schedule)
    schedule.accepted(first.lane, first.lane.credentials[0])
    assert {first.token.vault, elsewhere.token.vault} == {VAULT, OTHER_VAULT}
    assert ready(schedule) is None
    schedule.stored(first.lane)
    assert [ready(schedule) is not None for _ in range(4)] == [True, True, False, False]


def test_a_token_that_failed_makes_room_for_the_next_proof() -> None:
    schedule = schedule_of(*alike(3))
    end(schedule, outcome(Reason.TOKEN_REVOKED))
    assert taken(schedule).closed is None
    assert ready(schedule) is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_three_rejections_close_a_credential_and_fewer_do_not(count: int) -> None:
    schedule = schedule_of(*alike(5), due("other", 5, app="other"))
    end(schedule, *[REJECTED] * count)
    turn = taken(schedule)
    assert turn.closed == (Cause(Reason.CLIENT_CREDENTIAL_INVALID, "secret:app") if count == 3 else None)


def test_a_closed_credential_closes_no_other() -> None:
    schedule = schedule_of(*alike(4), due("other", 5, app="other"), due("there", 4, vault=OTHER_VAULT))
    end(schedule, *[REJECTED] * 3)
    closed = {}
    for _ in range(3):
        turn = taken(schedule)
        closed[turn.token.name] = turn.closed is not None
        schedule.give_back(turn, outcome(Reason.TOKEN_REVOKED))
    assert closed == {"app-3": True, "other": False, "there": False}


def test_a_missing_credential_closes_at_once() -> None:
    schedule = schedule_of(*alike(2))
    end(schedule, MISSING)
    assert taken(schedule).closed == Cause(Reason.CLIENT_CREDENTIAL_MISSING, "secret:app")


def test_the_cause_of_a_closed_credential_stays_the_first() -> None:
    schedule = schedule_of(*alike(3))
    end(schedule, MISSING, outcome(Reason.BREAKER_OPEN, kind=Kind.DEFERRED))
    assert taken(schedule).closed == Cause(Reason.CLIENT_CREDENTIAL_MISSING, "secret:app")


def test_rejections_of_another_kind_that_were_in_flight_do_not_change_the_cause() -> None:
    schedule = schedule_of(*alike(8))
    proven(schedule)
    in_flight = [taken(schedule) for _ in range(4)]
    for turn in in_flight[:3]:
        schedule.give_back(turn, REJECTED)
    schedule.give_back(in_flight[3], outcome(Reason.CLIENT_CREDENTIAL_EXPIRED, subject="secret:app"))
    assert taken(schedule).closed == Cause(Reason.CLIENT_CREDENTIAL_INVALID, "secret:app")


def test_rejections_count_from_the_last_acceptance_on() -> None:
    schedule = schedule_of(*alike(8))
    end(schedule, REJECTED, REJECTED)
    proven(schedule)
    end(schedule, REJECTED, REJECTED)
    turn = taken(schedule)
    assert turn.closed is None
    schedule.give_back(turn, REJECTED)
    assert taken(schedule).closed is not None


def test_tokens_that_are_dead_themselves_close_nothing() -> None:
    schedule = schedule_of(*alike(6))
    end(schedule, *[outcome(Reason.TOKEN_REVOKED)] * 5)
    assert taken(schedule).closed is None


def test_a_token_that_is_stranded_for_its_own_secrets_sake_closes_nothing() -> None:
    schedule = schedule_of(*alike(2))
    end(schedule, outcome(Reason.STRANDED_TOKEN, kind=Kind.STRANDED))
    assert taken(schedule).closed is None


def test_three_of_them_without_a_store_between_close_the_vault_all_the_same() -> None:
    stranded = outcome(Reason.STRANDED_TOKEN, kind=Kind.STRANDED)
    schedule = schedule_of(*alike(7))
    end(schedule, stranded, stranded)
    proven(schedule)
    end(schedule, stranded, stranded)
    last = taken(schedule)
    assert last.closed is None, "a store between them counts"
    schedule.give_back(last, stranded)
    assert taken(schedule).closed == Cause(Reason.STRANDED_TOKEN, "")


def test_a_stranded_token_ends_redemption_in_its_vault_and_in_no_other() -> None:
    schedule = schedule_of(*alike(3), due("other", 20, app="other"), due("there", 10, vault=OTHER_VAULT))
    end(schedule, replace(outcome(Reason.STRANDED_TOKEN, kind=Kind.STRANDED), closes_vault=True))
    closed = {}
    for _ in range(4):
        turn = taken(schedule)
        closed[turn.token.name] = turn.closed
        schedule.give_back(turn, outcome(Reason.BREAKER_OPEN, kind=Kind.DEFERRED))
    cause = Cause(Reason.STRANDED_TOKEN, "")
    assert closed == {"app-1": cause, "app-2": cause, "other": cause, "there": None}


def test_an_app_that_the_issuer_throttles_in_a_tenant_is_left_in_peace_there() -> None:
    here = [due("a", 80), due("b", 70), due("same-app-other-credential", 60, app="other")]
    schedule = schedule_of(*here, due("elsewhere", 50, tenant=OTHER_TENANT))
    end(schedule, outcome(Reason.THROTTLED, subject="app in tenant"))
    closed = {}
    for _ in range(3):
        turn = taken(schedule)
        closed[turn.token.name] = turn.closed
        schedule.give_back(turn, outcome(Reason.BREAKER_OPEN, kind=Kind.DEFERRED))
    cause = Cause(Reason.THROTTLED, "app in tenant")
    assert closed == {"b": cause, "same-app-other-credential": cause, "elsewhere": None}


def test_what_was_not_started_in_time_remains_each_token_once() -> None:
    time_left = [True]
    schedule = Schedule(
        [*alike(4), *alike(3, app="other"), *alike(2, vault=OTHER_VAULT)],
        may_start=lambda: time_left[0],
        has_permit=lambda _: True,
    )
    first, second = taken(schedule), taken(schedule)
    schedule.accepted(first.lane, first.lane.credentials[0])
    time_left[0] = False
    assert schedule.take() is None
    schedule.give_back(first, ROTATED)
    schedule.give_back(second, outcome(Reason.TOKEN_REVOKED))
    left = [(token.vault, token.name) for token in schedule.remaining()]
    assert len(left) == len(set(left)) == 7
    assert not {(turn.token.vault, turn.token.name) for turn in (first, second)} & set(left)


def test_nothing_to_do_is_done_at_once() -> None:
    schedule = schedule_of()
    assert schedule.take() is None
    assert list(schedule.remaining()) == []
