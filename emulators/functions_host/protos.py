"""The messages between host and worker, as far as timers and HTTP need them. Knows nothing of who sends them.

In Azure they are protocol buffers over gRPC (azure-functions-language-worker-protobuf, FunctionRpc.proto). The runtime
only reads and writes attributes, so this module itself is what it is given as `protos`. Cookies are not carried.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ClassVar


class BindingInfo(SimpleNamespace):
    """One binding; the numbers are the directions of FunctionRpc.proto, which `azure.functions` uses too."""

    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2


class WorkerMetadata(SimpleNamespace):
    """Who the worker says it is; the host only logs it."""


class RpcRetryOptions(SimpleNamespace):
    """A function's retry policy."""


@dataclass(frozen=True, slots=True)
class RpcException:
    """An exception of the worker: the name of its type, a colon, its text; and its traceback."""

    message: str = ""
    stack_trace: str = ""


@dataclass(frozen=True, slots=True)
class StatusResult:
    """How a request to the worker went."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1

    status: int
    exception: RpcException | None = None


@dataclass(frozen=True, slots=True)
class RpcHttp:
    """An HTTP request on its way to the worker, or the answer on its way back."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: TypedData | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status_code: str = ""
    cookies: Sequence[object] | None = None
    enable_content_negotiation: bool = False


@dataclass(frozen=True, slots=True)
class TypedData:
    """One value of one of the types that cross; the others are None."""

    string: str | None = None
    json: str | None = None
    bytes: builtins.bytes | None = None
    int: builtins.int | None = None
    double: float | None = None
    http: RpcHttp | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 (protocol buffers name it so)
        """The name of the field that is set."""
        return next((name for name in self.__slots__ if getattr(self, name) is not None), None)


@dataclass(frozen=True, slots=True)
class ParameterBinding:
    """The value of one parameter of a function."""

    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 (protocol buffers name it so)
        """The name of the field that is set; shared memory is not used here."""
        return "data"


@dataclass(frozen=True, slots=True)
class WorkerInitRequest:
    """Start in this folder."""

    function_app_directory: str
    capabilities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerInitResponse:
    """Whether the folder could be indexed."""

    result: StatusResult
    capabilities: Mapping[str, str]
    worker_metadata: WorkerMetadata


@dataclass(frozen=True, slots=True)
class RpcFunctionMetadata:
    """One function; `raw_bindings` are what the host goes by, each a JSON object in a string."""

    name: str
    function_id: str
    raw_bindings: Sequence[str]
    directory: str
    script_file: str
    entry_point: str
    language: str
    is_proxy: bool
    managed_dependency_enabled: bool
    bindings: Mapping[str, BindingInfo]
    retry_options: RpcRetryOptions | None
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FunctionMetadataResponse:
    """The functions of the folder; None when it holds no `function_app.py`."""

    function_metadata_results: Sequence[RpcFunctionMetadata] | None
    use_default_metadata_indexing: bool
    result: StatusResult


@dataclass(frozen=True, slots=True)
class RpcLog:
    """One line of the worker's log, at a level of Python's; of which invocation, if its context says so."""

    message: str
    level: int
    invocation_id: str
    is_system: bool


@dataclass(frozen=True, slots=True)
class RpcTraceContext:
    """The W3C trace context that the host hands to an invocation."""

    trace_parent: str
    trace_state: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryContext:
    """Which attempt this is, under a function's retry policy."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException = field(default_factory=RpcException)


@dataclass(frozen=True, slots=True)
class InvocationRequest:
    """Call this function with these values."""

    invocation_id: str
    function_id: str
    input_data: Sequence[ParameterBinding]
    trace_context: RpcTraceContext
    trigger_metadata: Mapping[str, TypedData] = field(default_factory=dict)
    retry_context: RetryContext = field(default_factory=RetryContext)


@dataclass(frozen=True, slots=True)
class InvocationResponse:
    """What the function answered, or the exception that it ended with."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: Sequence[ParameterBinding] = ()
