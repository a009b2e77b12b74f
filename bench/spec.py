"""What a world of the benchmark holds, and how slow its services are. Filling and serving it is left to `site`."""

from __future__ import annotations

from dataclasses import dataclass

APP_SECRET = "partner-app-secret"
"""The secret in each vault that holds the app's client secret."""

CREATES, WINDOW_SECONDS = 300, 10
"""Azure Key Vault service limits: creates of secrets in a vault and region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSpec:
    """A world: its tokens, spread evenly over its vaults, and whether a vault keeps to its limit of creates.

    With `settled` every due token has a version before its current one, as from the second rotation on: that one is
    disabled by the next, which is one request more. With `telemetry` there is Azure Monitor to tell it to, as in
    production; nobody but the product does.
    """

    due: int = 0
    fresh: int = 0
    vaults: int = 1
    limited: bool = False
    settled: bool = False
    telemetry: bool = False
    issuer_seconds: float = 0.150
    vault_seconds: float = 0.020

    @property
    def tokens(self) -> int:
        """All tokens that a run has to look at."""
        return self.due + self.fresh
