"""Every kind of client credential redeems, at an issuer that verifies signature, audience, thumbprint and replay."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from emulators.world import JOB_ACTIONS, TENANT_ID, World
from rotation.client_assertion import msal_client_credential
from rotation.client_certificate import parse_certificate
from rotation.clouds import CLOUDS, GLOBAL
from rotation.outcome import Kind
from rotation.secret_value import SecretValue
from tests.credentials.certificates import PEM_CONTENT_TYPE, PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, asked, put_behind
from tests.effects.partners import CREDENTIAL, Partner

MANY = 20


def put_certificate(partner: Partner, certified: Certified, value: str, content_type: str, name: str = "app") -> None:
    """Register a certificate, and put it into the vault as Key Vault keeps one."""
    partner.world.entra.add_certificate(partner.client_id, certified.public_pem)
    partner.vault.state.put(name, value, content_type=content_type, managed=True)


def by_secret(_partner: Partner, _certified: Certified) -> str:
    return f"secret:{CREDENTIAL}"


def by_pkcs12(partner: Partner, certified: Certified) -> str:
    put_certificate(partner, certified, certified.pkcs12(), PKCS12_CONTENT_TYPE)
    return "certificate:app"


def by_pem(partner: Partner, certified: Certified) -> str:
    put_certificate(partner, certified, certified.pem(), PEM_CONTENT_TYPE)
    return "certificate:app"


def by_pem_without_a_content_type(partner: Partner, certified: Certified) -> str:
    put_certificate(partner, certified, f"\n{certified.pem()}", "")
    return "certificate:app"


def by_the_jobs_identity(partner: Partner, _certified: Certified) -> str:
    partner.world.entra.add_federated_credential(partner.client_id, partner.world.job)
    return "managed-identity"


def by_another_identity(partner: Partner, _certified: Certified) -> str:
    identity = partner.world.entra.add_managed_identity(TENANT_ID)
    partner.world.identities.assign(identity)
    partner.world.entra.add_federated_credential(partner.client_id, identity)
    return f"managed-identity:{identity.client_id}"


KINDS: list[Callable[[Partner, Certified], str]] = [
    by_secret,
    by_pkcs12,
    by_pem,
    by_pem_without_a_content_type,
    by_the_jobs_identity,
    by_another_identity,
]


@pytest.mark.parametrize("kind", KINDS)
def test_many_tokens_redeem_with_one_read_of_the_client_credential(
    partner: Partner, product: Product, certified: Certified, kind: Callable[[Partner, Certified], str]
) -> None:
    credential = kind(partner, certified)
    names = put_behind(partner, credential, MANY)

    report = product.run()

    assert (report.counts, report.problems) == ({Kind.ROTATED: MANY}, ())
    assert product.cloud.entra_log.counts() == {"discovery": 1, "redeem": MANY}
    read = [name for name in asked(partner.vault, "read") if name not in names]
    assert read == [] if credential.startswith("managed") else [credential.partition(":")[2]]


def test_a_client_credential_is_read_once_however_many_lists_name_it(partner: Partner, product: Product) -> None:
    partner.vault.state.put("new", "not the app's")
    put_behind(partner, f"secret:{CREDENTIAL}", 3, prefix="one")
    put_behind(partner, f"secret:new,secret:{CREDENTIAL}", 3, prefix="two")
    put_behind(Partner.new(product.cloud), f"secret:{CREDENTIAL}", 3, prefix="three")

    assert product.run().counts == {Kind.ROTATED: 9}

    assert asked(partner.vault, "read").count(CREDENTIAL) == 1


def test_a_certificate_redeems_in_a_tenant_that_is_named_by_its_domain(
    partner: Partner, product: Product, certified: Certified
) -> None:
    put_behind(partner, by_pkcs12(partner, certified), tenant_id="contoso.onmicrosoft.com")

    assert product.run().counts == {Kind.ROTATED: 1}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_chain_goes_along_leaf_first_whatever_its_order_in_the_file(
    chained: Certified, order: tuple[int, ...]
) -> None:
    pem = chained.pem(*(chained.chain[place] for place in order))
    proof = parse_certificate(SecretValue(pem), PEM_CONTENT_TYPE)

    assertion = assertion_of(msal_client_credential(proof, cloud=GLOBAL, identity_token=no_identity))

    header = jwt.get_unverified_header(assertion)
    assert header["x5c"] == [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chained.chain]
    assert (header["alg"], proof.chain) == ("PS256", chained.chain)


def test_what_does_not_belong_to_the_chain_stays_at_home(chained: Certified, certified: Certified) -> None:
    pem = chained.pem(certified.certificate, *chained.chain, *chained.chain)

    assert parse_certificate(SecretValue(pem), None).chain == chained.chain


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("form", ["pkcs12", "pem"])
def test_a_certificate_with_its_chain_redeems(
    partner: Partner, product: Product, chained: Certified, form: str, *, backwards: bool
) -> None:
    ordered = chained.chain[::-1] if backwards else chained.chain
    upside_down = Certified(chained.key, ordered[0], ordered[1:])
    value = upside_down.pem() if form == "pem" else chained.pkcs12()
    put_certificate(partner, chained, value, PEM_CONTENT_TYPE if form == "pem" else PKCS12_CONTENT_TYPE)
    put_behind(partner, "certificate:app", 3)

    assert product.run().counts == {Kind.ROTATED: 3}


def test_every_assertion_is_a_new_one(certified: Certified) -> None:
    proof = parse_certificate(SecretValue(certified.pkcs12()), PKCS12_CONTENT_TYPE)

    made = [assertion_of(msal_client_credential(proof, cloud=GLOBAL, identity_token=no_identity)) for _ in range(MANY)]

    claims = [jwt.decode(assertion, options={"verify_signature": False}) for assertion in made]
    assert len({each["jti"] for each in claims}) == MANY
    assert {each["exp"] - each["iat"] for each in claims} == {600}


def test_a_new_certificate_under_the_same_name_is_used_by_the_very_next_run(
    partner: Partner, product: Product, certified: Certified, chained: Certified
) -> None:
    put_behind(partner, by_pkcs12(partner, certified), 2)
    put_certificate(partner, chained, chained.pkcs12(), PKCS12_CONTENT_TYPE)
    put_behind(partner, "certificate:app", 2)

    assert product.run().counts == {Kind.ROTATED: 2}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_managed_identity_is_asked_for_the_audience_of_the_tokens_cloud(
    partner: Partner, product: Product, name: str
) -> None:
    cloud = CLOUDS[name]
    product.cloud.entra.add_federated_credential(
        partner.client_id, product.cloud.job, audience=cloud.federation_audience
    )
    value = partner.consent(scope=f"{cloud.partner_center_scope} offline_access openid profile")
    partner.put("contoso", value=value, tags=partner.tags(client_credential="managed-identity", cloud=name))

    report = product.with_settings(AUTHORITY_OVERRIDES=f"{name}={product.cloud.entra_url}").run()

    assert (report.counts, report.problems) == ({Kind.ROTATED: 1}, ())


@pytest.fixture
def as_service_principal() -> Iterator[Product]:
    """A job that is a service principal with a client secret, where a system-assigned identity is to be had."""
    with World.open() as world, pytest.MonkeyPatch.context() as environment:
        job = world.entra.register_app(TENANT_ID, "0000aaaa-1111-2222-3333-444444444444", secrets=["the job's own"])
        world.vault.access.deny(world.job.object_id)
        world.vault.access.grant(job.object_id, JOB_ACTIONS)
        settings = world.environment() | {
            "AZURE_CLIENT_ID": job.client_id,
            "AZURE_TENANT_ID": TENANT_ID,
            "AZURE_CLIENT_SECRET": "the job's own",
            "AZURE_AUTHORITY_HOST": world.entra_url,
        }
        for name, value in settings.items():
            environment.setenv(name, value)
        yield Product(world, settings)


def test_the_managed_identity_proves_the_app_whoever_the_job_is(as_service_principal: Product) -> None:
    world = as_service_principal.cloud
    system = world.entra.add_managed_identity(TENANT_ID)
    world.identities.assign_system(system)
    own, named = Partner.new(world), Partner.new(world)
    world.entra.add_federated_credential(own.client_id, system)
    world.entra.add_federated_credential(named.client_id, world.job)
    put_behind(own, "managed-identity", 2, prefix="system")
    put_behind(named, f"managed-identity:{world.job.client_id}", 2, prefix="named")

    report = as_service_principal.run()

    assert (report.counts, report.problems) == ({Kind.ROTATED: 4}, ())


def test_the_jobs_own_application_is_no_managed_identity(as_service_principal: Product) -> None:
    partner = Partner.new(as_service_principal.cloud)
    put_behind(partner, "managed-identity")

    (problem,) = as_service_principal.run().problems

    assert (problem.reason, problem.subject) == ("client_credential_missing", "managed-identity")


def no_identity(_client_id: str | None, _audience: str) -> SecretValue:
    raise AssertionError("a certificate asks for no identity")


def assertion_of(credential: object) -> str:
    """What MSAL would send: the assertion for an app's token endpoint."""
    assert isinstance(credential, dict)
    context = {"client_id": TENANT_ID, "token_endpoint": "https://login.example/contoso/oauth2/v2.0/token"}
    made = credential["client_assertion"](context)
    return made if isinstance(made, str) else made.decode()
