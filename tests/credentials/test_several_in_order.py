"""Several client credentials in order: the first that the issuer accepts wins for the run; no refusal goes unsaid."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.credentials.certificates import PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, asked, put_behind, told
from tests.effects.partners import CLIENT_SECRET, CREDENTIAL, DUE, Partner

EXPIRED, INVALID, MISSING = (
    Reason.CLIENT_CREDENTIAL_EXPIRED,
    Reason.CLIENT_CREDENTIAL_INVALID,
    Reason.CLIENT_CREDENTIAL_MISSING,
)


@pytest.fixture
def replaced(partner: Partner) -> Partner:
    """An app whose client secret `partner-app` is over, and whose new one is `new`."""
    partner.world.entra.expire_client_secret(partner.client_id)
    partner.world.entra.add_client_secret(partner.client_id, "the new client secret")
    partner.vault.state.put("new", "the new client secret")
    return partner


@pytest.mark.parametrize("tokens", [1, 2, 40])
def test_an_expired_first_with_a_good_second_rotates_everything_and_reports_the_first(
    replaced: Partner, product: Product, tokens: int
) -> None:
    put_behind(replaced, f"secret:{CREDENTIAL},secret:new", tokens)

    report = product.run()

    assert report.counts == {Kind.ROTATED: tokens}
    assert told(report) == [(EXPIRED, f"secret:{CREDENTIAL}", tokens)]
    assert "AADSTS7000222" in report.problems[0].message
    assert product.cloud.entra_log.count("redeem") == tokens + 1


def test_a_refusal_and_a_date_that_is_past_are_one_problem(replaced: Partner, product: Product) -> None:
    replaced.vault.state.put(CREDENTIAL, CLIENT_SECRET, expires_on=datetime.now(UTC) - timedelta(days=3))
    put_behind(replaced, f"secret:{CREDENTIAL},secret:new", 2)

    assert told(product.run()) == [(EXPIRED, f"secret:{CREDENTIAL}", 2)]


def test_what_comes_after_the_first_that_is_accepted_is_not_even_read(replaced: Partner, product: Product) -> None:
    put_behind(replaced, f"secret:new,secret:{CREDENTIAL}", 5)

    report = product.run()

    assert (report.counts, report.problems) == ({Kind.ROTATED: 5}, ())
    assert CREDENTIAL not in asked(replaced.vault, "read")


@pytest.mark.parametrize("first", ["secret:gone", "certificate:gone", "certificate:new", "secret:cert"])
def test_a_first_that_cannot_be_had_gives_way_to_a_good_second(
    replaced: Partner, product: Product, first: str, certified: Certified
) -> None:
    replaced.vault.state.put("cert", certified.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    put_behind(replaced, f"{first},secret:new", 5)

    report = product.run()

    assert report.counts == {Kind.ROTATED: 5}
    assert told(report) == [(MISSING, first, 5)]
    assert product.cloud.entra_log.count("redeem") == 5


def test_a_client_secret_is_replaced_by_a_certificate_without_a_gap(
    replaced: Partner, product: Product, certified: Certified
) -> None:
    replaced.vault.state.put("cert", certified.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    put_behind(replaced, "certificate:cert, secret:new", 5)
    before = product.run()
    product.cloud.entra.add_certificate(replaced.client_id, certified.public_pem)
    product.cloud.age(DUE)
    after = product.run()

    assert told(before) == [(INVALID, "certificate:cert", 5)]
    assert (before.counts, after.counts, after.problems) == ({Kind.ROTATED: 5}, {Kind.ROTATED: 5}, ())


@pytest.mark.parametrize("tokens", [1, 2, 3, 10])
def test_when_all_are_refused_each_is_a_problem_with_every_token_once(
    replaced: Partner, product: Product, tokens: int
) -> None:
    replaced.vault.state.put("wrong", "not the app's client secret")
    put_behind(replaced, f"secret:{CREDENTIAL},secret:wrong,secret:gone", tokens)

    report = product.run()

    expected = [
        (EXPIRED, f"secret:{CREDENTIAL}", tokens),
        (INVALID, "secret:wrong", tokens),
        (MISSING, "secret:gone", tokens),
    ]
    assert sorted(told(report)) == sorted(expected)
    assert report.counts == {Kind.FAILED: min(tokens, 3), **({Kind.DEFERRED: tokens - 3} if tokens > 3 else {})}
    assert product.cloud.entra_log.count("redeem") == 2 * min(tokens, 3)


def test_one_that_is_refused_after_it_was_accepted_is_the_one_that_is_named(
    replaced: Partner, product: Product
) -> None:
    body = {"error": "invalid_client", "error_codes": [7000215]}
    product.cloud.entra_faults.fail_next(Answer(401, body=body), path="/token$", after=2)
    put_behind(replaced, f"secret:{CREDENTIAL},secret:new", 2)

    report = product.run()

    assert report.counts == {Kind.ROTATED: 1, Kind.FAILED: 1}
    assert sorted(told(report)) == [(EXPIRED, f"secret:{CREDENTIAL}", 2), (INVALID, "secret:new", 1)]


def test_a_first_that_several_apps_lost_is_one_problem_with_the_tokens_of_all(
    partner: Partner, product: Product
) -> None:
    other = Partner.new(product.cloud)
    partner.vault.state.put("wrong", "nobody's client secret")
    put_behind(partner, f"secret:wrong,secret:{CREDENTIAL}", 4, prefix="one")
    put_behind(other, f"secret:wrong,secret:{CREDENTIAL}", 3, prefix="two")

    report = product.run()

    assert report.counts == {Kind.ROTATED: 7}
    assert told(report) == [(INVALID, "secret:wrong", 7)]


def test_a_refused_refresh_token_is_not_tried_with_the_next_client_credential(
    partner: Partner, product: Product
) -> None:
    partner.vault.state.put("next", CLIENT_SECRET)
    (name,) = put_behind(partner, f"secret:{CREDENTIAL},secret:next")
    product.cloud.entra.revoke(partner.vault.state.current(name).value)

    assert told(product.run()) == [(Reason.TOKEN_REVOKED, name, 1)]
    assert product.cloud.entra_log.count("redeem") == 1
    assert "next" not in asked(partner.vault, "read")


def test_four_hundred_tokens_behind_a_bad_client_secret_cost_three_redemptions_and_are_one_problem(
    cloud: World, product: Product, partner: Partner
) -> None:
    bad = Partner.new(cloud, credential="bad-app")
    cloud.entra.expire_client_secret(bad.client_id)
    bad.put_some(400, prefix="bad")
    partner.put_some(40, prefix="good")

    report = product.with_settings(MAX_CONCURRENCY="16").run()

    assert report.counts == {Kind.ROTATED: 40, Kind.FAILED: 3, Kind.DEFERRED: 397}
    assert told(report) == [(EXPIRED, "secret:bad-app", 400)]
    assert cloud.entra_log.count("redeem") == 40 + 3
    assert {each.name[:4] for each in report.tokens if each.kind is Kind.ROTATED} == {"good"}


def test_three_of_sixty_tenants_have_not_consented(cloud: World, product: Product, partner: Partner) -> None:
    tenants = [str(uuid.uuid4()) for _ in range(60)]
    refused = sorted(tenants[at] for at in (0, 30, 59))
    token = partner.consent()
    for number, tenant in enumerate(tenants):
        if tenant in refused:
            cloud.entra.add_tenant(tenant)
        else:
            cloud.entra.consent(tenant_id=tenant, client_id=partner.client_id, user=partner.user)
        partner.put(f"customer-{number:03}", value=token, tags=partner.tags(tenant_id=tenant))

    report = product.run()

    assert report.counts == {Kind.ROTATED: 57, Kind.FAILED: 3}
    subjects = [f"{partner.client_id} in {tenant}" for tenant in refused]
    assert told(report) == [(Reason.APP_NOT_IN_TENANT, subject, 1) for subject in subjects]
    assert cloud.entra_log.count("redeem") == 60


def test_client_secrets_are_compared_by_their_values(partner: Partner, product: Product) -> None:
    partner.vault.state.put("padded", f" {CLIENT_SECRET}")
    put_behind(partner, "secret:padded")

    assert told(product.run()) == [(INVALID, "secret:padded", 1)]
