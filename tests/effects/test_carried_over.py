"""What a new version takes over from the one before it, and what it says of itself: a vault carries nothing over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulators.keyvault.access import DataAction
from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from rotation.token import redeemed_at_of
from tests.effects.job import Job
from tests.effects.partners import DUE, Partner, current, enabled_of, tags_of, values_of

OPERATORS = {"owner": "contoso operations", "label": "Contoso", "ticket": "4711"}


def test_the_new_token_is_stored_and_the_old_one_kept(cloud: World, partner: Partner, job: Job) -> None:
    old = partner.put("contoso")

    job.rotate("contoso")

    first, second = values_of(cloud.vault, "contoso")
    assert (first, second == old) == (old, False)
    assert cloud.entra.is_redeemable(second)


def test_the_operators_tags_and_the_content_type_are_carried_over(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", tags=partner.tags() | OPERATORS, content_type="text/plain; charset=utf-8")

    job.rotate("contoso")

    assert current(cloud.vault, "contoso").content_type == "text/plain; charset=utf-8"
    assert current(cloud.vault, "contoso").enabled
    assert OPERATORS.items() <= tags_of(cloud.vault, "contoso").items()


def test_a_version_without_a_content_type_has_none_afterwards(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")

    job.rotate("contoso")

    assert current(cloud.vault, "contoso").content_type is None


def test_the_new_version_is_enabled(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")

    job.rotate("contoso")

    assert enabled_of(cloud.vault, "contoso") == [True, True]


@pytest.mark.parametrize(("tag", "days"), [({}, 90), ({"inactivity-days": "60"}, 60)])
def test_the_version_says_when_it_was_redeemed_and_when_it_dies(
    cloud: World, partner: Partner, job: Job, tag: dict[str, str], days: int
) -> None:
    partner.put("contoso", tags=partner.tags() | tag)

    report = job.run()

    redeemed_at = redeemed_at_of(tags_of(cloud.vault, "contoso"))
    assert redeemed_at is not None
    assert redeemed_at == report.started_at.replace(microsecond=0)  # nobody has slept, so no time has passed
    assert current(cloud.vault, "contoso").expires_on == redeemed_at + timedelta(days=days)
    assert report.tokens[0].days_left == days


def test_a_token_whose_turn_comes_late_in_a_run_says_so(cloud: World, partner: Partner, job: Job) -> None:
    names = partner.put_some(12)

    report = job.with_limits(concurrency=1, writes_per_second=1).run()  # ten at once, then one a second

    redeemed = [datetime.fromisoformat(tags_of(cloud.vault, name)["redeemed-at"]) for name in names]
    waited = sorted((moment - report.started_at).total_seconds() for moment in redeemed)
    assert waited == pytest.approx([0] * 10 + [1, 2], abs=0.001)  # the tag is cut to the millisecond


def test_the_account_is_recorded_at_the_first_redemption(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso", redeemed=None)

    job.rotate("contoso")

    assert tags_of(cloud.vault, "contoso")["account-id"] == f"{partner.user.object_id}.{partner.user.tenant_id}"


def test_a_recorded_account_stays_when_an_answer_does_not_name_it(cloud: World, partner: Partner, job: Job) -> None:
    account = f"{partner.user.object_id}.{partner.user.tenant_id}"
    partner.put("contoso", tags=partner.tags(account_id=account))
    cloud.entra.answer_next(client_info="absent")

    assert job.rotate("contoso").kind is Kind.ROTATED

    assert tags_of(cloud.vault, "contoso")["account-id"] == account


def test_a_failure_is_forgotten_once_the_token_is_rotated(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.entra.fail_next_with(50173)
    job.rotate("contoso")
    assert tags_of(cloud.vault, "contoso")["last-failure"].startswith("token_revoked;1;")

    assert job.rotate("contoso", force=True).kind is Kind.ROTATED

    assert "last-failure" not in tags_of(cloud.vault, "contoso")


def test_a_failure_is_remembered_beside_everything_that_was_there(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags() | OPERATORS
    partner.put("contoso", tags=tags, content_type="text/plain")
    before = current(cloud.vault, "contoso")
    cloud.entra.fail_next_with(50173)

    job.rotate("contoso")

    now = current(cloud.vault, "contoso")
    today = datetime.now(UTC).date()
    assert now.tags == tags | {"last-failure": f"token_revoked;1;{today};{today};{before.version}"}
    assert (now.version, now.value, now.enabled, now.content_type) == (before.version, before.value, True, "text/plain")


def test_a_streak_counts_days(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    cloud.entra.fail_next_with(50173, times=2)
    job.rotate("contoso")

    tomorrow = job.rotate("contoso", later=timedelta(days=1))

    assert tomorrow.streak is not None
    assert (tomorrow.streak.days, tomorrow.repeated) == (2, True)
    assert tags_of(cloud.vault, "contoso")["last-failure"].startswith("token_revoked;2;")


def test_all_versions_but_the_last_two_are_disabled(cloud: World, partner: Partner, job: Job) -> None:
    for _ in range(4):
        partner.put("contoso")
        cloud.vault.state.age(DUE)

    assert job.rotate("contoso").warnings == ()

    assert enabled_of(cloud.vault, "contoso") == [False, False, False, True, True]
    assert cloud.vault.log.count("update") == 3


def test_versions_that_are_disabled_already_are_left_alone(cloud: World, partner: Partner, job: Job) -> None:
    for _ in range(3):
        partner.put("contoso")
        cloud.vault.state.age(DUE)
        job.rotate("contoso")
        cloud.vault.state.age(DUE)
    cloud.vault.log.clear()

    job.rotate("contoso", force=True)

    assert enabled_of(cloud.vault, "contoso")[-2:] == [True, True]
    assert enabled_of(cloud.vault, "contoso").count(True) == 2
    assert cloud.vault.log.count("update") == 1


def test_a_version_that_cannot_be_disabled_is_a_warning_that_the_next_rotation_heals(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso")
    cloud.vault.state.age(DUE)
    partner.put("contoso")
    cloud.vault.state.age(DUE)
    cloud.vault.access.deny(cloud.job.object_id, [DataAction.UPDATE])

    first = job.rotate("contoso")
    cloud.vault.access.grant(cloud.job.object_id, [DataAction.UPDATE])
    cloud.vault.state.age(DUE)
    second = job.rotate("contoso", force=True)

    assert (first.kind, Reason.DISABLE_FAILED in first.warnings) == (Kind.ROTATED, True)
    assert (second.kind, second.warnings) == (Kind.ROTATED, ())
    assert enabled_of(cloud.vault, "contoso") == [False, False, True, True]


@pytest.mark.parametrize(("operators", "dropped"), [(9, 0), (10, 1), (11, 1)])
def test_of_more_than_fifteen_tags_ours_give_way(
    cloud: World, partner: Partner, job: Job, operators: int, dropped: int
) -> None:
    tags = partner.tags(redeemed=None) | {f"operators-{number}": "kept" for number in range(operators)}
    partner.put("contoso", tags=tags)

    outcome = job.rotate("contoso")

    assert (outcome.kind, outcome.warnings) == (Kind.ROTATED, (Reason.TAGS_DROPPED,) * dropped)
    assert tags.items() <= tags_of(cloud.vault, "contoso").items()
    assert len(tags_of(cloud.vault, "contoso")) == 15


def test_a_failure_gives_way_to_the_operators_tags(cloud: World, partner: Partner, job: Job) -> None:
    tags = partner.tags() | {f"operators-{number}": "kept" for number in range(10)}
    partner.put("contoso", tags=tags)
    cloud.entra.fail_next_with(50173)

    outcome = job.rotate("contoso")

    assert (outcome.kind, outcome.warnings) == (Kind.FAILED, (Reason.TAGS_DROPPED,))
    assert tags_of(cloud.vault, "contoso") == tags


@pytest.mark.parametrize("code", [70000, 90033])  # told when a second run, or a second day, has seen it too
def test_a_failure_that_no_tag_has_room_for_is_told_at_once(
    cloud: World, partner: Partner, job: Job, code: int
) -> None:
    partner.put("contoso", tags=partner.tags() | {f"operators-{number}": "kept" for number in range(10)})
    cloud.entra.fail_next_with(code)

    report = job.run("contoso")

    assert report.tokens[0].reason in {problem.reason for problem in report.problems}
