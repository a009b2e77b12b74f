"""Spans of a run: gathered as they end, handed on in chunks; and an issuer whose redemptions each are one.

Names are constant, and attributes are ids: of the run, of the secret, of the app and its tenant, and the reason of a
failure. How spans travel is left to `telemetry`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from rotation.clouds import Cloud
from rotation.outbox import Gathering
from rotation.ports import ClientProofError, Grant, Issuer, Redemption, RedemptionError


class EndedSpans(SpanProcessor):
    """Passes spans on by the chunk while the run goes on, so that a long run does not keep them."""

    def __init__(self, spans: Gathering[ReadableSpan]) -> None:
        self._spans = spans

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span; a full chunk leaves, without anybody waiting for it."""
        self._spans.add(span)


@contextmanager
def ending(span: Span) -> Iterator[None]:
    """End the span with the block, as failed if that raises; the error is not recorded: its text may hold anything."""
    try:
        yield
    except BaseException:
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()


class TracedIssuer:
    """The Issuer port with a span for each redemption."""

    def __init__(self, issuer: Issuer, tracer: Tracer, run_id: str, context: Context) -> None:
        self._issuer = issuer
        self._tracer = tracer
        self._run_id = run_id
        self._context = context

    def authority(self, cloud: Cloud) -> str:
        """The host that redeems for a cloud."""
        return self._issuer.authority(cloud)

    def redeem(self, grant: Grant) -> Redemption:
        """Redeem, and time it."""
        attributes = {
            "run_id": self._run_id,
            "secret_id": grant.secret_id,
            "client_id": grant.client_id,
            "tenant_id": grant.tenant_id,
            "peer.service": self._issuer.authority(grant.cloud),  # the target in the application map
        }
        span = self._tracer.start_span(
            "rotation.redeem", context=self._context, kind=SpanKind.CLIENT, attributes=attributes
        )
        with ending(span):
            try:
                return self._issuer.redeem(grant)
            except (ClientProofError, RedemptionError) as error:
                span.set_attribute("reason", error.reason)
                raise
