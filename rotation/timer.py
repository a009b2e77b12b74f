"""The timer's door: a full run, told to the log. Fails only when the run itself could not be carried out.

A token's failure is a problem of the report and not a failed invocation: one cause, one alarm.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rotation.plan import RunRequest
from rotation.report import RunReport, Trigger, problem_to_json
from rotation.run import EveryVaultLeasedError
from rotation.settings import SettingsError
from rotation.wiring import application

_logger = logging.getLogger(__name__)


class RunFailedError(Exception):
    """The run could not be carried out, by a fault of this program."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in a line. A log record's argument: a handler in the same process can ask it for the whole report."""

    report: RunReport

    def __str__(self) -> str:
        counts = {str(kind): count for kind, count in self.report.counts.items()}
        return json.dumps({"run_id": self.report.run_id, "status": self.report.status, "counts": counts})


def rotate(
    environ: Mapping[str, str], *, now: datetime, past_due: bool = False, trace_parent: str = ""
) -> RunReport | None:
    """Carry out a full run and log it; None when another run is under way in every vault.

    `trace_parent` is the invocation's, as W3C Trace Context writes it: telemetry goes under it.
    Raises SettingsError when the settings cannot be used: the invocation fails, and the log says every fault.
    Raises RunFailedError, which says no more than its kind, for a fault of this program.
    """
    if past_due:
        _logger.warning("rotation.past_due")
    try:
        with application(environ) as app:
            report = app.rotate(RunRequest(trigger=Trigger.TIMER), now=now, trace_parent=trace_parent)
    except SettingsError:
        raise
    except EveryVaultLeasedError as busy:
        _logger.warning("rotation.lease_held %s", busy)
        return None
    except Exception as fault:  # noqa: BLE001 - the host would log it with its text, which may hold anything
        raise RunFailedError(f"a fault of this program ({type(fault).__name__}): please report it") from None
    _tell(report)
    return report


def _tell(report: RunReport) -> None:
    for problem in report.problems:
        _logger.warning("rotation.problem %s", json.dumps(problem_to_json(problem)))
    _logger.info("rotation.run %s", Summary(report))
