"""What is open, what is not completed and who is silent: each query on runs written by hand, at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from emulators.alerting import Workspace, load_rules
from rotation.reason import Reason
from tests.alerts.events import NINE, OTHER, VAULT, Run, rows_of

RULES = {rule.name: rule for rule in load_rules(vaults={VAULT: NINE, OTHER: NINE}, runbook_url="runbook.md")}
HOUR = timedelta(hours=1)
REVOKED = (Reason.TOKEN_REVOKED, "contoso")
EXPIRED = (Reason.TOKEN_EXPIRED, "contoso")
FOLDED = (Reason.TOKEN_REVOKED, "*")


def asked(name: str, *runs: Run, at: datetime) -> list[dict[str, object]]:
    rule = RULES[name]
    return Workspace(rows_of(*runs)).query(rule.query, at=at, reaching_back=rule.window)


def opened(*runs: Run, rule: str = "problems_critical", after: timedelta = HOUR) -> list[tuple[object, object]]:
    """Reason and subject of what is open an hour after the last run."""
    rows = asked(rule, *runs, at=max(run.at for run in runs) + after)
    return sorted((row["reason"], row["subject"]) for row in rows)


def run(hours: float, **more: object) -> Run:
    return Run(at=NINE + hours * HOUR, **more)  # type: ignore[arg-type]


def by_hand(hours: float, **more: object) -> Run:
    return run(hours, trigger="cli", full=False, **more)


# ---- problems


def test_what_the_latest_full_run_found_is_open() -> None:
    assert opened(run(0, found=[REVOKED])) == [REVOKED]


def test_what_a_later_full_run_no_longer_finds_is_closed() -> None:
    assert opened(run(0, found=[REVOKED]), run(6)) == []


@pytest.mark.parametrize("trigger", ["timer", "http", "cli"])
def test_a_full_run_counts_whatever_started_it(trigger: str) -> None:
    assert opened(run(0, found=[REVOKED]), run(1, trigger=trigger)) == []


@pytest.mark.parametrize("less", [{"complete": False}, {"full": False}, {"dry_run": True}])
def test_a_run_that_did_not_see_everything_closes_nothing_by_silence(less: dict[str, bool]) -> None:
    assert opened(run(0, found=[REVOKED]), run(6, **less)) == [REVOKED]


def test_a_full_run_of_another_vault_closes_nothing() -> None:
    assert opened(run(0, found=[REVOKED]), run(6, vault=OTHER)) == [REVOKED]


def test_what_a_run_by_hand_finds_is_open_too() -> None:
    assert opened(run(0), by_hand(1, found=[REVOKED])) == [REVOKED]


def test_what_a_run_by_hand_proves_good_is_closed() -> None:
    assert opened(run(0, found=[REVOKED]), by_hand(1, proved={"contoso": "token_expired,token_revoked"})) == []


@pytest.mark.parametrize(
    "proved",
    [{"fabrikam": "token_revoked"}, {"contoso": "token_expired"}, {"*": "token_expired"}, {"contoso": "token_rev"}],
)
def test_what_it_does_not_name_stays_open(proved: dict[str, str]) -> None:
    assert opened(run(0, found=[REVOKED]), by_hand(1, proved=proved)) == [REVOKED]


def test_what_is_found_after_it_was_closed_is_open() -> None:
    closed = by_hand(1, proved={"contoso": "token_revoked"})
    assert opened(run(0, found=[REVOKED]), closed, by_hand(2, found=[REVOKED])) == [REVOKED]


def test_a_run_does_not_close_what_it_finds_itself() -> None:
    again = by_hand(1, found=[REVOKED], proved={"contoso": "token_revoked"})
    assert opened(run(0, found=[REVOKED]), again) == [REVOKED]


def test_a_fold_outlives_the_repair_of_one_of_its_tokens() -> None:
    folded = run(0, found=[FOLDED])
    assert opened(folded, by_hand(1, proved={"contoso": "token_revoked"})) == [FOLDED]
    assert opened(folded, run(6)) == []


def test_two_reasons_of_one_subject_are_two_problems() -> None:
    assert opened(run(0, found=[REVOKED, EXPIRED])) == [EXPIRED, REVOKED]


def test_a_problem_that_is_told_often_is_one_row_with_what_was_told_last() -> None:
    row, *more = asked("problems_critical", run(0, found=[REVOKED], tokens=2), run(6, found=[REVOKED], tokens=3),
                       at=NINE + 7 * HOUR)  # fmt: skip
    assert (row["tokens"], row["first_told"], more) == (3, "2026-11-02 09:00", [])


def test_a_problem_without_a_known_token_counts_all_the_same() -> None:
    (row,) = asked("problems_error", run(0, found=[(Reason.VAULT_DENIED, VAULT)], tokens=0), at=NINE + HOUR)
    assert row["tokens"] == 1


def test_no_dimension_is_left_empty() -> None:
    nameless = run(0, found=[REVOKED], label="")
    assert asked("problems_critical", nameless, at=NINE + HOUR)[0]["label"] == "-"


def test_a_fold_stands_for_its_tokens_when_a_run_by_hand_finds_one_again() -> None:
    assert opened(run(0, found=[FOLDED]), by_hand(1, found=[REVOKED])) == [FOLDED]
    assert opened(run(0, found=[FOLDED]), by_hand(1, found=[REVOKED], day="2026-11-03")) == sorted([FOLDED, REVOKED])
    assert opened(run(0, found=[FOLDED]), run(6), by_hand(7, found=[REVOKED])) == [REVOKED]


def test_what_began_on_another_day_is_another_problem() -> None:
    told = asked("problems_critical", run(0, found=[REVOKED]), by_hand(1, found=[REVOKED], day="2026-11-03"),
                 at=NINE + 2 * HOUR)  # fmt: skip
    assert sorted(str(row["since"]) for row in told) == ["2026-11-02", "2026-11-03"]


def test_the_end_of_a_run_closes_nothing_before_its_problems_are_visible() -> None:
    late = run(6, found=[REVOKED, EXPIRED], problems_late=HOUR)
    assert opened(run(0, found=[REVOKED]), late, after=0.5 * HOUR) == [REVOKED]
    assert opened(run(0, found=[REVOKED]), late, after=1.5 * HOUR) == [EXPIRED, REVOKED]


def test_the_run_under_way_hides_nothing() -> None:
    assert opened(run(0, found=[REVOKED]), run(6, killed=True), after=timedelta(minutes=5)) == [REVOKED]


def test_what_was_not_told_for_two_days_is_forgotten() -> None:
    assert opened(run(0, found=[REVOKED]), after=47.9 * HOUR) == [REVOKED]
    assert opened(run(0, found=[REVOKED]), after=48.1 * HOUR) == []


# ---- the reminder


def test_a_reminder_comes_half_a_day_after_the_first_telling_and_not_before() -> None:
    told = [run(hours, found=[REVOKED]) for hours in (0, 6, 12)]
    assert opened(*told[:2], rule="critical_reminder", after=5.9 * HOUR) == []
    assert opened(*told, rule="critical_reminder", after=0.1 * HOUR) == [REVOKED]


def reminded(*runs: Run, hours: float) -> list[dict[str, object]]:
    return asked("critical_reminder", *runs, at=NINE + hours * HOUR)


@pytest.mark.parametrize("end", [run(6), by_hand(6, proved={"contoso": "token_revoked"})], ids=["silent", "proved"])
def test_what_was_mended_and_breaks_again_is_reminded_of_from_then_on(end: Run) -> None:
    again = [run(0, found=[REVOKED]), end, run(12, found=[REVOKED]), run(18, found=[REVOKED])]
    assert reminded(*again, hours=23.9) == []
    (row,) = reminded(*again, hours=24.1)
    assert row["first_told"] == "2026-11-02 21:00"


def test_a_cause_is_reminded_of_once_whatever_the_day() -> None:
    told = run(
        0, found=[REVOKED], day="2026-11-01", tokens=3, told={"who": "contoso and 2 more", "since": "2026-11-01"}
    )
    (row,) = reminded(told, by_hand(1, found=[(Reason.TOKEN_REVOKED, "fabrikam")]), hours=14)
    assert (row["tokens"], row["since"], row["subject"]) == (4, "2026-11-01", "*")
    assert sorted(str(row["who"]).split("; ")) == ["contoso and 2 more", "fabrikam"]


# ---- run not completed


def not_completed(*runs: Run, minutes: float = 46) -> list[tuple[object, object]]:
    at = max(run.at for run in runs) + timedelta(minutes=minutes)
    return sorted((row["vault"], row["runs"]) for row in asked("run_not_completed", *runs, at=at))


def test_a_timer_run_without_its_end_is_told_after_45_minutes() -> None:
    assert not_completed(run(0, killed=True), minutes=44) == []
    assert not_completed(run(0, killed=True)) == [(VAULT, 1)]


def test_a_run_that_ended_is_not_told() -> None:
    assert not_completed(run(0), run(6, complete=False)) == []


@pytest.mark.parametrize("of", [{"trigger": "http"}, {"trigger": "cli"}, {"dry_run": True}])
def test_only_runs_of_the_timer_are_missed(of: dict[str, object]) -> None:
    begun = Run(at=NINE, killed=True, **of)  # type: ignore[arg-type]
    assert not_completed(begun) == []


def test_the_end_of_another_run_is_not_its_end() -> None:
    assert not_completed(run(0), run(6, killed=True)) == [(VAULT, 1)]
    assert not_completed(run(0, killed=True), run(0.1, vault=OTHER)) == [(VAULT, 1)]
    assert not_completed(run(0, killed=True), run(0.1, trigger="cli")) == [(VAULT, 1)]


def test_a_later_run_that_ends_makes_good_for_it() -> None:
    assert not_completed(run(0, killed=True), run(6)) == []


def test_runs_that_die_one_after_another_are_one_row() -> None:
    assert not_completed(*(run(hours, killed=True) for hours in (0, 6, 12))) == [(VAULT, 3)]


# ---- heartbeat


def silent(*runs: Run, hours: float) -> list[str]:
    return sorted(str(row["vault"]) for row in asked("heartbeat", *runs, at=NINE + hours * HOUR))


def test_a_vault_without_a_run_for_13_hours_is_silent() -> None:
    runs = [run(hours, vault=vault) for hours in (0, 6) for vault in (VAULT, OTHER)]
    assert silent(*runs, hours=18.9) == []
    assert silent(*runs, run(12, vault=OTHER), hours=19.1) == [VAULT]


@pytest.mark.parametrize(
    "less", [{"trigger": "http"}, {"trigger": "cli"}, {"full": False}, {"complete": False}, {"dry_run": True}]
)
def test_only_full_complete_runs_of_the_timer_count(less: dict[str, object]) -> None:
    runs = [run(0), run(0, vault=OTHER), run(6, vault=OTHER), Run(at=NINE + 6 * HOUR, **less)]  # type: ignore[arg-type]
    assert silent(*runs, hours=14) == [VAULT]


def test_a_new_deployment_is_given_13_hours_and_no_more() -> None:
    assert silent(hours=12.9) == []
    assert silent(hours=13.1) == sorted([VAULT, OTHER])


@pytest.mark.parametrize("given", ["", "01/02/2026 09:00:00 o'clock"])
def test_a_vault_whose_date_cannot_be_read_is_told_rather_than_never(given: str) -> None:
    query = RULES["heartbeat"].query.replace(f"{NINE:%Y-%m-%dT%H:%M:%S.%f}0Z", given)
    assert f'"{VAULT}", "{given}"' in query
    found = Workspace(rows_of(run(0, vault=OTHER))).query(query, at=NINE + HOUR, reaching_back=timedelta(days=2))
    assert [row["vault"] for row in found] == [VAULT]


def test_a_vault_is_the_same_however_its_address_is_written() -> None:
    written = {f"{VAULT.upper().replace('HTTPS', 'https')}/": NINE}
    (rule,) = (rule for rule in load_rules(vaults=written, runbook_url="") if rule.name == "heartbeat")
    found = Workspace(rows_of(run(0), run(6))).query(rule.query, at=NINE + 14 * HOUR, reaching_back=rule.window)
    assert found == []


def test_a_day_of_silence_is_reminded_of_and_says_since_when() -> None:
    def reminder(hours: float) -> list[tuple[object, object]]:
        found = asked("heartbeat_reminder", run(0), run(0, vault=OTHER), run(6, vault=OTHER), at=NINE + hours * HOUR)
        return sorted((row["vault"], row["last_run"]) for row in found)

    assert reminder(23.9) == []
    assert reminder(24.1) == [(VAULT, "2026-11-02 09:00")]
    assert reminder(24 * 30) == [(VAULT, "none for two days"), (OTHER, "none for two days")]


def test_it_stays_silent_after_its_last_run_is_forgotten() -> None:
    assert silent(run(0), run(0, vault=OTHER), run(60, vault=OTHER), hours=70) == [VAULT]
