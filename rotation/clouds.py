"""The national clouds: one table of where each has its authority, its Partner Center and its vaults.

Facts from the Microsoft identity platform's "National clouds" page and Key Vault's "Azure environments".
Which cloud a token is in is decided in `token`; reaching it is left to the adapters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """One national cloud. `authority` has no path and no trailing slash; `vault_suffix` starts with a dot."""

    name: str
    authority: str
    partner_center_scope: str
    graph: str
    vault_suffix: str
    federation_audience: str


GLOBAL = Cloud(
    name="global",
    authority="https://login.microsoftonline.com",
    partner_center_scope="https://api.partnercenter.microsoft.com/user_impersonation",
    graph="https://graph.microsoft.com",
    vault_suffix=".vault.azure.net",
    federation_audience="api://AzureADTokenExchange",
)
US_GOVERNMENT = Cloud(
    name="usgov",
    authority="https://login.microsoftonline.us",
    partner_center_scope="https://api.partnercenter.microsoft.com/user_impersonation",
    graph="https://graph.microsoft.us",
    vault_suffix=".vault.usgovcloudapi.net",
    federation_audience="api://AzureADTokenExchangeUSGov",
)
CHINA = Cloud(
    name="china",
    authority="https://login.partner.microsoftonline.cn",
    partner_center_scope="https://partner.partnercenterapi.microsoftonline.cn/user_impersonation",
    graph="https://microsoftgraph.chinacloudapi.cn",
    vault_suffix=".vault.azure.cn",
    federation_audience="api://AzureADTokenExchangeChina",
)

CLOUDS = {cloud.name: cloud for cloud in (GLOBAL, US_GOVERNMENT, CHINA)}
"""Every cloud by the name that the tag `cloud` and the setting AUTHORITY_OVERRIDES use."""


def cloud_of_vault(vault_url: str) -> Cloud | None:
    """The cloud that a vault's address belongs to, or None for one in none of them (an emulator, a private cloud)."""
    host = vault_url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return next((cloud for cloud in CLOUDS.values() if host.endswith(cloud.vault_suffix)), None)
