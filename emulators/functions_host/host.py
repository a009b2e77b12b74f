"""The host: an application folder whose timers can be fired and whose HTTP functions can be called or served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from emulators.functions_host import protos
from emulators.functions_host.admin import AdminApp
from emulators.functions_host.function_info import HTTP, TIMER, FunctionInfo
from emulators.functions_host.http import HttpAnswer, HttpApp, body_of
from emulators.functions_host.worker import Worker


class InvocationFailed(Exception):
    """A function ended with an exception: the name of its type and its text, as the runtime reports them."""

    def __init__(self, function: str, reported: protos.RpcException) -> None:
        self.function = function
        self.exception_type, _, self.text = reported.message.partition(": ")
        super().__init__(f"{function} failed: {reported.message}")


class FunctionsHost:
    """An application folder, indexed and running; stop it when done, or use it as a context manager.

    `log` has the traces that the host makes of what the application logs.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.log = worker.log
        self.functions: tuple[FunctionInfo, ...] = tuple(FunctionInfo.read(each) for each in worker.functions)

    @classmethod
    def start(cls, app_folder: Path) -> Self:
        """Index the `function_app.py` of a folder; its functions read the environment of this process.

        Raises IndexingFailed with the runtime's own words.
        """
        return cls(Worker(app_folder))

    def function(self, name: str) -> FunctionInfo:
        """One function by name; raises KeyError when there is none."""
        return {function.name: function for function in self.functions}[name]

    def fire_timer(self, name: str, *, past_due: bool = False) -> None:
        """Fire a timer now and wait for it to end; `past_due` is how Azure catches up on a missed occurrence.

        Raises InvocationFailed when the function does, and ValueError for a function that is not a timer.
        """
        answer = self._start_timer(name, past_due=past_due).result()
        if answer.result.exception is not None:
            raise InvocationFailed(name, answer.result.exception)

    def invoke_http(
        self,
        name: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Call an HTTP function, past routing and keys, and wait for its answer.

        Raises ValueError for a function that is not an HTTP one.
        """
        function = self._triggered(name, HTTP)
        url = f"https://127.0.0.1/api/{function.route}"
        request = protos.RpcHttp(method=method, url=url, headers=headers or {}, body=body_of(body), query=query or {})
        return HttpAnswer.of(self._start_http(function, request).result())

    def http_app(self, function_key: str) -> HttpApp:
        """An ASGI application that serves the HTTP functions under `/api/`, to be served while the host runs."""
        served = [function for function in self.functions if function.type == HTTP]
        return HttpApp(served, self._start_http, function_key=function_key)

    def admin_app(self, master_key: str) -> AdminApp:
        """An ASGI application that starts timers on demand, to be served while the host runs."""
        timers = [function.name for function in self.functions if function.type == TIMER]
        return AdminApp(timers, self._start_timer, master_key=master_key)

    def stop(self) -> None:
        """Wait for the functions that still run, then let go of the thread, the folder and the modules."""
        self._worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _triggered(self, name: str, trigger: str) -> FunctionInfo:
        function = self.function(name)
        if function.type != trigger:
            raise ValueError(f"{name} has a {function.type}, not a {trigger}")
        return function

    def _start_timer(self, name: str, *, past_due: bool = False) -> Future[protos.InvocationResponse]:
        timer = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": past_due}
        return self._invoke(self._triggered(name, TIMER), protos.TypedData(json=json.dumps(timer)))

    def _start_http(self, function: FunctionInfo, request: protos.RpcHttp) -> Future[protos.InvocationResponse]:
        return self._invoke(function, protos.TypedData(http=request))

    def _invoke(self, function: FunctionInfo, value: protos.TypedData) -> Future[protos.InvocationResponse]:
        return self._worker.invoke(function.function_id, [protos.ParameterBinding(function.arg_name, value)])
