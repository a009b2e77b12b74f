"""A client credential that cannot be used is named, with what is wrong, and nothing is sent to the issuer."""

from __future__ import annotations

import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

from emulators.faults import Answer, Reset
from emulators.world import TENANT_ID
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.credentials.certificates import PASSWORD, PEM_CONTENT_TYPE, PKCS12_CONTENT_TYPE, Certified, rsa_key
from tests.credentials.product import Product, put_behind, told
from tests.effects.job import outcome
from tests.effects.partners import Partner, tags_of

_OWN = Certified.new("refused")
_CURVED = Certified.new("curved", key=ec.generate_private_key(ec.SECP256R1()))
_UNKNOWN_KIND = (  # RFC 5958: an algorithm 1.2.3.4
    "-----BEGIN PRIVATE KEY-----\nMA4CAQAwBQYDKgMEBAIEAA==\n-----END PRIVATE KEY-----\n" + _OWN.public_pem.decode()
)
_BAG_ATTRIBUTES = "Bag Attributes\n    friendlyName: contoso\nKey Attributes: <No Attributes>\n"

KEYS = {
    "PEM": _OWN.pem(),
    "PEM after a line break": f"\n {_OWN.pem()}",
    "PEM as openssl writes it": _BAG_ATTRIBUTES + _OWN.pem(),
    "a certificate alone": _OWN.public_pem.decode(),
    "an encrypted PEM": _OWN.pem(password=PASSWORD),
    "PKCS#12": _OWN.pkcs12(),
    "PKCS#12 in lines": "\r\n".join(_OWN.pkcs12()[at : at + 64] for at in range(0, len(_OWN.pkcs12()), 64)),
    "encrypted PKCS#12": _OWN.pkcs12(BestAvailableEncryption(PASSWORD)),
    "PKCS#12 of a chain": Certified.with_chain().pkcs12(),
}

NOT_EXPORTABLE, UNREADABLE = "the key is not exportable", "neither PKCS#12 nor PEM that can be opened"
UNUSABLE = {
    "PKCS#12 without a key": (_OWN.pkcs12(with_key=False), PKCS12_CONTENT_TYPE, NOT_EXPORTABLE),
    "PEM without a key": (_OWN.public_pem.decode(), PEM_CONTENT_TYPE, NOT_EXPORTABLE),
    "PKCS#12 with a password": (_OWN.pkcs12(BestAvailableEncryption(PASSWORD)), PKCS12_CONTENT_TYPE, UNREADABLE),
    "PEM with a password": (_OWN.pem(password=PASSWORD), PEM_CONTENT_TYPE, UNREADABLE),
    "PKCS#12 of a curve": (_CURVED.pkcs12(), PKCS12_CONTENT_TYPE, "a key that is not RSA"),
    "PEM of a curve": (_CURVED.pem(), PEM_CONTENT_TYPE, "a key that is not RSA"),
    "a key of another": (_OWN.pem(_CURVED.certificate), PEM_CONTENT_TYPE, "only certificates of other keys"),
    "a key alone": (_OWN.pem().partition("-----BEGIN CERT")[0], PEM_CONTENT_TYPE, "a key but no certificate"),
    "a key of a kind to come": (_UNKNOWN_KIND, PEM_CONTENT_TYPE, UNREADABLE),
    "junk": ("not a certificate at all", PKCS12_CONTENT_TYPE, UNREADABLE),
    "junk in base64": ("MIIKcanary" * 4, PKCS12_CONTENT_TYPE, UNREADABLE),
    "junk in PEM": ("-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----", PEM_CONTENT_TYPE, UNREADABLE),
    "half a PEM": (_OWN.pem()[:900], PEM_CONTENT_TYPE, UNREADABLE),
    "half a PKCS#12": (_OWN.pkcs12()[:1200], PKCS12_CONTENT_TYPE, UNREADABLE),
    "a PEM that says it is PKCS#12": (_OWN.public_pem.decode(), PKCS12_CONTENT_TYPE, NOT_EXPORTABLE),
    "nothing": ("", PKCS12_CONTENT_TYPE, UNREADABLE),
    "nothing in PEM": (" ", PEM_CONTENT_TYPE, NOT_EXPORTABLE),
    "a client secret": ("8Q~contoso.client-secret", "", UNREADABLE),
}


def assert_named(product: Product, credential: str, message: str, *, tokens: int = 2) -> None:
    """The run tells one problem, with this message, and sent no token anywhere."""
    report = product.run()

    assert told(report) == [(Reason.CLIENT_CREDENTIAL_MISSING, credential, tokens)]
    assert message in report.problems[0].message
    assert report.counts == {Kind.FAILED: 1, Kind.DEFERRED: tokens - 1}
    assert product.cloud.entra_log.count("redeem") == 0


@pytest.mark.parametrize("form", KEYS)
def test_a_key_is_never_sent_as_a_client_secret(partner: Partner, product: Product, form: str) -> None:
    partner.vault.state.put("app", KEYS[form])
    put_behind(partner, "secret:app", 2)

    assert_named(product, "secret:app", "the secret app that the tags name holds a private key or a certificate")


def test_the_secret_of_a_certificate_is_no_client_secret(partner: Partner, product: Product) -> None:
    partner.vault.state.put("app", _OWN.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    put_behind(partner, "secret:app", 2)

    assert_named(product, "secret:app", "the secret app that the tags name is a certificate: write certificate:app")


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_certificate_that_cannot_sign_is_named_with_what_it_lacks(
    partner: Partner, product: Product, case: str
) -> None:
    value, content_type, message = UNUSABLE[case]
    partner.vault.state.put("app", value, content_type=content_type, managed=True)
    put_behind(partner, "certificate:app", 2)

    assert_named(product, "certificate:app", message)


@pytest.mark.parametrize("kind", ["secret", "certificate"])
@pytest.mark.parametrize(
    ("do", "message"), [("delete", "does not exist"), ("disable", "is disabled"), (None, "does not exist")]
)
def test_what_is_missing_or_disabled_is_named(
    partner: Partner, product: Product, kind: str, do: str | None, message: str
) -> None:
    if do is not None:
        partner.vault.state.put("app", _OWN.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=kind == "certificate")
        getattr(partner.vault.state, do)("app")
    put_behind(partner, f"{kind}:app", 2)

    assert_named(product, f"{kind}:app", f"the {kind} app that the tags name {message}")


def test_an_identity_that_is_not_assigned_is_named(partner: Partner, product: Product) -> None:
    identity = product.cloud.entra.add_managed_identity(TENANT_ID)
    product.cloud.entra.add_federated_credential(partner.client_id, identity)
    put_behind(partner, f"managed-identity:{identity.client_id}", 2)

    assert_named(
        product,
        f"managed-identity:{identity.client_id}",
        f"the managed identity {identity.client_id} gave no token for api://AzureADTokenExchange",
    )


@pytest.mark.parametrize("body", [[], {}, "text", {"access_token": "x", "expires_on": "soon"}], ids=repr)
def test_an_identity_endpoint_that_answers_nonsense_is_named(partner: Partner, product: Product, body: object) -> None:
    partner.world.identity_faults.fail_next(Answer(200, body=body), times=None, path="msi", after=1)
    put_behind(partner, "managed-identity", 2)

    assert_named(product, "managed-identity", "the managed identity gave no token for api://AzureADTokenExchange")


def test_an_identity_endpoint_that_does_not_answer_passes_by_itself(partner: Partner, product: Product) -> None:
    partner.world.identity_faults.fail_next(Reset(), times=None, after=1)
    put_behind(partner, "managed-identity")

    report = product.run()

    (failed,) = report.tokens
    assert (failed.reason, report.problems) == (Reason.ISSUER_UNAVAILABLE, ())
    assert "its endpoint did not answer" in failed.message
    assert product.cloud.entra_log.count("redeem") == 0


def test_a_missing_client_credential_is_remembered_and_mended_at_once(partner: Partner, product: Product) -> None:
    (name,) = put_behind(partner, "certificate:app")
    product.run()
    assert tags_of(partner.vault, name)["last-failure"].startswith("client_credential_missing;1;")
    partner.world.entra.add_certificate(partner.client_id, _OWN.public_pem)
    partner.vault.state.put("app", _OWN.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)

    assert product.run().counts == {Kind.ROTATED: 1}


def assert_refused(product: Product, credential: str, code: int) -> None:
    """The issuer refused it, three times at most, and that is the one problem."""
    report = product.run()

    assert told(report) == [(Reason.CLIENT_CREDENTIAL_INVALID, credential, 5)]
    assert f"AADSTS{code}" in report.problems[0].message
    assert report.counts == {Kind.FAILED: 3, Kind.DEFERRED: 2}
    assert product.cloud.entra_log.count("redeem") == 3


@pytest.mark.parametrize("days", [(-1, 100), (-100, -1), (1, 100)], ids=["not registered", "expired", "not yet valid"])
def test_a_certificate_that_the_issuer_refuses_is_invalid(
    partner: Partner, product: Product, days: tuple[int, int]
) -> None:
    certified = Certified.new("refused by the issuer", key=rsa_key("refused"), days=days)
    if days != (-1, 100):
        product.cloud.entra.add_certificate(partner.client_id, certified.public_pem)
    partner.vault.state.put("app", certified.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    put_behind(partner, "certificate:app", 5)

    assert_refused(product, "certificate:app", 700027)


@pytest.mark.parametrize(("wrong", "code"), [("audience", 700212), ("subject", 700213), ("issuer", 700211)])
def test_a_federated_credential_for_something_else_is_invalid(
    partner: Partner, product: Product, wrong: str, code: int
) -> None:
    entra = product.cloud.entra
    if wrong == "audience":
        entra.add_federated_credential(partner.client_id, product.cloud.job, audience="api://AzureADTokenExchangeChina")
    elif wrong == "subject":
        entra.add_federated_credential(partner.client_id, entra.add_managed_identity(TENANT_ID))
    else:
        entra.add_federated_credential(partner.client_id, entra.add_managed_identity(str(uuid.uuid4())))
    put_behind(partner, "managed-identity", 5)

    assert_refused(product, "managed-identity", code)


def test_an_app_without_its_federated_credential_holds_no_other_app_of_the_identity_back(
    partner: Partner, product: Product
) -> None:
    trusted = Partner.new(product.cloud)
    product.cloud.entra.add_federated_credential(trusted.client_id, product.cloud.job)
    put_behind(partner, "managed-identity", 20, prefix="a")
    put_behind(trusted, "managed-identity", 20, prefix="b")

    report = product.run()

    assert report.counts == {Kind.ROTATED: 20, Kind.FAILED: 3, Kind.DEFERRED: 17}
    assert told(report) == [(Reason.CLIENT_CREDENTIAL_INVALID, "managed-identity", 20)]
    assert outcome(report, "b-000").kind is Kind.ROTATED
