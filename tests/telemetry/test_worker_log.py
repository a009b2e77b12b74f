"""What the job logs in a function app reaches AppTraces, and of what the libraries log no more than the warnings."""

from __future__ import annotations

import logging
from contextvars import ContextVar, copy_context
from datetime import timedelta

import pytest

from emulators.faults import Answer
from emulators.functions_host import FunctionsHost
from emulators.world import World
from rotation import worker_log
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.effects.steps import READ, Steps, watched
from tests.telemetry.told import TIMER

INVOCATION = ContextVar("invocation", default="")


def traces(host: FunctionsHost) -> list[str]:
    """The first word of each."""
    return [trace.message.partition(" ")[0] for trace in host.log.traces()]


def test_the_lines_of_a_run_arrive_and_no_request_of_any_library(
    host: FunctionsHost, world: World, partner: Partner
) -> None:
    partner.world.entra.revoke(partner.put("contoso"))
    partner.put("fabrikam")
    host.fire_timer(TIMER)  # after which nothing is said for the first time
    host.log.clear()
    world.age(timedelta(minutes=1))  # what is written in the second of another's write is told to be in doubt
    partner.put("fabrikam")
    host.fire_timer(TIMER)
    assert world.vault.log.counts()
    assert traces(host) == ["rotation.problem", "rotation.run"]


def test_the_line_that_telemetry_was_lost_arrives(host: FunctionsHost, world: World) -> None:
    world.monitor.faults.fail_next(Answer(400), times=None)
    host.log.clear()
    host.fire_timer(TIMER)
    assert traces(host).count("rotation.telemetry_lost") == 1


def test_a_fault_in_a_thread_of_a_run_is_ascribed_to_the_invocation(partner: Partner, job: Job) -> None:
    ascribed: dict[str, str] = {}

    class Records(logging.Handler):
        """The worker's way: which invocation it was is asked of the context."""

        def emit(self, record: logging.LogRecord) -> None:
            ascribed[record.getMessage().partition(" ")[0]] = INVOCATION.get()

    def break_down() -> None:
        raise LookupError

    partner.put("contoso")
    logger, records = logging.getLogger("rotation"), Records()
    logger.addHandler(records)
    invocation = copy_context()
    invocation.run(INVOCATION.set, "an invocation")
    invocation.run(watched(job, Steps(after={READ: break_down})).run)
    logger.removeHandler(records)
    assert ascribed == {"rotation.fault": "an invocation"}


@pytest.mark.parametrize(
    ("root", "ours", "theirs"),
    [(logging.INFO, logging.INFO, logging.WARNING), (logging.DEBUG, logging.DEBUG, logging.DEBUG)],
    ids=["as the worker sets it", "with PYTHON_ENABLE_DEBUG_LOGGING"],
)
def test_who_may_say_how_much(caplog: pytest.LogCaptureFixture, root: int, ours: int, theirs: int) -> None:
    for name in ("rotation", "azure.functions"):
        caplog.set_level(logging.NOTSET, logger=name)
    caplog.set_level(root)
    worker_log.set_levels()
    levels = {name: logging.getLogger(name).getEffectiveLevel() for name in ("rotation.timer", "azure.functions")}
    assert set(levels.values()) == {ours}
    assert logging.getLogger("azure.core.pipeline.policies.http_logging_policy").getEffectiveLevel() == theirs
