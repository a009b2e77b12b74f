"""The product proves its app with a certificate to an issuer that nobody here wrote: `private_key_jwt` (RFC 7523).

`oidc-provider` verifies the signature, the audience and the times of every assertion and takes none twice; it rotates
every refresh token and revokes the family when an old one comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from emulators.world import World
from rotation.outcome import Kind
from rotation.plan import RunRequest
from rotation.reason import Reason
from rotation.report import RunReport, Trigger
from rotation.wiring import application
from tests.credentials.certificates import PEM_CONTENT_TYPE, PKCS12_CONTENT_TYPE, Certified
from tests.interop.oidc_issuer import OidcIssuer, oidc_issuer

RUNS = 3


@dataclass(frozen=True, slots=True)
class Consented:
    """A world whose issuer is the certified one, with one token of its one client under care."""

    world: World
    issuer: OidcIssuer
    settings: Mapping[str, str]

    def eight_days_later(self) -> RunReport:
        self.world.vault.age(timedelta(days=8))
        with application(self.settings) as app:
            return app.rotate(RunRequest(trigger=Trigger.TIMER), now=datetime.now(UTC))


@contextmanager
def consented(registered: Certified) -> Iterator[Consented]:
    with (
        World.open() as world,
        oidc_issuer(world.tls.authority_file, client_certificate=registered.public_pem) as issuer,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings = world.environment() | {"AUTHORITY_OVERRIDES": f"global={issuer.authority.rpartition('/')[0]}"}
        for name, value in settings.items():
            patch.setenv(name, value)
        tags = {
            "managed-by": "token-rotation",
            "tenant-id": issuer.tenant_id,
            "client-id": issuer.client_id,
            "client-credential": "certificate:app",
        }
        world.vault.state.put("contoso", issuer.refresh_token, tags=tags)
        yield Consented(world, issuer, settings)


@pytest.mark.parametrize("form", [PKCS12_CONTENT_TYPE, PEM_CONTENT_TYPE])
def test_a_certificate_rotates_three_times_in_a_row(form: str) -> None:
    chained = Certified.with_chain()
    value = chained.pem() if form == PEM_CONTENT_TYPE else chained.pkcs12()
    with consented(chained) as job:
        job.world.vault.state.put("app", value, content_type=form, managed=True)

        reports = [job.eight_days_later() for _ in range(RUNS)]

        stored = {version.value for version in job.world.vault.state.versions("contoso")}
    assert [(dict(report.counts), report.problems) for report in reports] == [({Kind.ROTATED: 1}, ())] * RUNS
    assert len(stored) == 1 + RUNS


def test_another_certificate_is_refused_and_the_right_one_rotates_afterwards() -> None:
    right, wrong = Certified.new("right"), Certified.new("wrong")
    with consented(right) as job:
        job.world.vault.state.put("app", wrong.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
        refused = job.eight_days_later()
        job.world.vault.state.put("app", right.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
        rotated = job.eight_days_later()

    (problem,) = refused.problems
    assert (problem.reason, problem.subject) == (Reason.CLIENT_CREDENTIAL_INVALID, "certificate:app")
    assert rotated.counts == {Kind.ROTATED: 1}


def test_the_client_secret_is_good_for_nothing_there() -> None:
    with consented(Certified.new("right")) as job:
        job.world.vault.state.put("app", job.issuer.client_secret)
        tags = dict(job.world.vault.state.current("contoso").tags or {}) | {"client-credential": "secret:app"}
        job.world.vault.state.retag("contoso", tags)

        (problem,) = job.eight_days_later().problems

    assert problem.reason is Reason.CLIENT_CREDENTIAL_INVALID
