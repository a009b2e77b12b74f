"""The Sink port over Azure Monitor: events into AppEvents, the run and its redemptions as spans, nothing else.

It uses the exporters of `azure-monitor-opentelemetry` with providers of its own, opened for one run and closed after
it: no provider is set for the process, no log record of any library comes near an exporter, and what becomes of each
request is known (docs/adr/0006-telemetry.md). Imported where telemetry is on, and only there: it takes 0.3 s.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rotation.events import RUN, Event
from rotation.outbox import Gathering, Outbox
from rotation.ports import Issuer
from rotation.spans import EndedSpans, TracedIssuer, ending

_logger = logging.getLogger(__name__)

_SCOPE = InstrumentationScope("rotation")
_RESOURCE = Resource({"service.name": "token-rotation"})  # the role in the application map
_EVENT_NAME = "microsoft.custom_event.name"  # makes a row of AppEvents of a log record
READ_SECONDS = 3.5
SPANS_SECONDS = 1.5
TOKENS_AT_ONCE = 4  # requests; one at a time could not tell 10,000 tokens that fail at once before a run is over
IDLE_SECONDS = 0.2  # until a thread that has nothing to do has ended
_CONNECT_SECONDS = 3
_LONGEST_PAUSE_SECONDS = 1.0

_OFF = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""What the exporters send beside ours if it is let: to Microsoft, and metrics. They are told here and nowhere else."""

_EXPORT: Mapping[str, Any] = {
    "disable_offline_storage": True,  # the next run tells what is still so; what was so must not come back later
    "max_envelopes_per_second": 0,  # no brake: the exporters' own drops what is above it, and reports success
    "timeout": _CONNECT_SECONDS,
}


class _BriefRetry(RetryPolicy[Any, Any]):
    """Sends again at once and after 0.8 s what was answered 500, 503 or 504; what had no answer is not sent twice.

    A pause that the service asks for with Retry-After is kept, for 429 too. But whoever asks for a longer one than a
    second gets no second request: the policy would sleep for all of it, and what comes after would wait behind it.
    """

    def __init__(self) -> None:
        super().__init__(retry_total=2, retry_backoff_factor=0.4, timeout=_CONNECT_SECONDS)

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to send again."""
        return (self.get_retry_after(response) or 0) <= _LONGEST_PAUSE_SECONDS and super().is_retry(settings, response)


class Telemetry:
    """Sends one run's events and spans; use it as a context manager. With a credential it proves who it is.

    `trace_parent` is the invocation's, as W3C Trace Context writes it; without a valid one the run is a root.
    """

    def __init__(
        self,
        connection_string: str,
        credential: TokenCredential | None,
        *,
        trace_parent: str = "",
        read_seconds: float = READ_SECONDS,
        spans_seconds: float = SPANS_SECONDS,
    ) -> None:
        os.environ.update(_OFF)
        logging.getLogger("azure.monitor.opentelemetry").setLevel(logging.CRITICAL)  # it shows what it fails to send
        self._answer = "no answer"
        self._spans_seconds = spans_seconds
        self._options = {
            **_EXPORT,
            "connection_string": connection_string,
            "credential": credential,
            "read_timeout": read_seconds,
            "raw_response_hook": self._answered,
        }
        self._events = self._outbox_of_events()
        self._tokens = Gathering(*(self._outbox_of_events() for _ in range(TOKENS_AT_ONCE)))
        self._spans = Gathering(self._outbox_of_spans())
        provider = TracerProvider(sampler=ALWAYS_ON, resource=_RESOURCE, shutdown_on_exit=False)
        provider.add_span_processor(EndedSpans(self._spans))
        self._tracer = provider.get_tracer(_SCOPE.name)
        self._run_id = ""
        self._context = TraceContextTextMapPropagator().extract({"traceparent": trace_parent}, Context())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def run(self, run_id: str) -> Iterator[None]:
        """The block is one span: a step of the invocation, or else a request of its own."""
        kind = SpanKind.INTERNAL if get_current_span(self._context).get_span_context().is_valid else SpanKind.SERVER
        span = self._tracer.start_span("rotation.run", context=self._context, kind=kind, attributes={"run_id": run_id})
        self._run_id, self._context = run_id, set_span_in_context(span)
        with ending(span):
            yield

    def traced(self, issuer: Issuer) -> Issuer:
        """The same issuer, with a span for each redemption, under the run's."""
        return TracedIssuer(issuer, self._tracer, self._run_id, self._context)

    def send(self, events: Sequence[Event], *, within: float) -> None:
        """Send, in this order, and come back when it is done or so many seconds are over."""
        self._events.send([self._record(event) for event in events], within=within)

    def add(self, events: Sequence[Event]) -> None:
        """Send as the run goes on, by the chunk and in no order, and come back at once."""
        for event in events:
            self._tokens.add(self._record(event))

    def settle(self, *, within: float) -> None:
        """Give what was added so many seconds to arrive, and give up the rest."""
        self._tokens.close(within=within)

    def close(self) -> None:
        """Give the last spans a moment, and say in one line what was lost."""
        self._tokens.close(within=0)  # a run that a fault ended was not settled
        self._spans.close(within=self._spans_seconds)
        self._events.close(within=IDLE_SECONDS)
        lost, sent = self._events.lost + self._tokens.lost, self._events.sent + self._tokens.sent
        if lost or self._spans.lost:
            _logger.warning(
                "rotation.telemetry_lost %d of %d events, %d of %d spans (last answer: %s); the run is not affected",
                lost, sent, self._spans.lost, self._spans.sent, self._answer,
            )  # fmt: skip

    def _outbox_of_events(self) -> Outbox[ReadableLogRecord]:
        exporter = AzureMonitorLogExporter(**self._options, retry_policy=_BriefRetry())
        return Outbox(
            _guarded(lambda records: exporter.export(records) is LogRecordExportResult.SUCCESS),
            ended=exporter.client.close,
            stands_apart=lambda record: record.log_record.body == RUN,  # it says that all before it is there
        )

    def _outbox_of_spans(self) -> Outbox[ReadableSpan]:
        exporter = AzureMonitorTraceExporter(**self._options, retry_policy=_BriefRetry())
        return Outbox(
            _guarded(lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS), ended=exporter.client.close
        )

    def _record(self, event: Event) -> ReadableLogRecord:
        attributes = {_EVENT_NAME: event.name, **event.properties}
        record = LogRecord(
            context=self._context, severity_number=SeverityNumber.INFO, body=event.name, attributes=attributes
        )
        return ReadableLogRecord(record, _RESOURCE, _SCOPE)

    def _answered(self, response: Any) -> None:
        self._answer = f"HTTP {response.http_response.status_code}"


def _guarded[T](export: Callable[[Sequence[T]], bool]) -> Callable[[Sequence[T]], bool]:
    """An export that fails and does not raise, whatever the library does: it has nothing to say to a rotation."""

    def exported(things: Sequence[T]) -> bool:
        try:
            return export(things)
        except Exception:  # noqa: BLE001 - counted and told as lost; its text may hold anything
            return False

    return exported
