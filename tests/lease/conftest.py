"""The doors' world: two empty vaults, whose settings are this process's environment."""

from __future__ import annotations

from tests.doors.conftest import opened, world

__all__ = ["opened", "world"]
