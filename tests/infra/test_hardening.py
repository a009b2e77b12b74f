"""What makes the deployment safe or alive, property by property: a change of one is a decision, not a slip."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep import at, descendants, files, properties, text
from tests.infra.conftest import CHECKOUT, Break

PROMISES = {
    "storage": {
        "account": {
            "properties.allowSharedKeyAccess": "false",
            "properties.allowBlobPublicAccess": "false",
            "properties.minimumTlsVersion": "'TLS1_2'",
            "properties.supportsHttpsTrafficOnly": "true",
        },
    },
    "key-vault": {
        "vault": {
            "properties.enableRbacAuthorization": "true",
            "properties.enableSoftDelete": "true",
            "properties.enablePurgeProtection": "true",
            "properties.softDeleteRetentionInDays": "90",
        },
        "audit": {"scope": "vault", "properties.workspaceId": "workspaceId"},
    },
    "monitoring": {
        "applicationInsights": {
            "properties.DisableLocalAuth": "true",
            "properties.SamplingPercentage": "100",
            "properties.WorkspaceResourceId": "workspace.id",
        },
    },
    "function-app": {
        "plan": {"sku.name": "'FC1'", "sku.tier": "'FlexConsumption'", "properties.reserved": "true"},
        "app": {
            "properties.httpsOnly": "true",
            "properties.siteConfig.minTlsVersion": "'1.2'",
            "properties.functionAppConfig.runtime.name": "'python'",
            "properties.functionAppConfig.runtime.version": f"'{(CHECKOUT / '.python-version').read_text().strip()}'",
            "properties.functionAppConfig.deployment.storage.authentication.type": "'UserAssignedIdentity'",
        },
        "noPublishingPassword": {"properties.allow": "false"},
    },
    "network": {"egressAddress": {"sku.name": "'Standard'", "properties.publicIPAllocationMethod": "'Static'"}},
    "alerts": {
        "actionGroup": {"properties.enabled": "true"},
        "logAlerts": {
            "identity.type": "'UserAssigned'",
            "properties.enabled": "true",
            "properties.scopes": "[workspaceId]",
        },
    },
}
DEPRECATED = {
    "alwaysOn", "containerSize", "ftpsState", "functionAppScaleLimit", "isReserved", "isXenon", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess", "vnetRouteAllEnabled", "windowsFxVersion",
}  # fmt: skip
"""Site properties that Flex Consumption has no use for: "Flex Consumption plan deprecations", read 2026-11-21."""


def faults(infra: Path) -> list[str]:
    everything, found = files(infra), list[str]()
    for module, resources in PROMISES.items():
        file = everything[f"modules/{module}.bicep"]
        for name, promises in resources.items():
            body = file.named("resource")[name].body
            for path, value in promises.items():
                try:
                    is_so = text(at(body, path))
                except KeyError:
                    is_so = "missing"
                if is_so != value:
                    found.append(f"{module}: {name}.{path} is {is_so}, not {value}")
    return found + _deprecated(infra)


def _deprecated(infra: Path) -> list[str]:
    app = files(infra)["modules/function-app.bicep"].named("resource")["app"]
    named = {name for each in descendants(app.body, "object") for name in properties(each)}
    return [f"function-app: {name} means nothing on Flex Consumption" for name in sorted(named & DEPRECATED)]


def doors(infra: Path) -> str:
    policies = files(infra)["modules/function-app.bicep"].named("resource")["noPublishingPassword"]
    return text(next(descendants(policies.node, "for_statement")).named_children[1])


def test_every_promise_is_kept(infra: Path) -> None:
    assert faults(infra) == []


def test_both_publishing_passwords_are_off(infra: Path) -> None:
    assert doors(infra) == "['scm', 'ftp']"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("storage", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess is true"),
        ("key-vault", "    enablePurgeProtection: true\n", "", "enablePurgeProtection is missing"),
        ("monitoring", "DisableLocalAuth: true", "DisableLocalAuth: false", "DisableLocalAuth is false"),
        ("monitoring", "SamplingPercentage: 100", "SamplingPercentage: 20", "SamplingPercentage is 20"),
        ("function-app", "version: '3.13'", "version: '3.12'", "version is '3.12'"),
        ("function-app", "allow: false", "allow: true", "allow is true"),
        ("function-app", "siteConfig: {", "siteConfig: {\n      ftpsState: 'Disabled'", "ftpsState means nothing"),
        ("alerts", "scopes: [workspaceId]", "scopes: [groupId]", "scopes is [groupId]"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(f"modules/{file}.bicep", old, new)) if fault in each]
