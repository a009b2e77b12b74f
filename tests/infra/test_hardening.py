"""What makes the deployment safe or alive, property by property: a change of one is a decision, not a slip."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep import at, descendants, files, properties, text
from tests.infra.conftest import CHECKOUT, Break

CLOSED_WHEN_PRIVATE = {
    "properties.publicNetworkAccess": "publicNetworkAccess",
    "properties.networkAcls.defaultAction": "publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny'",
    "properties.networkAcls.bypass": "'None'",
}
PACKAGE = "properties.functionAppConfig.deployment.storage"
BY_IDENTITY = "{\n    type: 'UserAssigned'\n    userAssignedIdentities: {\n      '${identityId}': {}\n    }\n  }"
OVER_QUOTA = """'_LogOperation | where Category =~ "Ingestion" | where Detail contains "OverQuota"'"""
READS_THE_WORKSPACE = {
    "identity": BY_IDENTITY,
    "properties.enabled": "true",
    "properties.scopes": "[workspaceId]",
    "properties.skipQueryValidation": "true",
    "properties.actions.actionGroups": "[actionGroup.id]",
}
PROMISES = {
    "main": {
        "keyVaultAccess": {"dependsOn": "[\n    keyVault\n  ]"},
        "network": {"dependsOn": "[\n    keyVault\n  ]"},
        "functionApp": {"dependsOn": "[\n    keyVaultAccess\n  ]"},
    },
    "storage": {
        "account": CLOSED_WHEN_PRIVATE
        | {
            "properties.allowSharedKeyAccess": "false",
            "properties.allowBlobPublicAccess": "false",
            "properties.allowCrossTenantReplication": "false",
            "properties.minimumTlsVersion": "'TLS1_2'",
            "properties.supportsHttpsTrafficOnly": "true",
        },
        "audit": {
            "scope": "blobs",
            "properties.workspaceId": "workspaceId",
            "properties.logs.0.category": "'StorageWrite'",
            "properties.logs.0.enabled": "true",
            "properties.logs.1.category": "'StorageDelete'",
            "properties.logs.1.enabled": "true",
        },
    },
    "key-vault": {
        "vault": CLOSED_WHEN_PRIVATE
        | {
            "properties.enableRbacAuthorization": "true",
            "properties.enableSoftDelete": "true",
            "properties.enablePurgeProtection": "true",
            "properties.softDeleteRetentionInDays": "90",
        },
        "audit": {
            "scope": "vault",
            "properties.workspaceId": "workspaceId",
            "properties.logs.0.category": "'AuditEvent'",
            "properties.logs.0.enabled": "true",
        },
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
            "identity": BY_IDENTITY,
            "properties.serverFarmId": "plan.id",
            "properties.httpsOnly": "true",
            "properties.virtualNetworkSubnetId": "empty(subnetId) ? null : subnetId",
            "properties.siteConfig.minTlsVersion": "'1.2'",
            "properties.siteConfig.scmMinTlsVersion": "'1.2'",
            "properties.functionAppConfig.runtime.name": "'python'",
            "properties.functionAppConfig.runtime.version": f"'{(CHECKOUT / '.python-version').read_text().strip()}'",
            f"{PACKAGE}.type": "'blobContainer'",
            f"{PACKAGE}.authentication.type": "'UserAssignedIdentity'",
            f"{PACKAGE}.authentication.userAssignedIdentityResourceId": "identityId",
            "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount": "40",
        },
        "noPublishingPassword": {"name": "door", "properties.allow": "false"},
        "authentication": {
            "name": "'authsettingsV2'",
            "properties.platform.enabled": "authenticates",
            "properties.globalValidation.requireAuthentication": "authenticates",
            "properties.globalValidation.unauthenticatedClientAction": "'Return401'",
        },
    },
    "network": {
        "egressAddress": {"sku.name": "'Standard'", "properties.publicIPAllocationMethod": "'Static'"},
        "natGateway": {"sku.name": "'Standard'", "properties.publicIpAddresses.0.id": "egressAddress.id"},
        "network": {
            "properties.subnets.0.properties.delegations.0.properties.serviceName": "'Microsoft.App/environments'",
            "properties.subnets.0.properties.natGateway": "fixedEgressAddress ? { id: natGateway.id } : null",
            "properties.subnets.0.properties.defaultOutboundAccess": "!fixedEgressAddress",
            "properties.subnets.1.properties.defaultOutboundAccess": "false",
        },
        "blobZone": {"name": "'privatelink.blob.${environment().suffixes.storage}'"},
        "blobZoneLink": {"parent": "blobZone", "properties.virtualNetwork.id": "network.id"},
        "keyVaultZone": {"name": "replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')"},
        "keyVaultZoneLink": {"parent": "keyVaultZone", "properties.virtualNetwork.id": "network.id"},
    },
    "alerts": {
        "actionGroup": {"properties.enabled": "true"},
        "logAlerts": {
            **READS_THE_WORKSPACE,
            "properties.evaluationFrequency": "rules[name].evaluationFrequency",
            "properties.criteria.allOf.0.query": "queries[name]",
        },
        "dailyCapReached": {
            **READS_THE_WORKSPACE,
            "properties.criteria.allOf.0.query": OVER_QUOTA,
            "properties.criteria.allOf.0.operator": "'GreaterThan'",
            "properties.criteria.allOf.0.threshold": "0",
        },
    },
    "private-endpoint": {
        "endpoint": {
            "properties.privateLinkServiceConnections.0.properties.privateLinkServiceId": "targetId",
            "properties.privateLinkServiceConnections.0.properties.groupIds": "[groupId]",
        },
        "record": {"properties.privateDnsZoneConfigs.0.properties.privateDnsZoneId": "zoneId"},
    },
}
DEPRECATED = {
    "alwaysOn", "containerSize", "ftpsState", "functionAppScaleLimit", "isReserved", "isXenon", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess", "vnetRouteAllEnabled", "windowsFxVersion",
}  # fmt: skip
"""What Flex Consumption has no use for: "Flex Consumption plan deprecations", app settings reference."""


def faults(infra: Path) -> list[str]:
    everything, found = files(infra), list[str]()
    for module, resources in PROMISES.items():
        file = everything["main.bicep" if module == "main" else f"modules/{module}.bicep"]
        for name, promises in resources.items():
            body = file.named("resource", "module")[name].body
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
        ("network", "'Microsoft.App/environments'", "'Microsoft.Web/serverFarms'", "is 'Microsoft.Web/serverFarms'"),
        ("storage", "'StorageWrite'", "'StorageRead'", "category is 'StorageRead'"),
        ("key-vault", "'AuditEvent'", "'AllMetrics'", "category is 'AllMetrics'"),
        ("alerts", "scopes: [workspaceId]", "scopes: [groupId]", "scopes is [groupId]"),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in faults(broken(f"modules/{file}.bicep", old, new)) if fault in each]
