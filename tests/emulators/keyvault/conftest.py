"""One vault emulator per test, over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.tls import LoopbackTls
from tests.contracts.emulated_vault import EmulatedVault, emulated_vault


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> LoopbackTls:
    return LoopbackTls.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def vault(tls: LoopbackTls) -> Iterator[EmulatedVault]:
    with emulated_vault(tls) as vault:
        yield vault
