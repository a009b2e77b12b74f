"""How applications prove themselves and find the token endpoint: the real MSAL and azure-identity over TLS."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
from azure.identity import ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.bearer import BearerVerifier
from emulators.faults import Answer, Reset
from tests.emulators.entra_site import SCOPE, SECRET, EntraSite, Partner, entra_site, new_partner

VAULT = "https://vault.azure.net"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraSite]:
    with entra_site(tmp_path_factory.mktemp("entra")) as running:
        yield running


@pytest.fixture
def partner(site: EntraSite) -> Partner:
    return new_partner(site)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey, *, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "contoso rotation")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=days))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def certified(key: rsa.RSAPrivateKey, pem: bytes) -> dict[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"private_key": private.decode(), "public_certificate": pem.decode()}


def assertion(partner: Partner, key: rsa.RSAPrivateKey, pem: bytes, **changes: object) -> str:
    fingerprint = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())
    audience = f"{partner.site.url}/{partner.tenant_id}/oauth2/v2.0/token"
    claims: dict[str, object] = {"aud": audience, "iss": partner.client_id, "sub": partner.client_id}
    claims |= {"jti": str(uuid.uuid4()), "exp": datetime.now(UTC) + timedelta(minutes=10)} | changes
    thumbprint = base64.urlsafe_b64encode(fingerprint).rstrip(b"=").decode()
    return jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint})


def codes(partner: Partner, client_assertion: str) -> object:
    return partner.redeem(credential={"client_assertion": lambda: client_assertion}).get("error_codes")


def test_msal_redeems_with_a_registered_certificate(partner: Partner, key: rsa.RSAPrivateKey) -> None:
    pem = certificate(key)
    assert partner.redeem(credential=certified(key, pem))["error_codes"] == [700027]
    partner.site.state.add_certificate(partner.client_id, pem)
    assert "access_token" in partner.redeem(credential=certified(key, pem))


def test_an_expired_certificate_proves_nothing(partner: Partner, key: rsa.RSAPrivateKey) -> None:
    pem = certificate(key, days=-1)
    partner.site.state.add_certificate(partner.client_id, pem)
    assert partner.redeem(credential=certified(key, pem))["error_codes"] == [700027]


def test_an_assertion_is_good_once(partner: Partner, key: rsa.RSAPrivateKey) -> None:
    pem = certificate(key)
    partner.site.state.add_certificate(partner.client_id, pem)
    once = assertion(partner, key, pem)
    assert [codes(partner, once), codes(partner, once)] == [None, [50012]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": datetime(2020, 1, 1, tzinfo=UTC)}, 700024),
        ({"aud": "https://login.contoso.example/token"}, 50012),
        ({"sub": "00000000-0000-4000-8000-000000000000"}, 50048),
    ],
)
def test_an_assertion_for_another_time_place_or_client_is_refused(
    partner: Partner, key: rsa.RSAPrivateKey, changes: dict[str, object], code: int
) -> None:
    pem = certificate(key)
    partner.site.state.add_certificate(partner.client_id, pem)
    assert codes(partner, assertion(partner, key, pem, **changes)) == [code]


def test_an_assertion_signed_by_another_key_is_refused(partner: Partner, key: rsa.RSAPrivateKey) -> None:
    pem = certificate(key)
    partner.site.state.add_certificate(partner.client_id, pem)
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert codes(partner, assertion(partner, forger, pem)) == [700027]
    assert codes(partner, "no token") == [50012]


def test_a_managed_identity_stands_for_the_application_it_is_federated_with(partner: Partner) -> None:
    state = partner.site.state
    identity = state.add_managed_identity(partner.tenant_id)
    token = state.managed_identity_token(identity, "api://AzureADTokenExchange")
    assert codes(partner, token) == [700211]
    state.add_federated_credential(partner.client_id, identity)
    assert [codes(partner, token), codes(partner, token)] == [None, None]


def test_a_federated_token_for_another_subject_or_audience_or_forged_is_refused(partner: Partner) -> None:
    state = partner.site.state
    identity, stranger = (state.add_managed_identity(partner.tenant_id) for _ in range(2))
    state.add_federated_credential(partner.client_id, identity)
    wrong_subject = state.managed_identity_token(stranger, "api://AzureADTokenExchange")
    wrong_audience = state.managed_identity_token(identity, "api://AzureADTokenExchangeChina")
    head = state.managed_identity_token(identity, "api://AzureADTokenExchange").rpartition(".")[0]
    forged = f"{head}.{wrong_subject.rpartition('.')[2]}"
    assert [codes(partner, one) for one in (wrong_subject, wrong_audience, forged)] == [[700213], [700212], [700027]]


def test_azure_identity_gets_a_vault_token_with_a_client_secret(partner: Partner) -> None:
    with ClientSecretCredential(
        partner.tenant_id,
        partner.client_id,
        SECRET,
        authority=partner.site.url,
        disable_instance_discovery=True,
        connection_verify=str(partner.site.authority_file),
    ) as credential:
        token = credential.get_token(f"{VAULT}/.default").token
    claims = BearerVerifier(partner.site.state.public_keys, VAULT).verify(token)
    principal = partner.site.state.add_to_tenant(partner.tenant_id, partner.client_id)
    assert (claims["oid"], claims["idtyp"], claims["appid"]) == (principal.object_id, "app", partner.client_id)
    assert "scp" not in claims


def test_basic_authentication_proves_a_client_too(partner: Partner) -> None:
    url = f"{partner.site.url}/{partner.tenant_id}/oauth2/v2.0/token"
    with partner.site.session() as session:
        form = {"grant_type": "client_credentials", "scope": f"{VAULT}/.default"}
        good = session.post(url, data=form, auth=(partner.client_id, SECRET), timeout=60)
        junk = session.post(url, data=form, headers={"authorization": "Basic %%%"}, timeout=60)
    assert (good.status_code, junk.json()["error_codes"]) == (200, [9002313])


@pytest.mark.parametrize(("scope", "code"), [(SCOPE, 1002012), ("https://unknown.contoso.example/.default", 500011)])
def test_client_credentials_take_the_default_scope_of_a_known_resource_only(
    partner: Partner, scope: str, code: int
) -> None:
    form = {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": SECRET}
    assert partner.site.post(partner.tenant_id, **form, scope=scope).json()["error_codes"] == [code]


def test_a_resource_is_served_once_it_is_known(partner: Partner) -> None:
    partner.site.state.add_resource("https://invoices.contoso.example")
    form = {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": SECRET}
    answer = partner.site.post(partner.tenant_id, **form, scope="https://invoices.contoso.example/.default")
    assert answer.status_code == 200


def test_discovery_names_the_guid_even_when_asked_by_domain(partner: Partner) -> None:
    domain = f"{partner.tenant_id}.contoso.example"
    partner.site.state.add_tenant(partner.tenant_id, domain)
    document = partner.site.get(f"/{domain}/v2.0/.well-known/openid-configuration").json()
    tenant = f"{partner.site.url}/{partner.tenant_id}"
    assert (document["issuer"], document["token_endpoint"]) == (f"{tenant}/v2.0", f"{tenant}/oauth2/v2.0/token")


def test_an_unknown_tenant_is_refused_everywhere(site: EntraSite) -> None:
    paths = ["/nobody.example/v2.0/.well-known/openid-configuration", "/nobody.example/discovery/v2.0/keys"]
    answers = [site.get(path) for path in paths]
    answers.append(site.post("nobody.example", grant_type="refresh_token", refresh_token="x", client_id="y"))
    assert [answer.status_code for answer in answers] == [400] * 3
    assert [answer.json()["error_codes"] for answer in answers] == [[90002]] * 3


def test_tokens_verify_with_the_published_key(partner: Partner) -> None:
    published = partner.site.get(f"/{partner.tenant_id}/discovery/v2.0/keys").json()
    token = partner.redeem()["access_token"]
    found = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, found, audience="https://api.partnercenter.microsoft.com")["tid"] == partner.tenant_id


def test_instance_discovery_knows_its_own_host_alone(partner: Partner) -> None:
    path = "/common/discovery/instance?api-version=1.1&authorization_endpoint="
    good = partner.site.get(f"{path}{partner.site.url}/{partner.tenant_id}/oauth2/v2.0/authorize").json()
    bad = partner.site.get(f"{path}https://login.contoso.example/x/oauth2/v2.0/authorize")
    assert good["tenant_discovery_endpoint"].endswith(f"/{partner.tenant_id}/v2.0/.well-known/openid-configuration")
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_instance")


def test_requests_are_counted_by_kind_also_when_a_fault_answers(partner: Partner) -> None:
    site = partner.site
    site.log.clear()
    partner.redeem()
    site.faults.fail_next(Answer(503, body=b"<html>"), path="token")
    site.post(partner.tenant_id, grant_type="client_credentials")
    site.faults.fail_next(Answer(503, body=b"<html>"), path="token")
    site.post(partner.tenant_id, grant_type="refresh_token")
    assert site.log.counts() == {"discovery": 1, "redeem": 2, "client_credentials": 1}


def test_a_redemption_whose_answer_is_lost_has_still_issued_a_token(partner: Partner) -> None:
    partner.site.faults.fail_next(Reset(after_effect=True), path="token")
    with pytest.raises(requests.ConnectionError):
        partner.redeem()
    assert partner.site.state.is_redeemable(partner.refresh_token)
    assert "access_token" in partner.redeem()


def test_latency_holds_every_answer_back(partner: Partner) -> None:
    keys = f"/{partner.tenant_id}/discovery/v2.0/keys"
    partner.site.state.latency = 0.5
    with pytest.raises(requests.ReadTimeout):
        partner.site.get(keys, timeout=0.1)
    partner.site.state.latency = 0.0
    assert partner.site.get(keys).ok
