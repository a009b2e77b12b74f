"""Every national cloud has its own authority, scope and audience, and a token never crosses from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.entra.app import entra_app
from emulators.entra.state import EntraState
from emulators.faults import Faults
from emulators.requests_log import RequestLog
from emulators.serve import Site, listen, serving, url_of
from emulators.world import TENANT_ID, World
from rotation.clouds import CHINA, CLOUDS, GLOBAL, Cloud, cloud_of_vault
from rotation.outcome import Kind
from rotation.ports import Deadline, ListedSecret, Vault
from rotation.reason import Reason
from rotation.token import InvalidRecord, ManagedToken, Thresholds, parse, resource_of
from tests.credentials.product import Product, counted
from tests.effects.job import job_in
from tests.effects.partners import CLIENT_SECRET, Partner, managed_tags

CONTRADICTIONS = [(tag, cloud) for tag in CLOUDS for cloud in CLOUDS.values() if cloud.name != tag]
_LABELS = st.from_regex(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", fullmatch=True)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An emulated vault at the address of a national cloud."""

    vault: Vault
    url: str

    def within(self, deadline: Deadline) -> Elsewhere:
        return replace(self, vault=self.vault.within(deadline))

    def secrets(self) -> Iterator[ListedSecret]:
        return self.vault.secrets()

    def __getattr__(self, name: str) -> object:
        return getattr(self.vault, name)


@pytest.mark.parametrize(("tag", "where"), CONTRADICTIONS, ids=lambda one: getattr(one, "name", one))
def test_a_token_of_another_cloud_than_its_vault_fails_before_any_request(
    partner: Partner, product: Product, tag: str, where: Cloud
) -> None:
    partner.put("contoso", tags=partner.tags(cloud=tag))
    partner.vault.state.age(timedelta(days=14))
    with job_in(product.cloud) as job:
        there = Elsewhere(job.vaults[0], f"https://contoso{where.vault_suffix}")
        report = replace(job, vaults=[there]).run()  # type: ignore[list-item]

    (told,) = report.tokens
    assert (told.kind, told.reason) == (Kind.FAILED, Reason.INVALID_RECORD)
    assert told.message == (
        f"cloud says {tag}, but the vault is in another cloud: a token never crosses clouds (AADSTS90038)"
    )
    assert counted(partner.vault) == {"list": 1}
    assert product.cloud.entra_log.counts() == {}


@contextmanager
def another_authority(world: World) -> Iterator[tuple[EntraState, RequestLog]]:
    """An issuer of another cloud, with nothing of the first one in it."""
    socket, log = listen(), RequestLog()
    entra = EntraState(url_of(socket))
    with serving([Site(socket, entra_app(entra, faults=Faults(), log=log), world.tls.context)]):
        yield entra, log


@pytest.mark.parametrize("name", ["usgov", "china"])
def test_each_cloud_redeems_at_its_own_authority(partner: Partner, product: Product, name: str) -> None:
    partner.put("here")
    with another_authority(product.cloud) as (entra, log):
        entra.register_app(TENANT_ID, partner.client_id, secrets=[CLIENT_SECRET])
        user = entra.add_user(TENANT_ID, "partner-service-account")
        scope = f"{CLOUDS[name].partner_center_scope} offline_access openid profile"
        token = entra.consent(tenant_id=TENANT_ID, client_id=partner.client_id, user=user, scope=scope)
        partner.put("there", value=token, tags=partner.tags(cloud=name))
        overrides = f"global={product.cloud.entra_url},{name}={entra.url}"

        report = product.with_settings(AUTHORITY_OVERRIDES=overrides).run()

    assert (report.counts, report.problems) == ({Kind.ROTATED: 2}, ())
    assert (product.cloud.entra_log.count("redeem"), log.count("redeem")) == (1, 1)


def test_a_token_of_another_clouds_partner_center_is_not_stored(partner: Partner, product: Product) -> None:
    token = partner.put("contoso", tags=partner.tags(cloud="china"))

    report = product.with_settings(AUTHORITY_OVERRIDES=f"china={product.cloud.entra_url}").run()

    assert [each.reason for each in report.tokens] == [Reason.CONSENT_REQUIRED]
    assert partner.vault.state.current("contoso").value == token


def record(vault_url: str, **tags: str) -> ManagedToken | InvalidRecord:
    return parse(
        vault=vault_url,
        name="contoso",
        enabled=True,
        tags=managed_tags(TENANT_ID) | tags,
        vault_cloud=cloud_of_vault(vault_url),
        defaults=Thresholds(7, 90, 30),
    )


@given(_LABELS, st.sampled_from(list(CLOUDS.values())), st.sampled_from([None, *CLOUDS]))
def test_a_record_is_in_the_cloud_of_its_vault_or_in_none(name: str, cloud: Cloud, tag: str | None) -> None:
    made = record(f"https://{name}{cloud.vault_suffix}/", **({} if tag is None else {"cloud": tag}))

    if tag in (None, cloud.name):
        assert isinstance(made, ManagedToken)
        assert (made.cloud, made.scopes) == (cloud, (cloud.partner_center_scope,))
    else:
        assert isinstance(made, InvalidRecord)
        assert ["AADSTS90038" in fault for fault in made.faults] == [True]


@given(_LABELS, st.sampled_from(["contoso.com", "vault.azure.net.contoso.com", "vaultcore.azure.net", "localhost"]))
def test_a_vault_of_no_cloud_takes_the_tags_word_and_is_global_without_one(name: str, domain: str) -> None:
    url = f"https://{name}.{domain}"

    taken = [record(url), *(record(url, cloud=tag) for tag in CLOUDS)]

    assert [each.cloud for each in taken if isinstance(each, ManagedToken)] == [GLOBAL, *CLOUDS.values()]


def test_the_facts_of_the_clouds() -> None:
    """Microsoft: "National clouds", "Workload identity federation" and "Partner Center in the sovereign clouds"."""
    assert {cloud.name: (cloud.authority, cloud.federation_audience) for cloud in CLOUDS.values()} == {
        "global": ("https://login.microsoftonline.com", "api://AzureADTokenExchange"),
        "usgov": ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        "china": ("https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
    }
    assert {resource_of(cloud.partner_center_scope) for cloud in CLOUDS.values()} == {
        "https://api.partnercenter.microsoft.com",
        "https://partner.partnercenterapi.microsoftonline.cn",
    }
    assert resource_of(CHINA.partner_center_scope) == "https://partner.partnercenterapi.microsoftonline.cn"
