"""Microsoft's Functions runtime in an event loop of its own. Leaves what a request means to `host`.

The runtime is a set of coroutines over the state of its own modules, and it imports `function_app` by name. A second
application in one process therefore needs fresh copies: both are imported anew for every worker.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import sys
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType, SimpleNamespace

from emulators.functions_host import protos
from emulators.functions_host.worker_log import OPEN_TELEMETRY, HostLog, WorkerLog

_RUNTIME = "azure_functions_runtime"
_APPLICATION = "function_app"
_importing = threading.Lock()


class IndexingFailed(Exception):
    """The folder holds no application that the runtime can index; the text is the runtime's."""


class Worker:
    """One application, indexed by the runtime and ready to be invoked, several invocations at a time."""

    def __init__(self, app_folder: Path) -> None:
        """Import and index `function_app.py` of the folder.

        Raises IndexingFailed with the runtime's own words.
        """
        self._folder = str(app_folder.resolve())
        self.log = HostLog(app_folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="functions-worker", daemon=True)
        self._thread.start()
        with _importing:
            self._runtime = self._import_runtime()
            self._handler = WorkerLog(self._runtime.invocation_id_cv.get, self.log.take)
            self._handler.open()
            try:
                self.functions = asyncio.run_coroutine_threadsafe(self._index(), self._loop).result()
            except BaseException:
                self._release()
                raise
        self._names = {function.function_id: function.name for function in self.functions}

    def invoke(self, function_id: str, values: Sequence[protos.ParameterBinding]) -> Future[protos.InvocationResponse]:
        """Start one invocation; a function that raises is an answer too, never an exception of this future."""
        trace = protos.RpcTraceContext(f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
        request = protos.InvocationRequest(str(uuid.uuid4()), function_id, values, trace)
        self.log.begin(request.invocation_id, self._names[function_id])
        answer: Future[protos.InvocationResponse] = asyncio.run_coroutine_threadsafe(
            self._runtime.invocation_request(_envelope(invocation_request=request)), self._loop
        )
        answer.add_done_callback(lambda _: self.log.end(request.invocation_id))
        return answer

    def stop(self) -> None:
        """Wait for the functions that still run, then let go of the thread, the folder and the modules."""
        with _importing:
            self._release()

    def _import_runtime(self) -> ModuleType:
        _forget_modules()
        importlib.invalidate_caches()
        sys.path.insert(0, self._folder)
        return importlib.import_module(_RUNTIME)

    async def _index(self) -> Sequence[protos.RpcFunctionMetadata]:
        self._runtime.start_threadpool_executor()  # without it, functions would share the loop's own executor
        request = protos.WorkerInitRequest(self._folder)
        started: protos.WorkerInitResponse = await self._runtime.worker_init_request(
            _envelope(worker_init_request=request)
        )
        if started.result.exception is not None:
            raise IndexingFailed(started.result.exception.message)
        self.log.worker_exports_its_own = OPEN_TELEMETRY in started.capabilities
        found: protos.FunctionMetadataResponse = await self._runtime.functions_metadata_request(_envelope())
        if not found.function_metadata_results:
            raise IndexingFailed(f"there is no {_APPLICATION}.py with a function in it")
        return found.function_metadata_results

    def _release(self) -> None:
        asyncio.run_coroutine_threadsafe(_drained(), self._loop).result()
        self._runtime.stop_threadpool_executor()
        self._handler.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        sys.path.remove(self._folder)
        _forget_modules()


async def _drained() -> None:
    """Return when every invocation has been answered: a loop that stops earlier leaves callers waiting for ever."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)


def _envelope(**request: object) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**request), properties={"protos": protos, "host": "127.0.0.1"})


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in (_RUNTIME, _APPLICATION)]:
        del sys.modules[name]
