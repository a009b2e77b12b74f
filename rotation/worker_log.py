"""What a function app's log takes, and so the table AppTraces: our lines, and of everybody else's the warnings.

The Functions worker listens at the root logger from INFO on, and the host keeps every line: one for each request of
the Azure libraries alone. What stands in our lines is left to whoever writes them.
"""

from __future__ import annotations

import logging

_OF_THE_WORKER = "azure.functions"  # it goes to the platform, and never to AppTraces


def set_levels() -> None:
    """Set the levels of the process, unless somebody asked the worker for more (`PYTHON_ENABLE_DEBUG_LOGGING`)."""
    root = logging.getLogger()
    if root.level == logging.INFO:
        root.setLevel(logging.WARNING)
        for name in ("rotation", _OF_THE_WORKER):
            logging.getLogger(name).setLevel(logging.INFO)
