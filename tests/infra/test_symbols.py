"""Every name in the Bicep files means something, and everything declared is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra import symbols
from tests.infra.conftest import Break


def test_every_name_is_declared_and_every_declaration_used(infra: Path) -> None:
    assert symbols.faults(infra) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("main.bicep", "location: location", "location: locaton", "uses locaton"),
        ("main.bicep", "var makesVault = empty(", "var makesVault = isEmpty(", "calls isEmpty"),
        ("main.bicep", "param alertRoleIds string = ''", "param alertRoleIds string = '", "cannot be parsed"),
        ("main.bicep", "'modules/storage.bicep'", "'modules/store.bicep'", "does not exist"),
        ("main.bicep", "    dailyCapGb: dailyCapGb\n", "", "is not given dailyCapGb"),
        ("main.bicep", "    roleIds: filter(", "    roles: filter(", "is given roles, which it does not take"),
        ("main.bicep", "storage.outputs.blobEndpoint", "storage.outputs.blobUrl", "reads the output blobUrl"),
        ("main.bicep", "  name: 'storage'\n", "", "module storage has no name"),
        ("main.bicep", "  name: 'storage'\n  scope: group\n", "  name: 'storage'\n", "module storage has no scope"),
        ("modules/storage.bicep", "  parent: account\n", "", "resource blobs has no parent"),
        ("main.bicep", "abbreviations.storageAccount", "abbreviations.storage", "abbreviations.json does not have"),
        ("modules/alerts.bicep", "'../alerts/heartbeat.kql'", "'../alerts/pulse.kql'", "loads ../alerts/pulse.kql"),
        ("modules/workbook.bicep", "param tags", "param more string = ''\nparam tags", "param more is used nowhere"),
        ("modules/network.bicep", "output egress", "output more string = ''\noutput egress", "output more is used"),
        ("modules/storage.bicep", "var roles =", "var unused = 1\nvar roles =", "var unused is used nowhere"),
        (
            "modules/function-app.bicep",
            "applicationInsights.properties.ConnectionString",
            "''",
            "resource applicationInsights is used nowhere",
        ),
    ],
)
def test_a_broken_copy_is_refused(broken: Break, file: str, old: str, new: str, fault: str) -> None:
    assert [each for each in symbols.faults(broken(file, old, new)) if fault in each]
