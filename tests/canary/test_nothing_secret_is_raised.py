"""No error that leaves an adapter holds a secret: not in its text, its arguments, nor in any local behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from emulators.world import TENANT_ID
from rotation.client_credential import read_client_proof
from rotation.clouds import GLOBAL
from rotation.credential_ref import CredentialKind, CredentialRef
from rotation.ports import ClientProofError, FederatedIdentity, Grant, NewVersion, RedemptionError, Vault, VaultError
from rotation.secret_value import ClientSecret, RefreshToken
from rotation.wiring import application
from tests.canary.conftest import Bugged
from tests.canary.places import Said
from tests.canary.scenarios import ANSWERS, half_a_certificate
from tests.canary.test_nothing_secret_is_said import assert_silent
from tests.effects.job import Job, job_in
from tests.effects.partners import CLIENT_SECRET, CREDENTIAL, Partner


@pytest.fixture
def job(bugged: Bugged) -> Iterator[Job]:
    with job_in(bugged.world) as wired:
        yield wired


def _store(vault: Vault, partner: Partner) -> str:
    value = RefreshToken(partner.consent())
    return vault.store(
        NewVersion(name="contoso", value=value, enabled=True, tags={}, content_type=None, expires_on=None)
    )


CALLS: dict[str, Callable[[Vault, Partner], object]] = {
    "read": lambda vault, _: vault.read("contoso"),
    "store": _store,
    "versions": lambda vault, _: vault.versions("contoso"),
    "list": lambda vault, _: list(vault.secrets()),
    "retag": lambda vault, partner: vault.retag("contoso", partner.vault.state.current("contoso").version, {"a": "b"}),
}


def raised_by(call: Callable[[], object], said: Said) -> None:
    """Whatever it raises is looked at; that it raises at all is for the tests of the adapter."""
    try:
        call()
    except (VaultError, RedemptionError, ClientProofError) as error:
        said.add_raised(error)


@pytest.mark.parametrize("answer", ANSWERS)
def test_by_the_vault(bugged: Bugged, partner: Partner, job: Job, said: Said, answer: str) -> None:
    partner.put("contoso")
    for call in CALLS.values():
        partner.vault.faults.fail_next(ANSWERS[answer], times=None)
        raised_by(lambda call=call: call(job.vaults[0], partner), said)  # type: ignore[misc]
        partner.vault.faults.clear()

    assert said.by_place["exception"]
    assert_silent(bugged, said)


@pytest.mark.parametrize("path", ["/token$", "openid-config"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_by_the_issuer(bugged: Bugged, partner: Partner, job: Job, said: Said, answer: str, path: str) -> None:
    grant = _grant(partner)
    bugged.overheard.note([grant.refresh_token.reveal(), CLIENT_SECRET])
    bugged.world.entra_faults.fail_next(ANSWERS[answer], path=path, times=None)

    raised_by(lambda: job.issuer.redeem(grant), said)

    assert said.by_place["exception"]
    assert_silent(bugged, said)


@pytest.mark.parametrize("answer", ["500 that repeats a secret", "JSON cut in a token", "HTML", "a reset"])
def test_by_the_identity_endpoint(bugged: Bugged, partner: Partner, said: Said, answer: str) -> None:
    grant = replace(_grant(partner), client_proof=FederatedIdentity(bugged.world.job.client_id))
    bugged.world.identity_faults.fail_next(ANSWERS[answer], times=None)

    with application(os.environ) as app:  # which says how loud the identity library may be
        raised_by(lambda: app.ports.issuer.redeem(grant), said)

    assert said.by_place["exception"]
    assert_silent(bugged, said)


@pytest.mark.parametrize(
    "ref",
    [
        pytest.param(CredentialRef(CredentialKind.SECRET, "app"), id="half a certificate as a client secret"),
        pytest.param(CredentialRef(CredentialKind.CERTIFICATE, "app"), id="half a certificate"),
        pytest.param(CredentialRef(CredentialKind.CERTIFICATE, CREDENTIAL), id="a client secret as a certificate"),
    ],
)
def test_by_a_client_credential(bugged: Bugged, partner: Partner, job: Job, said: Said, ref: CredentialRef) -> None:
    half_a_certificate(partner)

    with pytest.raises(ClientProofError) as refused:
        read_client_proof(ref, job.vaults[0])

    said.add_raised(refused.value)
    assert_silent(bugged, said)


def _grant(partner: Partner) -> Grant:
    return Grant(
        refresh_token=RefreshToken(partner.consent()),
        cloud=GLOBAL,
        tenant_id=TENANT_ID,
        client_id=partner.client_id,
        client_proof=ClientSecret(CLIENT_SECRET),
        scopes=(GLOBAL.partner_center_scope,),
    )
