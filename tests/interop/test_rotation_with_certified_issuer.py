"""The product against an issuer that nobody here wrote, and that is stricter than Entra.

`oidc-provider` rotates every refresh token and revokes the family when an old one is redeemed again: each run must
have stored exactly what the one before it got.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient, SecretProperties

from emulators.world import World
from rotation.outcome import Kind
from rotation.plan import RunRequest
from rotation.report import RunReport, Trigger
from rotation.token import redeemed_at_of
from rotation.wiring import application
from tests.interop.oidc_issuer import OidcIssuer, oidc_issuer

RUNS = 5
CONTENT_TYPE = "text/plain; charset=utf-8"
OPERATORS_TAGS = {"owner": "contoso operations", "label": "Contoso", "ticket": "4711"}


@dataclass(frozen=True, slots=True)
class Rotated:
    """What is left after five runs: the reports, the issuer, and the plain SDK to read the vault with."""

    world: World
    issuer: OidcIssuer
    reports: tuple[RunReport, ...]
    client: SecretClient


@pytest.fixture(scope="module")
def rotated() -> Iterator[Rotated]:
    with World.open() as world, oidc_issuer(world.tls.authority_file) as issuer, pytest.MonkeyPatch.context() as patch:
        environment = world.environment() | {"AUTHORITY_OVERRIDES": f"global={issuer.authority.rpartition('/')[0]}"}
        for name, value in environment.items():
            patch.setenv(name, value)
        _consented(world, issuer)
        reports = tuple(_eight_days_later(world, environment) for _ in range(RUNS))
        credential = ManagedIdentityCredential(client_id=world.job.client_id)
        with SecretClient(world.vault.url, credential, verify_challenge_resource=False) as client:
            yield Rotated(world, issuer, reports, client)


def _consented(world: World, issuer: OidcIssuer) -> None:
    tags = OPERATORS_TAGS | {
        "managed-by": "token-rotation",
        "tenant-id": issuer.tenant_id,
        "client-id": issuer.client_id,
        "client-credential": "secret:partner-app",
    }
    world.vault.state.put("partner-app", issuer.client_secret)
    world.vault.state.put("contoso", issuer.refresh_token, tags=tags, content_type=CONTENT_TYPE)


def _eight_days_later(world: World, environment: dict[str, str]) -> RunReport:
    world.vault.age(timedelta(days=8))
    with application(environment) as app:
        return app.rotate(RunRequest(trigger=Trigger.TIMER), now=datetime.now(UTC))


def test_five_runs_rotate_five_times(rotated: Rotated) -> None:
    assert [dict(report.counts) for report in rotated.reports] == [{Kind.ROTATED: 1}] * RUNS
    assert [report.problems for report in rotated.reports] == [()] * RUNS


def test_every_run_stored_exactly_what_the_issuer_gave(rotated: Rotated) -> None:
    values = {rotated.client.get_secret("contoso", each.version or "").value for each in _enabled(rotated)}

    assert len(values) == 2
    assert rotated.issuer.refresh_token not in values


def test_the_operators_tags_and_the_content_type_are_still_there(rotated: Rotated) -> None:
    properties = rotated.client.get_secret("contoso").properties

    assert properties.content_type == CONTENT_TYPE
    assert OPERATORS_TAGS.items() <= (properties.tags or {}).items()


def test_the_version_says_when_it_was_redeemed_and_when_it_dies(rotated: Rotated) -> None:
    properties = rotated.client.get_secret("contoso").properties
    redeemed_at = redeemed_at_of(properties.tags or {})
    assert redeemed_at is not None
    report = rotated.reports[-1]

    began = report.started_at.replace(microsecond=0)
    assert began <= redeemed_at <= report.started_at + timedelta(seconds=report.seconds)
    assert properties.expires_on == redeemed_at + timedelta(days=90)


def test_one_version_a_run_and_only_the_last_two_are_enabled(rotated: Rotated) -> None:
    versions = _versions(rotated)

    assert len(versions) == 1 + RUNS
    assert [version.enabled for version in versions] == [False] * (RUNS - 1) + [True, True]


def _versions(rotated: Rotated) -> list[SecretProperties]:
    """Oldest first."""
    listed = rotated.client.list_properties_of_secret_versions("contoso")
    return sorted(listed, key=lambda version: version.created_on or datetime.min.replace(tzinfo=UTC))


def _enabled(rotated: Rotated) -> list[SecretProperties]:
    return [version for version in _versions(rotated) if version.enabled]
