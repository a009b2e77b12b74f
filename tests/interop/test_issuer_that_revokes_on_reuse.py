"""What holds, and what cannot, against an issuer that revokes a whole family when a used refresh token comes back.

`oidc-provider` does (RFC 9700 section 4.14.2), Entra does not. Each test shows a statement of docs/adr/0005.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.clouds import Cloud
from rotation.outcome import Kind
from rotation.ports import Grant, Issuer, Redemption, RedemptionError
from rotation.reason import Reason
from rotation.report import RunReport, Trigger
from tests.effects.job import Job, job_in, outcome
from tests.effects.leases import LosableLease
from tests.effects.steps import LIST, READ, REDEEM, STORE, VERSIONS, ProcessStopped, Steps, watched
from tests.interop.oidc_issuer import OidcIssuer, oidc_issuer

ROTATION = [LIST, READ, READ, REDEEM, READ, STORE, VERSIONS]
IN_BETWEEN = [(ROTATION.index(REDEEM), "after"), (4, "before"), (4, "after"), (ROTATION.index(STORE), "before")]
HARMLESS = [(n, when) for n in range(len(ROTATION)) for when in ("before", "after") if (n, when) not in IN_BETWEEN]


@dataclass(frozen=True, slots=True)
class Care:
    """Refresh tokens of that issuer under the product's care, all of them due."""

    job: Job
    issuer: OidcIssuer
    names: tuple[str, ...]

    def later(self, **time: float) -> RunReport:
        """A run by hand after some time."""
        self.job.cloud.vault.age(timedelta(**time))
        return self.job.run(*self.names, trigger=Trigger.CLI)

    def is_alive(self, name: str) -> bool:
        """Whether the current version opens Partner Center; asking uses it up."""
        return "access_token" in self.issuer.redeem(self.job.cloud.vault.state.current(name).value)


@contextmanager
def caring(*, consents: int = 1, lost_requests: int = 0, lost_answers: int = 0) -> Iterator[Care]:
    """An issuer, a vault with one due token for each consent, and the product."""
    with (
        World.open() as world,
        oidc_issuer(
            world.tls.authority_file, consents=consents, lost_requests=lost_requests, lost_answers=lost_answers
        ) as issuer,
    ):
        tags = {
            "managed-by": "token-rotation",
            "tenant-id": issuer.tenant_id,
            "client-id": issuer.client_id,
            "client-credential": "secret:partner-app",
        }
        world.vault.state.put("partner-app", issuer.client_secret)
        names = tuple(f"token-{number}" for number in range(consents))
        for name, value in zip(names, issuer.refresh_tokens, strict=True):
            world.vault.state.put(name, value, tags=tags)
        world.vault.age(timedelta(days=8))
        with job_in(world, authority=issuer.authority.rpartition("/")[0]) as job:
            yield Care(job, issuer, names)


@pytest.fixture(scope="module")
def many() -> Iterator[Iterator[Care]]:
    """One token after the other, of one issuer."""
    with caring(consents=len(IN_BETWEEN) + len(HARMLESS) + 2) as care:
        yield (replace(care, names=(name,)) for name in care.names)


@pytest.fixture
def care(many: Iterator[Care]) -> Care:
    return next(many)


def assert_it_is_lost_and_told(care: Care, *, after_days: int = 0) -> None:
    """When it is next redeemed, it is rejected; and once more by the run that confirms it."""
    (name,) = care.names
    reports = [care.later(days=after_days), care.later(days=1)]
    assert [outcome(report, name).reason for report in reports] == [Reason.TOKEN_REJECTED] * 2
    assert [problem.reason for problem in reports[-1].problems] == [Reason.TOKEN_REJECTED]
    assert not care.is_alive(name)


def stopped(care: Care, step: int, when: str) -> None:
    steps = Steps(dies_at=(step, when))
    with pytest.raises(ProcessStopped):
        watched(care.job, steps).run(*care.names)


@pytest.mark.parametrize(("step", "when"), HARMLESS)
def test_a_stop_at_any_other_moment_loses_nothing(care: Care, step: int, when: str) -> None:
    stopped(care, step, when)

    assert care.later(minutes=1).problems == ()
    assert care.is_alive(*care.names)


@pytest.mark.parametrize(("step", "when"), IN_BETWEEN)
def test_a_stop_between_redeeming_and_storing_loses_the_token_and_is_told(care: Care, step: int, when: str) -> None:
    stopped(care, step, when)

    assert_it_is_lost_and_told(care)


def test_a_request_that_was_lost_is_made_up_for_by_the_second_attempt() -> None:
    with caring(lost_requests=1) as care:
        assert outcome(care.later(), "token-0").kind is Kind.ROTATED
        assert care.is_alive("token-0")


@dataclass(frozen=True, slots=True)
class OneAttempt:
    """The issuer as a job would use it that never asks twice: no answer is an answer."""

    issuer: Issuer

    def redeem(self, grant: Grant) -> Redemption:
        try:
            return self.issuer.redeem(grant)
        except RedemptionError as error:
            raise RedemptionError(error.reason, error.message, answered=True) from error

    def authority(self, cloud: Cloud) -> str:
        return self.issuer.authority(cloud)


def test_a_lost_answer_loses_the_token_with_a_second_attempt_and_without() -> None:
    for attempts, reason in ((2, Reason.TOKEN_REJECTED), (1, Reason.ISSUER_UNAVAILABLE)):
        with caring(lost_answers=1) as care:
            job = care.job if attempts == 2 else replace(care.job, issuer=OneAttempt(care.job.issuer))
            told = job.rotate("token-0")

            assert (told.kind, told.reason) == (Kind.FAILED, reason)
            assert_it_is_lost_and_told(care)


def test_two_runs_that_overlap_lose_what_the_first_one_stored_and_nobody_is_told_until_it_is_due(care: Care) -> None:
    (name,) = care.names
    first: list[Kind] = []
    steps = Steps(before={REDEEM: lambda: first.append(unleased(care.job, name))})

    second = unleased(watched(care.job, steps), name)

    assert (first, second) == ([Kind.ROTATED], Kind.SKIPPED)
    assert outcome(care.later(days=1), name).reason is Reason.NOT_DUE  # nobody can know: a week may pass
    assert_it_is_lost_and_told(care, after_days=6)


def unleased(job: Job, name: str) -> Kind:
    return outcome(replace(job, lease=LosableLease()).run(name), name).kind


def test_a_vault_that_fails_for_a_while_loses_nothing(care: Care) -> None:
    care.job.cloud.vault.faults.fail_next(Answer(500), times=6, method="PUT")

    assert outcome(care.later(), *care.names).kind is Kind.ROTATED
    assert care.is_alive(*care.names)


def test_a_vault_that_stores_nothing_loses_one_token_of_many_and_says_so_at_once() -> None:
    with caring(consents=4) as care:
        care.job.cloud.vault.faults.fail_next(Answer(403), times=None, method="PUT")
        report = care.later()
        care.job.cloud.vault.faults.clear()

        assert report.counts == {Kind.STRANDED: 1, Kind.DEFERRED: 3}
        assert report.problems[0].reason is Reason.STRANDED_TOKEN
        assert [care.is_alive(name) for name in care.names].count(False) == 1
