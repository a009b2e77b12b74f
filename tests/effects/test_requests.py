"""How many requests a token costs, counted where they arrive: the costs that the design promises, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from emulators.entra.state import EntraState
from emulators.world import EmulatedVault, World
from rotation.outcome import Kind
from rotation.reason import Reason
from rotation.report import Trigger
from tests.effects.job import Job
from tests.effects.partners import DUE, FRESH, Partner, tags_of
from tests.effects.steps import REDEEM, Steps, watched

CREDENTIAL_READ = 1


def asked(vault: EmulatedVault, entra_log: Mapping[str, int]) -> dict[str, int]:
    """Requests by kind, without the list, and the challenge that the first request to a host meets."""
    counts = {kind: count for kind, count in vault.log.counts().items() if kind not in ("list", "challenge")}
    return {**counts, **entra_log}


def test_a_token_that_is_not_due_costs_its_share_of_a_page(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(100, redeemed=FRESH)

    report = job.run()

    assert report.counts == {Kind.SKIPPED: 100}
    assert cloud.vault.log.count("list") == 5  # 100 tokens and their client secret, 25 to a page
    assert asked(cloud.vault, cloud.entra_log.counts()) == {}


def test_a_rotated_token_costs_five_requests(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")

    assert job.rotate("contoso").kind is Kind.ROTATED

    assert asked(cloud.vault, cloud.entra_log.counts()) == {
        "read": 2 + CREDENTIAL_READ, "store": 1, "versions": 1, "redeem": 1, "discovery": 1,
    }  # fmt: skip


def test_a_rotated_token_with_a_superseded_version_costs_one_more(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    partner.put("contoso")
    cloud.vault.state.age(DUE)

    job.rotate("contoso")

    assert asked(cloud.vault, cloud.entra_log.counts()) == {
        "read": 2 + CREDENTIAL_READ, "store": 1, "versions": 1, "update": 1, "redeem": 1, "discovery": 1,
    }  # fmt: skip


def test_a_dead_token_costs_five(cloud: World, partner: Partner, job: Job) -> None:
    cloud.entra.revoke(partner.put("contoso"))

    assert job.rotate("contoso").reason is Reason.TOKEN_REVOKED

    assert asked(cloud.vault, cloud.entra_log.counts()) == {
        "read": 2 + CREDENTIAL_READ, "versions": 1, "update": 1, "redeem": 1, "discovery": 1,
    }  # fmt: skip


def test_a_failing_token_that_is_not_tried_again_today_is_only_read(cloud: World, partner: Partner, job: Job) -> None:
    cloud.entra.revoke(partner.put("contoso"))
    job.rotate("contoso")
    before = tags_of(cloud.vault, "contoso")
    cloud.vault.log.clear()
    cloud.entra_log.clear()

    again = job.rotate("contoso")

    assert (again.kind, again.reason, again.repeated) == (Kind.FAILED, Reason.TOKEN_REVOKED, True)
    assert asked(cloud.vault, cloud.entra_log.counts()) == {"read": 1}
    assert tags_of(cloud.vault, "contoso") == before


def test_a_superseded_token_costs_three(cloud: World, partner: Partner, job: Job) -> None:
    partner.put("contoso")
    steps = Steps(after={REDEEM: lambda: partner.put("contoso")})

    assert watched(job, steps).rotate("contoso").reason is Reason.SUPERSEDED

    assert asked(cloud.vault, cloud.entra_log.counts()) == {
        "read": 2 + CREDENTIAL_READ, "redeem": 1, "discovery": 1,
    }  # fmt: skip


def test_sixteen_threads_fetch_one_discovery_document_and_one_client_secret(
    cloud: World, partner: Partner, job: Job
) -> None:
    names = partner.put_some(40)
    with latency(cloud.entra, 0.02):
        report = job.run()

    assert report.counts == {Kind.ROTATED: 40}
    assert cloud.entra_log.counts() == {"discovery": 1, "redeem": 40}
    assert cloud.vault.log.count("read") == 2 * len(names) + CREDENTIAL_READ
    assert cloud.vault.log.count("store") == cloud.vault.log.count("versions") == 40


def test_a_run_with_nothing_due_never_asks_the_issuer(cloud: World, partner: Partner, job: Job) -> None:
    partner.put_some(3, redeemed=FRESH)

    job.run(trigger=Trigger.CLI)

    assert cloud.entra_log.counts() == {}


class latency:  # noqa: N801 - reads as a phrase
    """An issuer that takes its time, for the length of a block."""

    def __init__(self, entra: EntraState, seconds: float) -> None:
        self._entra, self._seconds = entra, seconds

    def __enter__(self) -> None:
        self._entra.latency = self._seconds

    def __exit__(self, *_: object) -> None:
        self._entra.latency = 0.0
