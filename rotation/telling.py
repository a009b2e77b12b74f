"""How a run is told, in order: that it begins before the first token is touched, and last of all that it has ended.

Around `run`, with the Sink as a port; each step has its bound, so that a sink that hangs delays a run by two seconds
and its end by less than ten. What is told is in `events`, how it travels is left to the sink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from rotation import events
from rotation.crew import Progress
from rotation.events import Event
from rotation.plan import AmbiguousTokenError, RunRequest, UnknownTokenError
from rotation.ports import Issuer, Sink
from rotation.report import RunReport
from rotation.run import EveryVaultLeasedError, Limits, Ports, run

STARTED_SECONDS = 2.0
TOKENS_SECONDS, VERDICT_SECONDS = 4.0, 4.0


class NoSink:
    """The Sink port where there is none: the log is all."""

    @contextmanager
    def run(self, run_id: str) -> Iterator[None]:
        """Nothing."""
        del run_id
        yield

    def traced(self, issuer: Issuer) -> Issuer:
        """The issuer as it is."""
        return issuer

    def send(self, events: Sequence[Event], *, within: float) -> None:
        """Nothing."""


def told_run(
    request: RunRequest,
    ports: Ports,
    limits: Limits,
    sink: Sink,
    *,
    run_id: str,
    now: datetime,
    progress: Progress,
    stopped: Callable[[], bool],
) -> RunReport:
    """Carry out a run and tell it. Raises what `run.run` raises.

    A run that is not carried out, because its leases are held or its names unknown, has its end told too. One that ends
    by a fault of this program has not: it is told as one that was killed.
    """
    begun = RunReport.begun(
        run_id=run_id,
        trigger=request.trigger,
        now=now,
        full=request.full,
        dry_run=request.dry_run,
        vaults=tuple(vault.url for vault in ports.vaults),
    )
    try:
        with sink.run(run_id):
            sink.send(events.started(begun), within=STARTED_SECONDS)
            watched = replace(ports, issuer=sink.traced(ports.issuer))
            report = run(request, watched, limits, run_id=run_id, now=now, progress=progress, stopped=stopped)
    except (EveryVaultLeasedError, UnknownTokenError, AmbiguousTokenError):
        _tell(begun, sink)
        raise
    _tell(report, sink)
    return report


def _tell(report: RunReport, sink: Sink) -> None:
    sink.send(events.tokens(report), within=TOKENS_SECONDS)
    sink.send(events.verdict(report), within=VERDICT_SECONDS)
