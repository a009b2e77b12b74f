"""Azure Monitor's ingestion endpoint and the tables of a workspace-based Application Insights that it fills."""

from __future__ import annotations

from emulators.monitor.app import AUDIENCE, monitor_app
from emulators.monitor.state import MonitorState

__all__ = ["AUDIENCE", "MonitorState", "monitor_app"]
