"""Everything falls silent, or slow, at the last moment: the run ends in time, and what was redeemed is not dropped."""

from __future__ import annotations

from functools import partial

import pytest

from emulators.faults import Faults, Meanwhile
from emulators.world import World
from rotation import keyvault, token_endpoint
from rotation.outcome import Kind
from rotation.report import RunReport, Trigger
from rotation.settings import Settings
from rotation.wiring import _limits
from tests.effects.job import Job
from tests.effects.partners import DUE, Partner, values_of
from tests.effects.test_broken_requests import REQUESTS, At

HTTP = _limits(Settings.from_environ({"KEY_VAULT_URLS": "https://contoso-tokens.vault.azure.net"}), Trigger.HTTP)
FINISH = HTTP.start_seconds + HTTP.finish_seconds

# A request that reaches its timeouts: to connect, to agree on TLS (as long as to connect), and to be answered.
VAULT_SECONDS = 2 * keyvault.CONNECT_SECONDS + keyvault.READ_SECONDS
ISSUER_SECONDS = 2 * token_endpoint.CONNECT_SECONDS + token_endpoint.READ_SECONDS

STARTING = ("list", "read", "client secret", "discovery", "redeem")
REDEEMED = {
    "look again": Kind.STRANDED, "store": Kind.STRANDED, "versions": Kind.ROTATED, "disable": Kind.ROTATED,
}  # fmt: skip


def everything_fails_from(at: At, moment: float, cloud: World, job: Job, *, silent: bool) -> None:
    """The request comes at that moment, and from then on each takes as long as it can; if `silent`, for nothing."""

    def fail(faults: Faults, seconds: float) -> None:
        faults.fail_next(Meanwhile(partial(job.turned.turn, seconds), cut=silent), times=None)

    def begin() -> None:
        job.turned.turn(moment - job.turned.monotonic())
        fail(cloud.vault.faults, VAULT_SECONDS)
        fail(cloud.entra_faults, ISSUER_SECONDS)
        job.turned.turn(ISSUER_SECONDS if at.issuer else VAULT_SECONDS)

    at.fail(cloud, Meanwhile(begin, cut=silent), times=1)


def run_by_http(partner: Partner, job: Job) -> RunReport:
    for _ in range(3):
        partner.put("contoso")
    partner.vault.state.age(DUE)
    return job.with_limits(start_seconds=HTTP.start_seconds, finish_seconds=HTTP.finish_seconds).run()


def last_moments() -> list[tuple[str, float]]:
    """For each request of a rotation: just before the deadline that it must keep, and one failed request before it."""
    deadlines = {name: HTTP.start_seconds if name in STARTING else FINISH for name in REQUESTS}
    return [(name, deadline - before) for name, deadline in deadlines.items() for before in (0.1, VAULT_SECONDS + 0.6)]


@pytest.mark.parametrize(("name", "moment"), last_moments())
def test_a_run_ends_in_time_whatever_falls_silent(
    cloud: World, partner: Partner, job: Job, name: str, moment: float
) -> None:
    everything_fails_from(REQUESTS[name], moment, cloud, job, silent=True)

    report = run_by_http(partner, job)

    assert moment < job.turned.monotonic() <= FINISH + 2 * VAULT_SECONDS
    assert {Kind.STRANDED, Kind.ROTATED} & report.counts.keys() == ({REDEEMED[name]} if name in REDEEMED else set())


@pytest.mark.parametrize(("name", "moment"), last_moments())
def test_a_run_ends_in_time_however_slow_all_is_and_stores_what_it_redeemed(
    cloud: World, partner: Partner, job: Job, name: str, moment: float
) -> None:
    everything_fails_from(REQUESTS[name], moment, cloud, job, silent=False)

    report = run_by_http(partner, job)

    assert moment < job.turned.monotonic() <= FINISH + 2 * VAULT_SECONDS
    redeemed = cloud.entra_log.count("redeem")
    assert report.counts in ({Kind.ROTATED: redeemed}, {Kind.DEFERRED: 1}, {})
    assert len(values_of(cloud.vault, "contoso")) == 3 + redeemed


def test_a_store_that_failed_at_the_last_moment_is_tried_once_more_however_late_the_look_before_it(
    cloud: World, partner: Partner, job: Job
) -> None:
    slow = Meanwhile(partial(job.turned.turn, VAULT_SECONDS))

    def begin() -> None:
        job.turned.turn(FINISH - 1 - job.turned.monotonic())
        cloud.vault.faults.fail_next(slow, times=None)

    REQUESTS["store"].fail(cloud, Meanwhile(begin, cut=True), times=1)

    assert run_by_http(partner, job).counts == {Kind.ROTATED: 1}
    assert FINISH + VAULT_SECONDS < job.turned.monotonic() <= FINISH + 2 * VAULT_SECONDS
