"""What the settings make of the lease: which one, what is loaded for it and when, and what is said without any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.world import World
from rotation.blob_lease import BlobLease
from rotation.lease import ProcessLease
from rotation.ports import LeaseHeldError, LeaseHolder
from rotation.run import EveryVaultLeasedError
from rotation.wiring import application

CHECKOUT = Path(__file__).resolve().parents[2]
MOMENT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SERVICE = {"AzureWebJobsStorage__blobServiceUri": "https://contosorotation.blob.core.windows.net"}
TWO_RUNS_AND_MORE = """
import logging, os, sys
from datetime import UTC, datetime
from rotation.plan import RunRequest
from rotation.report import Trigger
from rotation.wiring import application
import function_app
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
logging.getLogger("rotation").setLevel(logging.INFO)
for dry_run in (True, False, False):
    with application(os.environ) as app:
        app.status(now=datetime.now(UTC))
        app.rotate(RunRequest(trigger=Trigger.TIMER, dry_run=dry_run), now=datetime.now(UTC))
        print("ran", "azure.storage.blob" in sys.modules)
"""


@pytest.mark.parametrize(
    ("storage", "lease"),
    [
        ({}, ProcessLease),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, BlobLease),
        (SERVICE, BlobLease),
        (SERVICE | {"AzureWebJobsStorage__credential": "managedidentity"}, BlobLease),
    ],
)
def test_the_lease_is_where_the_settings_say(storage: Mapping[str, str], lease: type) -> None:
    with application({"KEY_VAULT_URLS": "https://contoso-vault.vault.azure.net", **storage}) as app:
        assert type(app.ports.lease) is lease


def test_without_storage_it_is_said_once_in_a_process_and_nothing_is_loaded_for_it(world: World) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TWO_RUNS_AND_MORE], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert world.vault.log.count("list")
    assert [line for line in ran.stdout.splitlines() if "telemetry_off" not in line] == [
        "ran False",
        "INFO rotation.lease_in_process AzureWebJobsStorage is not set: only runs of this process exclude each other",
        "ran False",
        "ran False",
    ]


def test_a_holder_that_nobody_can_name_is_said_to_be_one() -> None:
    assert str(LeaseHeldError(None)) == "another run holds the lease (it did not say which)"
    assert "another run (it did not say which) is under way" in str(EveryVaultLeasedError(None))


def test_a_lease_that_another_thread_of_the_process_holds_is_refused_without_asking_the_storage(world: World) -> None:
    holder = LeaseHolder("a-run", "timer", MOMENT)
    lease = BlobLease(lambda: pytest.fail("the storage was asked"))
    with ProcessLease().hold(world.vault.url, holder), pytest.raises(LeaseHeldError) as refused:
        lease.hold(world.vault.url, LeaseHolder("another", "cli", MOMENT)).__enter__()
    assert refused.value.holder == holder
