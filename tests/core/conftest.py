"""How hypothesis runs here: a slow machine fails no test, and no example is remembered."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "core", deadline=None, database=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("core")
