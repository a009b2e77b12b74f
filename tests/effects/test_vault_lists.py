"""A vault whose lists lie: pages of no known form, circles, links elsewhere. The job's token goes to no other host."""

from __future__ import annotations

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.keyvault import same_origin
from rotation.outcome import Kind
from rotation.reason import Reason
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.effects.test_vault_refuses import fault_of

VAULT_NAME = "https://contoso.vault.azure.net"
PAGES: dict[str, object] = {
    "no id": {"value": [{"attributes": {"enabled": True}}]},
    "no attributes": {"value": [{"id": "{vault}/secrets/contoso"}]},
    "an id of no form": {"value": [{"id": "contoso", "attributes": {}}]},
    "numbers": {"value": [1, 2]},
    "null": {"value": None},
    "a text": {"value": "secrets"},
    "a list": [],
    "a link that is a number": {"value": [], "nextLink": 5},
    "a link of no form": {"value": [], "nextLink": "https://[broken/"},
    "tags of no form": {"value": [{"id": "{vault}/secrets/contoso", "attributes": {"enabled": 1}, "tags": ["x"]}]},
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_no_known_form_is_the_vaults_fault_and_not_the_runs(
    cloud: World, partner: Partner, job: Job, page: str
) -> None:
    partner.put("contoso")
    cloud.vault.faults.fail_next(Answer(200, body=PAGES[page]), path="^/secrets$", times=None)

    report = job.run()

    assert [fault.reason for fault in report.vault_faults] in ([Reason.VAULT_UNAVAILABLE], [])
    assert cloud.entra_log.counts() == {}


def test_pages_that_go_round_in_circles_end(cloud: World, job: Job) -> None:
    link = f"{cloud.vault.url}/secrets?api-version=7.6&$skiptoken=again"
    cloud.vault.faults.fail_next(Answer(200, body={"value": [], "nextLink": link}), path="^/secrets$", times=None)

    report = job.run()

    assert (fault_of(report).reason, fault_of(report).message) == (
        Reason.VAULT_UNAVAILABLE, "its list goes round in circles",
    )  # fmt: skip
    assert cloud.vault.log.count("list") == 2


@pytest.mark.parametrize("link", ["{other}/secrets", "http{vault}/secrets", "{other}\\@{vault}/secrets", "//{other}/x"])
def test_a_link_to_another_host_is_not_followed(cloud: World, partner: Partner, job: Job, link: str) -> None:
    other, vault = cloud.vaults[1], cloud.vault.url.removeprefix("https://")
    partner.put("contoso")
    body = {"value": [], "nextLink": link.format(other=other.url, vault=vault)}
    cloud.vault.faults.fail_next(Answer(200, body=body), path="^/secrets$", times=None)

    report = job.run()

    assert (fault_of(report).vault, fault_of(report).reason) == (cloud.vault.url, Reason.VAULT_UNAVAILABLE)
    assert other.log.requests == ()


@pytest.mark.parametrize(
    "other", [VAULT_NAME, f"{VAULT_NAME}:443/secrets?$skiptoken=x", "https://CONTOSO.vault.azure.net"]
)
def test_the_links_of_the_service_name_its_port_and_are_followed(other: str) -> None:
    assert same_origin(other, VAULT_NAME)


@pytest.mark.parametrize(
    "other",
    [
        "http://contoso.vault.azure.net:443",
        f"{VAULT_NAME}:8443",
        "https://fabrikam.vault.azure.net",
        f"{VAULT_NAME}.fabrikam.example",
        f"{VAULT_NAME}:443@fabrikam.example",
        "//contoso.vault.azure.net",
        "/secrets",
    ],
)
def test_no_other_address_passes_for_the_vaults(other: str) -> None:
    assert not same_origin(other, VAULT_NAME)


def test_half_a_list_says_nothing_of_what_is_missing(cloud: World, job: Job) -> None:
    partner = Partner.new(cloud, credential="zzz-app")
    partner.put_some(30)
    cloud.vault.faults.fail_next(Answer(500), path="^/secrets$", after=1, times=None)

    report = job.run()

    assert report.counts == {Kind.ROTATED: 25}
    assert [problem.reason for problem in report.problems] == [Reason.VAULT_UNAVAILABLE]
