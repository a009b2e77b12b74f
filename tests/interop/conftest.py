"""One certificate authority for all that is served here, and one storage account for all that take a lease."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.tls import LoopbackTls
from tests.interop.storage_account import StorageAccount, storage_account


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> LoopbackTls:
    return LoopbackTls.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageAccount]:
    with storage_account(tmp_path_factory.mktemp("storage")) as running:
        yield running
