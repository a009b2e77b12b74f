"""The log of a worker's process on its way to the host, and the traces that the host makes of it.

The worker listens at the root logger, from INFO on, and sends each record with the invocation that its context names
(azure-functions-python-worker, `proxy_worker/dispatcher.py`). The host drops what belongs to no invocation that goes on
(azure-functions-host, `GrpcWorkerChannel.Log`), what is beneath the level of host.json, and everything from a worker
that announces `WorkerOpenTelemetryEnabled` (`OpenTelemetryConfigurationExtensions`): such a worker exports its own log.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulators.functions_host import protos

OPEN_TELEMETRY = "WorkerOpenTelemetryEnabled"
_OF_THE_SYSTEM = ("azure.functions", "azure_functions_runtime", "proxy_worker")  # goes to the platform's own log
_LEVELS = {"Trace": 0, "Debug": 10, "Information": 20, "Warning": 30, "Error": 40, "Critical": 50, "None": 100}


@dataclass(frozen=True, slots=True)
class Trace:
    """A row of AppTraces: the category that the host gives it, its level, and its text."""

    category: str
    level: int
    message: str


class HostLog:
    """What the host makes of the lines of its worker. Safe to use from any thread."""

    def __init__(self, app_folder: Path) -> None:
        host = app_folder / "host.json"
        settings = json.loads(host.read_text(encoding="utf-8")) if host.exists() else {}
        level = settings.get("logging", {}).get("logLevel", {}).get("default", "Information")
        self._lowest = _LEVELS[level]
        self._lock = threading.Lock()
        self._executing: dict[str, str] = {}
        self._traces: list[Trace] = []
        self.worker_exports_its_own = False

    def begin(self, invocation_id: str, function: str) -> None:
        """An invocation goes on from now."""
        with self._lock:
            self._executing[invocation_id] = function

    def end(self, invocation_id: str) -> None:
        """It is over: a line that comes later is dropped."""
        with self._lock:
            del self._executing[invocation_id]

    def take(self, log: protos.RpcLog) -> None:
        """Keep one line of the worker, or drop it."""
        with self._lock:
            function = self._executing.get(log.invocation_id)
            if function is None or log.is_system or log.level < self._lowest or self.worker_exports_its_own:
                return
            self._traces.append(Trace(f"Function.{function}.User", log.level, log.message))

    def traces(self) -> tuple[Trace, ...]:
        """Everything that was kept, in order."""
        with self._lock:
            return tuple(self._traces)

    def clear(self) -> None:
        """Forget what was kept."""
        with self._lock:
            self._traces.clear()


class WorkerLog(logging.Handler):
    """The worker's end: a handler of the root logger. The levels of a process end with it, and so do these."""

    def __init__(self, invocation_id: Callable[[], str | None], send: Callable[[protos.RpcLog], None]) -> None:
        super().__init__(logging.NOTSET)
        self._invocation_id = invocation_id
        self._send = send
        self._before: dict[str, int] = {}

    def open(self) -> None:
        """Listen."""
        root = logging.getLogger()
        self._before = {name: logging.getLogger(name).level for name in [*root.manager.loggerDict, "root"]}
        root.setLevel(min(root.level, logging.INFO))
        root.addHandler(self)

    def close(self) -> None:
        """Stop listening, and leave every logger as loud as it was."""
        logging.getLogger().removeHandler(self)
        for name in [*logging.getLogger().manager.loggerDict, "root"]:
            logging.getLogger(name).setLevel(self._before.get(name, logging.NOTSET))
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, its traceback included."""
        is_system = record.name.startswith(_OF_THE_SYSTEM)
        self._send(protos.RpcLog(self.format(record), record.levelno, self._invocation_id() or "", is_system))
