"""The lease of a blob on Azurite: who may have it, what the blob says of who has it, and what no log shows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient, generate_account_sas

from rotation.blob_lease import CONTAINER, BlobLease, blob_of, by_connection_string, sleepless
from rotation.ports import LeaseHeldError, LeaseHolder
from tests.interop.storage_account import ACCOUNT, KEY, StorageAccount

SINCE = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
OURS, THEIRS = LeaseHolder("our-run", "http", SINCE), LeaseHolder("their-run", "timer", SINCE)
THEIRS_SAID = {"run_id": THEIRS.run_id, "door": THEIRS.door, "since": SINCE.isoformat()}

type Hold = Callable[[LeaseHolder], None]


@pytest.fixture
def vault_url(request: pytest.FixtureRequest) -> str:
    """A vault, and so a blob, of each test's own."""
    return f"https://{abs(hash(request.node.name))}.vault.azure.net"


@pytest.fixture
def container(storage: StorageAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerClient]:
    storage.trusted_in(tmp_path / "authorities.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authorities.pem"))
    with by_connection_string(storage.connection_string) as opened:
        yield opened


@pytest.fixture
def blob(container: ContainerClient, vault_url: str, storage: StorageAccount) -> BlobClient:
    """The blob, once a run has made it."""
    with lease_of(storage).hold(vault_url, THEIRS):
        return container.get_blob_client(blob_of(vault_url))


def lease_of(storage: StorageAccount, *, monotonic: Callable[[], float] = sleepless) -> BlobLease:
    return BlobLease(partial(by_connection_string, storage.connection_string), monotonic=monotonic)


def test_the_blob_says_who_holds_the_lease_and_is_free_afterwards(
    storage: StorageAccount, blob: BlobClient, vault_url: str
) -> None:
    with lease_of(storage).hold(vault_url, OURS) as held:
        properties = blob.get_blob_properties()
        assert (held.is_held(), held.fault) == (True, "")
    assert (properties.lease.state, properties.lease.duration) == ("leased", "fixed")
    assert properties.metadata == {"run_id": "our-run", "door": "http", "since": "2026-11-21T07:00:00+00:00"}
    assert (properties.container, properties.name) == (CONTAINER, blob_of(vault_url))
    assert blob.get_blob_properties().lease.state == "available"


def test_the_lease_is_given_back_after_an_exception(storage: StorageAccount, blob: BlobClient, vault_url: str) -> None:
    with pytest.raises(LookupError), lease_of(storage).hold(vault_url, OURS):
        raise LookupError
    assert blob.get_blob_properties().lease.state == "available"


def test_whoever_was_written_over_before_taking_the_lease_does_not_get_it(
    storage: StorageAccount, blob: BlobClient, vault_url: str
) -> None:
    """Else the blob would name a run that does not hold it. The clock is read between the two requests."""

    def meanwhile() -> float:
        blob.upload_blob(b"", overwrite=True, metadata=THEIRS_SAID)
        return sleepless()

    with pytest.raises(LeaseHeldError) as refused, lease_of(storage, monotonic=meanwhile).hold(vault_url, OURS):
        pass
    assert refused.value.holder == THEIRS
    assert blob.get_blob_properties().lease.state == "available"


def test_a_blob_that_somebody_leased_by_hand_keeps_runs_out(
    storage: StorageAccount, blob: BlobClient, vault_url: str
) -> None:
    blob.set_blob_metadata({"since": "yesterday"})
    by_hand = blob.acquire_lease(-1)
    with pytest.raises(LeaseHeldError) as refused, lease_of(storage).hold(vault_url, OURS):
        pass
    by_hand.release()
    assert refused.value.holder is None
    with lease_of(storage).hold(vault_url, OURS) as held:
        assert held.fault == ""


def test_by_the_clock_a_lease_is_lost_when_it_was_not_renewed_in_time(
    storage: StorageAccount, blob: BlobClient, vault_url: str
) -> None:
    turned = [1000.0]
    with lease_of(storage, monotonic=lambda: turned[0]).hold(vault_url, OURS) as held:
        answers = []
        for turned[0] in (1014.9, 1015.0):
            answers.append(held.is_held())
    assert answers == [True, False]
    assert blob.get_blob_properties().lease.state == "leased", "what is lost is not given back: it may be another's"


def test_a_run_that_lost_its_lease_can_say_to_whom(
    storage: StorageAccount, blob: BlobClient, vault_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with lease_of(storage).hold(vault_url, OURS) as held:
        BlobLeaseClient(blob).break_lease(0)
        blob.upload_blob(b"", overwrite=True, metadata=THEIRS_SAID)
        assert [held.taken_by(), held.taken_by()] == [THEIRS, THEIRS]
        assert held.is_held(), "nobody has told it yet"
    assert "rotation.lease_not_released" in caplog.text


def test_a_lease_that_nobody_took_was_lost_to_nobody(storage: StorageAccount, vault_url: str) -> None:
    with lease_of(storage).hold(vault_url, OURS) as held:
        assert held.taken_by() is None


def test_a_signature_opens_the_account_and_no_log_shows_it(
    storage: StorageAccount, container: ContainerClient, vault_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert container.url
    ends = datetime.now(UTC) + timedelta(hours=1)
    sas = generate_account_sas(ACCOUNT, KEY, resource_types="co", permission="rwc", expiry=ends)
    given = f"BlobEndpoint={storage.blob_service_uri};SharedAccessSignature={sas}"
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="urllib3.connectionpool")  # as `wiring` does
    with BlobLease(partial(by_connection_string, given)).hold(vault_url, OURS) as held:
        assert held.fault == ""
    signature = sas.partition("sig=")[2].partition("&")[0]
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "azure.core" in logged
    assert signature[:12] not in logged
