"""A miniature Functions host over the real `azure-functions-runtime`: the host is ours, the worker is Microsoft's own.

Indexing, bindings and invocation are the runtime's. What Azure's host does, is done here as far as timers and HTTP need
it: it reads the bindings, fires a timer when it is told to, matches routes, asks for the function key and takes the
worker's log. It keeps no schedule, scales nothing and enforces no `functionTimeout`.
"""

from __future__ import annotations

from emulators.functions_host.function_info import FunctionInfo, SettingMissing
from emulators.functions_host.host import FunctionsHost, InvocationFailed
from emulators.functions_host.http import HttpAnswer
from emulators.functions_host.worker import IndexingFailed
from emulators.functions_host.worker_log import Trace

__all__ = [
    "FunctionInfo", "FunctionsHost", "HttpAnswer", "IndexingFailed", "InvocationFailed", "SettingMissing", "Trace",
]  # fmt: skip
