"""One certificate authority for all that is served here."""

from __future__ import annotations

import pytest

from emulators.tls import LoopbackTls


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> LoopbackTls:
    return LoopbackTls.create(tmp_path_factory.mktemp("tls"))
