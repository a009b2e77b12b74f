"""How a run is told, in order: that it begins before the first token is touched, and last of all that it has ended.

Around `run`, with the Sink as a port; each step has its bound, so that a sink that hangs delays a run by two seconds
and its end by less than ten. What is told is in `events`, how it travels is left to the sink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from rotation import events
from rotation.asked_for import AmbiguousTokenError, UnknownTokenError
from rotation.crew import Progress
from rotation.plan import RunRequest
from rotation.ports import Sink
from rotation.report import RunReport
from rotation.run import EveryVaultLeasedError, Limits, Ports, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds a run waits for its sink: before it begins, for the last tokens, for the problems and the end.

    Tokens are told while the run goes on, and nothing waits for them until it is over.
    """

    started: float = 2.0
    tokens: float = 4.0
    verdict: float = 4.0


PATIENCE = Patience()


def told_run(
    request: RunRequest,
    ports: Ports,
    limits: Limits,
    *,
    run_id: str,
    now: datetime,
    progress: Progress,
    stopped: Callable[[], bool],
    patience: Patience = PATIENCE,
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
    sink = ports.sink
    try:
        with sink.run(run_id):
            sink.send(events.started(begun), within=patience.started)
            watched = replace(ports, issuer=sink.traced(ports.issuer))
            report = run(
                request,
                watched,
                limits,
                run_id=run_id,
                now=now,
                progress=progress,
                stopped=stopped,
                tell=lambda outcome: sink.add(events.token(begun, outcome)),
            )
    except (EveryVaultLeasedError, UnknownTokenError, AmbiguousTokenError):
        _tell(begun, sink, patience)
        raise
    _tell(report, sink, patience)
    return report


def _tell(report: RunReport, sink: Sink, patience: Patience) -> None:
    """The verdict is sent even when the tokens did not arrive: alerts need no more than that."""
    sink.settle(within=patience.tokens)
    sink.send(events.verdict(report), within=patience.verdict)
