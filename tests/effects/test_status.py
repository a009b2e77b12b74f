"""The status of several vaults: listed beside each other, told in their order, and in time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from emulators.faults import Answer, Meanwhile
from emulators.world import World
from rotation.pace import Clock, Deadlines
from rotation.ports import Vault
from rotation.reason import Reason
from rotation.status import status
from rotation.status_report import StatusReport
from tests.effects.job import THRESHOLDS, Job
from tests.effects.partners import Partner
from tests.effects.steps import LIST, Steps, WatchedVault

SECONDS = 60.0


def status_of(vaults: Sequence[Vault], job: Job) -> StatusReport:
    clock = Clock(monotonic=job.turned.monotonic, sleep=job.turned.sleep)
    deadlines = Deadlines.from_now(clock, start_seconds=SECONDS, finish_seconds=0)
    return status(vaults, defaults=THRESHOLDS, deadlines=deadlines, now=datetime.now(UTC))


@pytest.fixture
def there(cloud: World) -> Partner:
    """An app in the second vault."""
    return Partner.new(cloud, vault=cloud.vaults[1])


def test_vaults_are_listed_beside_each_other_and_told_in_their_order(
    partner: Partner, there: Partner, job_of_both: Job
) -> None:
    partner.put_some(2, prefix="here")
    there.put_some(2, prefix="there")
    both, second = threading.Barrier(2, timeout=5), threading.Event()  # one after the other would never meet
    first = WatchedVault(job_of_both.vaults[0], Steps(before={LIST: both.wait}, after={LIST: lambda: second.wait(5)}))
    other = WatchedVault(job_of_both.vaults[1], Steps(before={LIST: both.wait}, after={LIST: second.set}))

    report = status_of([first, other], job_of_both)

    assert [token.name for token in report.tokens] == ["here-000", "here-001", "there-000", "there-001"]
    assert (
        [one.vault for one in report.credentials] == list(report.vaults) == [vault.url for vault in job_of_both.vaults]
    )
    assert report.vault_faults == ()


def test_a_vault_that_cannot_be_listed_is_a_fault_and_the_others_are_told(
    cloud: World, there: Partner, job_of_both: Job
) -> None:
    there.put("fabrikam")
    cloud.vault.faults.fail_next(Answer(500), path="^/secrets$", times=None)

    report = status_of(job_of_both.vaults, job_of_both)

    assert [(fault.vault, fault.reason) for fault in report.vault_faults] == [
        (cloud.vault.url, Reason.VAULT_UNAVAILABLE)
    ]
    assert [token.name for token in report.tokens] == ["fabrikam"]


def test_pages_that_are_left_when_the_time_is_over_are_not_asked_for_and_the_vault_is_a_fault(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put_some(60)
    cloud.vault.faults.fail_next(Meanwhile(lambda: job.turned.turn(SECONDS)), path="^/secrets$", after=1)

    report = status_of(job.vaults[:1], job)

    assert [fault.reason for fault in report.vault_faults] == [Reason.OUT_OF_TIME]
    assert cloud.vault.log.count("list") <= 2


def test_versions_of_secrets_that_may_have_lost_their_tags_are_listed_while_there_is_time(
    cloud: World, job: Job
) -> None:
    for number in range(3):
        cloud.vault.state.put(f"untagged-{number}", "somebody's")
    cloud.vault.faults.fail_next(Meanwhile(lambda: job.turned.turn(SECONDS)), path="/versions$")

    report = status_of(job.vaults[:1], job)

    assert [fault.reason for fault in report.vault_faults] == [Reason.OUT_OF_TIME]
    assert cloud.vault.log.count("versions") == 1


def test_a_vault_that_falls_silent_at_the_last_moment_is_not_asked_again(
    cloud: World, partner: Partner, job: Job
) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(
        Meanwhile(lambda: job.turned.turn(SECONDS - 0.1), cut=True), path="^/secrets$", times=None
    )

    report = status_of(job.vaults[:1], job)

    assert [fault.reason for fault in report.vault_faults] == [Reason.VAULT_UNAVAILABLE]
    assert job.turned.monotonic() == SECONDS - 0.1
