"""`vault`: the emulator, or with `VAULT_URL` the vault there (`make interop VAULT_URL=https://...`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulators.tls import LoopbackTls
from tests.contracts.emulated_vault import emulated_vault
from tests.contracts.vault_under_test import VaultUnderTest, vault_at


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultUnderTest]:
    url = os.environ.get("VAULT_URL")
    with vault_at(url) if url else _emulator(tmp_path_factory) as vault:
        yield vault


@pytest.fixture
def vault(opened: VaultUnderTest) -> Iterator[VaultUnderTest]:
    own = VaultUnderTest(opened.client, opened.verify)
    yield own
    own.remove_all()


@contextmanager
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultUnderTest]:
    tls = LoopbackTls.create(tmp_path_factory.mktemp("tls"))
    with emulated_vault(tls) as vault, vault.client() as client:
        yield VaultUnderTest(client, verify=vault.authority_file)
