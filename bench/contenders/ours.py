"""The product, wired as in production, by nothing but its settings."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from rotation.plan import RunRequest
from rotation.report import Trigger
from rotation.wiring import application


def rotate() -> dict[str, int]:
    """One run of the timer."""
    with application(os.environ) as app:
        report = app.rotate(RunRequest(trigger=Trigger.TIMER), now=datetime.now(UTC))
    return {str(kind): count for kind, count in report.counts.items()}
