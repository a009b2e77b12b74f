"""The doors' world: two empty vaults, whose settings are this process's environment."""

from __future__ import annotations

import logging

import pytest

from tests.doors.conftest import opened, world

__all__ = ["opened", "world"]


@pytest.fixture(autouse=True)
def levels_as_they_were(caplog: pytest.LogCaptureFixture) -> None:
    """After each test: the product quietens a logger of the process when it is given a key or a SAS."""
    caplog.set_level(logging.DEBUG, logger="urllib3.connectionpool")
