"""A re-consent that was written without tags leaves care in silence, unless somebody looks: `tags_lost`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from emulators.faults import Answer
from rotation.outcome import Kind
from rotation.reason import Reason
from rotation.report import Trigger
from tests.credentials.certificates import PKCS12_CONTENT_TYPE, Certified
from tests.credentials.product import Product, asked, put_behind, told
from tests.effects.partners import CREDENTIAL, FRESH, Partner


@pytest.fixture
def lost(partner: Partner) -> str:
    """The id of a managed version that a re-consent through the portal lies on."""
    partner.put("contoso", tags=partner.tags(redeemed=FRESH, label="Contoso\x1b[2J"))
    tagged = partner.vault.state.current("contoso").version
    partner.vault.state.put("contoso", partner.consent())
    return tagged


def test_a_version_written_without_tags_is_told_with_the_version_that_has_them(
    partner: Partner, product: Product, lost: str
) -> None:
    report = product.run()

    assert told(report) == [(Reason.TAGS_LOST, "contoso", 1)]
    (outcome,) = report.tokens
    assert (outcome.kind, outcome.label) == (Kind.FAILED, "Contoso[2J")
    created = partner.vault.state.versions("contoso")[0].created
    assert f"version {lost} of {created:%Y-%m-%d} has them" in outcome.message
    assert (report.full, report.complete) == (True, True)
    assert product.cloud.entra_log.counts() == {}


def test_the_status_shows_it_too(product: Product, lost: str) -> None:
    status = product.status()

    (shown,) = status.tokens
    assert (shown.name, shown.health, shown.label) == ("contoso", Reason.TAGS_LOST, "Contoso[2J")
    assert lost in shown.message
    assert not status.all_well


def test_the_tags_of_the_latest_tagged_version_are_meant(partner: Partner, product: Product, lost: str) -> None:
    partner.vault.state.put("contoso", partner.consent())

    (outcome,) = product.run().tokens

    assert lost in outcome.message
    assert len(partner.vault.state.versions("contoso")) == 3


def test_the_writers_own_tags_are_not_ours(partner: Partner, product: Product) -> None:
    partner.put("contoso")
    partner.vault.state.put("contoso", partner.consent(), tags={"owner": "contoso operations", "label": "Contoso"})

    assert told(product.run()) == [(Reason.TAGS_LOST, "contoso", 1)]


def test_it_is_over_when_the_tags_are_back(partner: Partner, product: Product, lost: str) -> None:
    product.run()
    tags = partner.vault.state.version("contoso", lost).tags
    partner.vault.state.retag("contoso", tags or {})

    report = product.run()

    assert report.problems == ()
    assert [token.health for token in product.status().tokens] == [None]


def let_go(partner: Partner) -> None:
    tags = partner.tags()
    del tags["managed-by"]
    partner.vault.state.retag("contoso", tags)


def retire(partner: Partner) -> None:
    partner.vault.state.put("contoso", "a value of another kind", tags={"managed-by": "none"})


def let_go_and_write_over(partner: Partner) -> None:
    let_go(partner)
    partner.vault.state.put("contoso", "a value of another kind")


def delete(partner: Partner) -> None:
    partner.vault.state.put("contoso", partner.consent())
    partner.vault.state.delete("contoso")


def write_over_a_stranger(partner: Partner) -> None:
    partner.vault.state.delete("contoso")
    partner.vault.state.purge("contoso")
    partner.vault.state.put("contoso", "one", tags={"owner": "contoso operations"})
    partner.vault.state.put("contoso", "two")


@pytest.mark.parametrize("what", [let_go, retire, let_go_and_write_over, delete, write_over_a_stranger])
def test_what_somebody_meant_is_no_loss(partner: Partner, product: Product, what: Callable[[Partner], None]) -> None:
    partner.put("contoso")
    what(partner)

    report = product.run()

    assert (report.problems, report.tokens, product.status().tokens) == ((), (), ())


def test_deleting_it_between_the_list_and_the_look_is_no_loss(partner: Partner, product: Product, lost: str) -> None:
    body = {"error": {"code": "SecretNotFound", "message": "A secret with this name was not found in this key vault."}}
    partner.vault.faults.fail_next(Answer(404, body=body), path="/versions$")

    report = product.run()

    assert (report.problems, report.vault_faults, report.complete) == ((), (), True)
    assert told(product.run()) == [(Reason.TAGS_LOST, "contoso", 1)]
    assert lost


def test_it_costs_one_request_for_each_untagged_secret_of_the_last_fortnight(
    partner: Partner, product: Product, certified: Certified
) -> None:
    partner.vault.state.put("old", "somebody's")
    partner.vault.state.age(timedelta(days=14))
    for name in ("young", "new"):
        partner.vault.state.put(name, "somebody's")
        partner.vault.state.age(timedelta(days=13, hours=23) if name == "young" else timedelta(0))
    partner.vault.state.put("web-site", certified.pkcs12(), content_type=PKCS12_CONTENT_TYPE, managed=True)
    partner.vault.state.put("rotated-by-somebody", "somebody's", tags={"client-id": "theirs"})
    partner.vault.state.put("In-Capitals", "a client secret")
    partner.put(
        "contoso", tags=partner.tags(redeemed=FRESH, client_credential=f"secret:{CREDENTIAL},secret:in-capitals")
    )

    product.run()

    assert sorted(asked(partner.vault, "versions")) == ["new", "young"]
    assert asked(partner.vault, "read") == []


@pytest.mark.parametrize(("days", "problems"), [(13, [(Reason.TAGS_LOST, "contoso", 1)]), (14, [])])
def test_it_is_told_for_a_fortnight(
    partner: Partner, product: Product, lost: str, days: int, problems: list[tuple[Reason, str, int]]
) -> None:
    partner.vault.state.age(timedelta(days=days))

    assert (told(product.run()), bool(lost)) == (problems, True)


def test_the_age_of_the_tagged_version_does_not_matter(partner: Partner, product: Product) -> None:
    partner.put("contoso")
    partner.vault.state.age(timedelta(days=80))
    partner.vault.state.put("contoso", partner.consent())

    assert told(product.run()) == [(Reason.TAGS_LOST, "contoso", 1)]


def test_a_run_for_one_token_does_not_look(partner: Partner, product: Product, lost: str) -> None:
    (name,) = put_behind(partner, f"secret:{CREDENTIAL}")

    report = product.run(name, trigger=Trigger.HTTP)

    assert (report.counts, report.problems) == ({Kind.ROTATED: 1}, ())
    assert asked(partner.vault, "versions") == [name]
    assert lost


def test_a_vault_that_does_not_tell_its_versions_keeps_nothing_from_being_rotated(
    partner: Partner, product: Product, lost: str
) -> None:
    put_behind(partner, f"secret:{CREDENTIAL}", 3)
    denied = {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}}
    partner.vault.faults.fail_next(Answer(403, body=denied), path="/secrets/contoso/versions$")

    report = product.run()

    assert report.counts == {Kind.ROTATED: 3}
    assert (report.complete, [fault.reason for fault in report.vault_faults]) == (False, [Reason.VAULT_DENIED])
    assert lost
