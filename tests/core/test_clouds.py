"""One table of the national clouds, and which of them a vault is in."""

from __future__ import annotations

import pytest

from rotation.clouds import CHINA, CLOUDS, GLOBAL, US_GOVERNMENT, Cloud, cloud_of_vault


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        ("https://contoso.vault.azure.net", GLOBAL),
        ("https://contoso.vault.azure.net/", GLOBAL),
        ("https://CONTOSO.Vault.Azure.NET", GLOBAL),
        ("https://contoso.vault.azure.net:443", GLOBAL),
        ("https://contoso.vault.azure.net:8443/secrets", GLOBAL),
        ("https://contoso.vault.usgovcloudapi.net", US_GOVERNMENT),
        ("https://contoso.vault.azure.cn", CHINA),
        ("https://127.0.0.1:8443", None),
        ("https://[::1]:8443", None),
        ("https://vault.azure.net.contoso.com", None),
        ("https://contosovault.azure.net", None),
        ("https://contoso.com/x.vault.azure.net", None),
        ("", None),
    ],
)
def test_a_vault_is_in_the_cloud_that_its_host_name_says(url: str, cloud: Cloud | None) -> None:
    assert cloud_of_vault(url) is cloud


def test_tags_and_settings_call_the_clouds_by_these_names() -> None:
    assert {"global": GLOBAL, "usgov": US_GOVERNMENT, "china": CHINA} == CLOUDS


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_an_authority_is_an_origin_and_a_suffix_starts_with_a_dot(cloud: Cloud) -> None:
    assert cloud.authority.startswith("https://")
    assert cloud.authority.count("/") == 2
    assert cloud.vault_suffix.startswith(".vault.")


def test_no_two_clouds_share_an_authority_or_a_vault_suffix() -> None:
    assert len({cloud.authority for cloud in CLOUDS.values()}) == 3
    assert len({cloud.vault_suffix for cloud in CLOUDS.values()}) == 3
