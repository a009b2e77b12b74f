"""Each request of a rotation fails, once and for good, in every way: nothing is lost, stored or redeemed twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from emulators.faults import Answer, Fault, Faults, Hang, Reset
from emulators.world import World
from rotation.outcome import Kind, Outcome
from rotation.reason import Reason
from tests.effects.job import SOON, Job, job_in, outcome
from tests.effects.partners import DUE, Partner, current, enabled_of, values_of


@dataclass(frozen=True, slots=True)
class At:
    """One request of a rotation: whom it goes to, and which it is there."""

    method: str
    path: str
    issuer: bool = False
    after: int = 0

    def faults(self, cloud: World) -> Faults:
        return cloud.entra_faults if self.issuer else cloud.vault.faults

    def fail(self, cloud: World, fault: Fault, *, times: int | None) -> None:
        self.faults(cloud).fail_next(fault, times=times, method=self.method, path=self.path, after=self.after)


REQUESTS = {
    "list": At("GET", "^/secrets$"),
    "read": At("GET", "^/secrets/contoso/$"),
    "client secret": At("GET", "^/secrets/partner-app/$"),
    "discovery": At("GET", "/openid-configuration$", issuer=True),
    "redeem": At("POST", "/token$", issuer=True),
    "look again": At("GET", "^/secrets/contoso/$", after=1),
    "store": At("PUT", "^/secrets/contoso$"),
    "versions": At("GET", "/versions$"),
    "disable": At("PATCH", "^/secrets/contoso/"),
}
UNANSWERED: dict[str, Fault] = {
    "reset": Reset(),
    "reset after the effect": Reset(after_effect=True),
}
ANSWERED: dict[str, Fault] = {
    "500": Answer(500),
    "500 after the effect": Answer(500, after_effect=True),
    "429": Answer(429),
    "429 with Retry-After": Answer(429, {"Retry-After": "3"}),
    "503 with Retry-After": Answer(503, {"Retry-After": "3"}),
    "a page of HTML": Answer(200, {"content-type": "text/html"}, b"<html>Please sign in</html>"),
    "a page of HTML after the effect": Answer(200, body=b"<html>", after_effect=True),
}
FAULTS = UNANSWERED | ANSWERED
REDEEMED = ("look again", "store")
SETTLING = ("versions", "disable")


@pytest.fixture(autouse=True)
def _due(cloud: World, partner: Partner) -> None:
    """A due token with one version to disable."""
    for _ in range(2):
        partner.put("contoso")
        cloud.vault.state.age(DUE)


@pytest.fixture
def hurried(job: Job) -> Job:
    """A job that gives up sooner, so that a test of what never gets better makes fewer requests."""
    return job.with_limits(start_seconds=30, finish_seconds=20)


@pytest.fixture
def impatient(cloud: World) -> Iterator[Job]:
    """A job that waits a second for an answer."""
    with job_in(cloud, read_seconds=SOON) as job:
        yield job


def rotated_with(job: Job, request: str, fault: Fault, *, times: int | None) -> Outcome | None:
    """The outcome, or None where the vault could not even be listed."""
    at = REQUESTS[request]
    at.fail(job.cloud, fault, times=times)
    report = job.run()
    if times is not None:
        assert at.faults(job.cloud).unspent == 0, "the fault met nothing"
    return outcome(report, "contoso") if report.counts else None


def assert_nothing_is_lost(cloud: World, outcome: Outcome | None) -> None:
    """The current version opens Partner Center; no value is there twice; what was not stored is not silent."""
    now = current(cloud.vault, "contoso")
    assert now.enabled
    assert cloud.entra.is_redeemable(now.value)
    values = values_of(cloud.vault, "contoso")
    assert len(values) == len(set(values))
    stored, told = len(values) == 3, None if outcome is None else outcome.kind
    assert told in ((Kind.ROTATED, Kind.STRANDED) if stored else (None, Kind.FAILED, Kind.STRANDED))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_one_broken_request_loses_nothing(cloud: World, hurried: Job, request_: str, fault: str) -> None:
    told = rotated_with(hurried, request_, FAULTS[fault], times=1)

    assert_nothing_is_lost(cloud, told)
    assert told is not None
    if request_ not in ("redeem", "discovery") or fault in UNANSWERED:
        assert (told.kind, told.warnings) == (Kind.ROTATED, ())
        assert enabled_of(cloud.vault, "contoso") == [False, True, True]


@pytest.mark.parametrize("request_", REQUESTS)
def test_one_request_that_is_never_answered_loses_nothing(cloud: World, impatient: Job, request_: str) -> None:
    told = rotated_with(impatient, request_, Hang(), times=1)

    assert_nothing_is_lost(cloud, told)
    assert told is not None
    assert told.kind is Kind.ROTATED


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_that_stays_broken_loses_nothing(cloud: World, hurried: Job, request_: str, fault: str) -> None:
    told = rotated_with(hurried, request_, FAULTS[fault], times=None)

    assert_nothing_is_lost(cloud, told)
    if request_ in SETTLING:
        assert told is not None
        assert (told.kind, told.warnings) == (Kind.ROTATED, (Reason.DISABLE_FAILED,))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_redemption_is_repeated_once_and_only_where_no_answer_came(cloud: World, hurried: Job, fault: str) -> None:
    REQUESTS["redeem"].fail(cloud, FAULTS[fault], times=None)

    told = hurried.rotate("contoso")

    assert told.kind is Kind.FAILED
    assert cloud.entra_log.count("redeem") == (2 if fault in UNANSWERED else 1)


@pytest.mark.parametrize("fault", ["500", "429", "reset", "500 after the effect"])
@pytest.mark.parametrize("request_", REDEEMED)
def test_trouble_with_the_vault_never_redeems_twice(cloud: World, hurried: Job, request_: str, fault: str) -> None:
    REQUESTS[request_].fail(cloud, FAULTS[fault], times=4)

    hurried.run()

    assert cloud.entra_log.count("redeem") == 1


@pytest.mark.parametrize("fault", ["500", "429", "reset", "a page of HTML"])
@pytest.mark.parametrize("request_", REDEEMED)
def test_redeemed_but_not_stored_is_stranded(cloud: World, hurried: Job, request_: str, fault: str) -> None:
    told = rotated_with(hurried, request_, FAULTS[fault], times=None)

    assert told is not None
    assert (told.kind, told.reason) == (Kind.STRANDED, Reason.STRANDED_TOKEN)
    assert len(values_of(cloud.vault, "contoso")) == 2


def test_a_stranded_token_is_rotated_by_the_next_run(cloud: World, hurried: Job) -> None:
    rotated_with(hurried, "store", Answer(500), times=None)
    cloud.vault.faults.clear()

    assert hurried.rotate("contoso").kind is Kind.ROTATED


@pytest.mark.parametrize("fault", ["reset after the effect", "500 after the effect", "a page of HTML after the effect"])
def test_a_stored_version_whose_answer_was_lost_is_not_stored_again(cloud: World, hurried: Job, fault: str) -> None:
    told = rotated_with(hurried, "store", FAULTS[fault], times=1)

    assert told is not None
    assert told.kind is Kind.ROTATED
    assert cloud.vault.log.count("store") == 1
    assert len(values_of(cloud.vault, "contoso")) == 3


def test_a_stored_version_is_looked_for_before_every_further_attempt(cloud: World, hurried: Job) -> None:
    rotated_with(hurried, "store", Answer(500), times=2)

    kinds = [request.kind for request in cloud.vault.log.requests if request.kind in ("read", "store")]
    assert kinds == ["read", "read", "read", "store", "read", "store", "read", "store"]


def test_the_pause_that_a_vault_asks_for_is_kept(hurried: Job) -> None:
    rotated_with(hurried, "store", Answer(429, {"Retry-After": "7"}), times=1)

    assert hurried.turned.slept == [7.0]
