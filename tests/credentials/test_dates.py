"""When client credentials end is known from the list alone: told in time, "unknown" where nothing says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from rotation.reason import Reason
from tests.credentials.certificates import PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, counted, put_behind, told
from tests.doors.command import rotation
from tests.effects.partners import CLIENT_SECRET, CREDENTIAL, FRESH, Partner


def put_fresh(partner: Partner, credential: str, name: str = "contoso") -> None:
    """A token that is not due: only the list is asked for."""
    partner.put(name, tags=partner.tags(redeemed=FRESH, client_credential=credential))


def put_ending(partner: Partner, kind: str, days: int) -> None:
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    content_type = PKCS12_CONTENT_TYPE if kind == "certificate" else None
    value = Certified.new().pkcs12() if kind == "certificate" else CLIENT_SECRET
    partner.vault.state.put("app", value, content_type=content_type, expires_on=end, managed=kind == "certificate")


@pytest.mark.parametrize("kind", ["secret", "certificate"])
@pytest.mark.parametrize(("days", "is_told"), [(-3, True), (0, True), (29, True), (30, False), (400, False)])
def test_a_client_credential_is_told_of_a_month_before_it_ends(
    partner: Partner, product: Product, kind: str, days: int, *, is_told: bool
) -> None:
    put_ending(partner, kind, days)
    for name in ("one", "two"):
        put_fresh(partner, f"{kind}:app", name)

    report = product.run()

    assert told(report) == ([(Reason.CLIENT_CREDENTIAL_EXPIRING, f"{kind}:app", 2)] if is_told else [])
    end = f"{datetime.now(UTC) + timedelta(days=days, hours=1):%Y-%m-%d}"
    assert all(problem.message == f"the {kind} app expires on {end}" for problem in report.problems)


def test_the_status_does_not_call_a_credential_well_that_the_issuer_refuses(partner: Partner, product: Product) -> None:
    put_behind(partner, f"secret:{CREDENTIAL}", 2)
    product.cloud.entra.expire_client_secret(partner.client_id)
    product.run()

    status = product.status()

    assert [status.health_of(one) for one in status.credentials] == [Reason.CLIENT_CREDENTIAL_EXPIRED]
    assert "client_credential_expired" in json.dumps(status.to_json()["client_credentials"])


def test_which_of_several_credentials_was_refused_no_tag_says(partner: Partner, product: Product) -> None:
    put_behind(partner, f"secret:{CREDENTIAL},secret:{CREDENTIAL}-2", 1)
    partner.vault.state.put(f"{CREDENTIAL}-2", "not-the-client-secret")
    product.cloud.entra.expire_client_secret(partner.client_id)
    product.run()

    status = product.status()

    assert [status.health_of(one) for one in status.credentials] == [None, None]


def test_the_dates_cost_no_request(partner: Partner, product: Product) -> None:
    put_ending(partner, "secret", 3)
    put_fresh(partner, "secret:app,managed-identity")
    partner.vault.state.age(timedelta(days=14))

    assert told(product.run()) != []

    assert counted(partner.vault) == {"list": 1}
    assert product.cloud.entra_log.counts() == {}


def test_each_of_several_is_watched(partner: Partner, product: Product) -> None:
    put_ending(partner, "secret", 3)
    partner.vault.state.put("next", CLIENT_SECRET, expires_on=datetime.now(UTC) + timedelta(days=300))
    put_fresh(partner, "secret:app,secret:next,secret:gone")

    assert sorted(told(product.run())) == [
        (Reason.CLIENT_CREDENTIAL_EXPIRING, "secret:app", 1),
        (Reason.CLIENT_CREDENTIAL_MISSING, "secret:gone", 1),
    ]


def test_a_managed_identity_never_ends_and_is_in_no_vault(partner: Partner, product: Product) -> None:
    put_fresh(partner, "managed-identity")
    put_fresh(partner, f"managed-identity:{product.cloud.job.client_id}", "fabrikam")

    assert product.run().problems == ()
    credentials = product.status().credentials
    assert [(each.found, each.enabled, each.expires_on) for each in credentials] == [(True, True, None)] * 2


def test_no_date_is_unknown_and_no_problem(partner: Partner, product: Product) -> None:
    put_fresh(partner, f"secret:{partner.credential}")

    status = product.status()

    assert status.all_well
    assert product.run().problems == ()
    listed = status.to_json()["client_credentials"]
    assert isinstance(listed, list)
    assert [(each["name"], each["expires_on"], each["health"]) for each in listed] == [
        (f"secret:{partner.credential}", None, "ok")
    ]


@pytest.mark.usefixtures("product")
def test_the_status_says_unknown_of_a_client_secret_without_a_date_and_never_of_an_identity(partner: Partner) -> None:
    put_fresh(partner, f"secret:{partner.credential},managed-identity")

    shown = [line.split() for line in rotation("status").stdout.splitlines()]

    assert [f"secret:{partner.credential}", "ok", "unknown", "1"] in shown
    assert ["managed-identity", "ok", "never", "1"] in shown


def test_a_date_that_is_past_is_told_once_with_what_the_issuer_says(partner: Partner, product: Product) -> None:
    partner.world.entra.expire_client_secret(partner.client_id)
    put_ending(partner, "secret", -3)
    put_behind(partner, "secret:app", 2)

    assert told(product.run()) == [(Reason.CLIENT_CREDENTIAL_EXPIRED, "secret:app", 2)]
