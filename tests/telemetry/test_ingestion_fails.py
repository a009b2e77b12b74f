"""Ingestion is down, slow, silent, or refuses: the rotation succeeds and ends in time; one line says what was lost."""

from __future__ import annotations

import logging
import re
import threading
import time

import pytest

from emulators.faults import Answer, Delay, Fault, Hang, Reset
from emulators.functions_host import FunctionsHost
from emulators.serve import listen, url_of
from emulators.world import World
from rotation.outbox import CHUNK
from rotation.ports import Deadline
from rotation.telemetry import IDLE_SECONDS, SPANS_SECONDS
from rotation.telling import PATIENCE, Patience
from tests.effects.job import SOON, Job
from tests.effects.partners import FRESH, Partner, values_of
from tests.telemetry.listed_vault import ListedVault
from tests.telemetry.told import TIMER, names_in_order, telemetry_of, told
from tests.waiting import LONG

IMPATIENT = Patience(started=0.3, tokens=0.3, verdict=0.3)


def lost_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if "telemetry_lost" in message]


def test_the_bounds_end_an_invocation_within_ten_seconds_of_its_work() -> None:
    assert PATIENCE.tokens + PATIENCE.verdict + SPANS_SECONDS + IDLE_SECONDS < 10
    assert PATIENCE.started <= 2


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (Answer(400, body={"itemsReceived": 1, "itemsAccepted": 0, "errors": []}), "HTTP 400"),
        (Answer(402), "HTTP 402"),
        (Answer(429), "HTTP 429"),
        (Answer(439), "HTTP 439"),
        (Answer(500), "HTTP 500"),
        (Answer(200), "HTTP 200"),
        (Answer(200, body=b"<html>not the service</html>"), "HTTP 200"),
        (Answer(307, {"location": "https://login.contoso.example/v2.1/track"}), "HTTP 307"),
        (Reset(), "no answer"),
    ],
    ids=str,
)
def test_whatever_ingestion_answers_the_rotation_succeeds_and_one_line_says_what_was_lost(
    host: FunctionsHost, world: World, partner: Partner, caplog: pytest.LogCaptureFixture, fault: Fault, answer: str
) -> None:
    partner.put("contoso")
    world.monitor.faults.fail_next(fault, times=None)
    with caplog.at_level(logging.WARNING):
        host.fire_timer(TIMER)
    assert len(values_of(partner.vault, "contoso")) == 2
    (line,) = lost_lines(caplog)
    assert line.startswith("rotation.telemetry_lost 3 of 3 events, 2 of 2 spans")
    assert f"(last answer: {answer})" in line
    assert [record.name for record in caplog.records if record.name.startswith("azure.monitor")] == []


def test_ingestion_that_is_down_is_one_line(
    host: FunctionsHost,
    world: World,
    partner: Partner,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = world.monitor.state.instrumentation_key
    partner.put("contoso")
    with listen() as nobody, caplog.at_level(logging.WARNING):
        nowhere = f"InstrumentationKey={key};IngestionEndpoint={url_of(nobody)}/"
        monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", nowhere)
        host.fire_timer(TIMER)
    assert len(values_of(partner.vault, "contoso")) == 2
    assert len(lost_lines(caplog)) == 1


def test_a_hiccup_is_survived(host: FunctionsHost, world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.monitor.faults.fail_next(Answer(503), times=1)
    with caplog.at_level(logging.WARNING):
        host.fire_timer(TIMER)
    assert names_in_order(world) == ["rotation.started", "rotation.run"]
    assert lost_lines(caplog) == []


@pytest.mark.parametrize(
    ("status", "pause"),
    [(429, "60"), (429, "300"), (503, "300"), (503, "Fri, 31 Dec 2100 23:59:59 GMT"), (429, "soon")],
)
def test_a_pause_of_minutes_loses_what_it_was_asked_for_and_nothing_after_it(
    job_of_both: Job, world: World, caplog: pytest.LogCaptureFixture, status: int, pause: str
) -> None:
    world.monitor.faults.fail_next(Answer(status, {"retry-after": pause}), path="/track$")
    with caplog.at_level(logging.WARNING), telemetry_of(world) as sink:
        told(job_of_both, sink, patience=PATIENCE)
    assert names_in_order(world) == ["rotation.run"] * 2
    (line,) = lost_lines(caplog)
    assert line.startswith("rotation.telemetry_lost 2 of 4 events, 0 of 1 spans")


def test_nobody_sleeps_for_ingestion_when_the_run_is_over(job: Job, world: World, partner: Partner) -> None:
    partner.put("contoso")
    world.monitor.faults.fail_next(Answer(429, {"retry-after": "300"}), times=None)
    before = set(threading.enumerate())
    with telemetry_of(world) as sink:
        told(job, sink, patience=PATIENCE)
        outboxes = set(threading.enumerate()) - before
    for thread in outboxes:
        thread.join(5)
    assert [thread.name for thread in outboxes if thread.is_alive()] == []
    assert [request.status for request in world.monitor.log.requests] == [429] * 4  # each once, and the spans


def test_a_pause_of_a_moment_is_kept_and_nothing_is_lost(
    job_of_both: Job, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.monitor.faults.fail_next(Answer(429, {"retry-after": "0.1"}))
    with caplog.at_level(logging.WARNING), telemetry_of(world) as sink:
        told(job_of_both, sink)
    assert names_in_order(world) == ["rotation.started"] * 2 + ["rotation.run"] * 2
    assert lost_lines(caplog) == []


def test_some_items_refused_are_told_as_lost(job_of_both: Job, world: World, caplog: pytest.LogCaptureFixture) -> None:
    some = {"itemsReceived": 2, "itemsAccepted": 1, "errors": [{"index": 0, "statusCode": 400, "message": "no"}]}
    world.monitor.faults.fail_next(Answer(206, body=some, after_effect=True))
    with caplog.at_level(logging.WARNING), telemetry_of(world) as sink:
        told(job_of_both, sink)
    (line,) = lost_lines(caplog)
    assert "2 of 4 events" in line


def test_a_run_whose_tokens_did_not_arrive_still_tells_its_problems_and_its_end(
    job: Job, world: World, partner: Partner
) -> None:
    partner.world.entra.revoke(partner.put("contoso"))
    world.monitor.faults.fail_next(Answer(400), after=1)
    with telemetry_of(world) as sink:
        told(job, sink)
    assert names_in_order(world) == ["rotation.started", "rotation.problem", "rotation.run"]


def test_an_end_never_arrives_without_the_problems_before_it(job: Job, world: World, partner: Partner) -> None:
    """It would say that there were none, and the alerts would close."""
    tags = partner.tags(redeemed=FRESH) | {"client-credential": "secret:missing"}
    vaults = [ListedVault([("contoso", tags)]) for _ in range(CHUNK)]
    for number, vault in enumerate(vaults):
        vault.url = f"https://contoso-{number}.vault.azure.net"
    world.monitor.faults.fail_next(Answer(400), after=1)
    with telemetry_of(world) as sink:
        report = told(job, sink, vaults=vaults)
    assert len(report.problems) == CHUNK
    assert names_in_order(world) == ["rotation.started"] * CHUNK


def test_a_silent_ingestion_delays_neither_the_run_nor_its_end(
    job: Job, world: World, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    partner.put("contoso")
    world.monitor.faults.fail_next(Hang(), times=None)
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING), telemetry_of(world, read_seconds=LONG, spans_seconds=0.1) as sink:
        told(job, sink, patience=IMPATIENT)
    assert time.monotonic() - begun < LONG
    assert len(values_of(partner.vault, "contoso")) == 2
    assert {request.status for request in world.monitor.log.requests} <= {0}
    (line,) = lost_lines(caplog)
    assert line.startswith("rotation.telemetry_lost 3 of 3 events, 2 of 2 spans (last answer: no answer)")


def test_a_silence_about_tokens_does_not_keep_the_end_of_the_run(job: Job, world: World, partner: Partner) -> None:
    partner.put("contoso")
    world.monitor.faults.fail_next(Hang(), after=1)
    with telemetry_of(world, read_seconds=60) as sink:
        told(job, sink, patience=Patience(started=60, tokens=0.1, verdict=60))
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


def test_a_silence_ends_by_itself_and_the_end_of_the_run_still_arrives(job: Job, world: World) -> None:
    world.monitor.faults.fail_next(Hang())
    with telemetry_of(world, read_seconds=SOON) as sink:
        told(job, sink)
    assert names_in_order(world) == ["rotation.run"]


def test_the_beginning_arrives_before_a_vault_is_looked_at(job: Job, world: World) -> None:
    world.monitor.faults.fail_next(Delay(0.3))
    seen: list[list[str]] = []

    class Watched:
        """The vault, which notes what had arrived when it was given its deadline, and so before it was listed."""

        def within(self, _: Deadline) -> Watched:
            seen.append(names_in_order(world))
            return self

        def __getattr__(self, name: str) -> object:
            return getattr(job.vaults[0], name)

    with telemetry_of(world) as sink:
        told(job, sink, vaults=[Watched()])  # type: ignore[list-item]
    assert seen[0] == ["rotation.started"]


def test_a_process_that_ends_does_not_wait_for_an_exporter_that_does(job: Job, world: World) -> None:
    world.monitor.faults.fail_next(Hang())
    with telemetry_of(world, spans_seconds=0) as sink:
        told(job, sink, patience=IMPATIENT)
        assert {thread.daemon for thread in threading.enumerate() if thread.name == "outbox"} == {True}


def test_the_line_says_counts_and_an_answer_and_nothing_of_what_was_lost(
    job: Job, world: World, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    partner.put("contoso", tags=partner.tags(label="Contoso Ltd"))
    world.monitor.faults.fail_next(Answer(400), times=None)
    with caplog.at_level(logging.DEBUG), telemetry_of(world) as sink:
        told(job, sink)
    counts = r"\d+ of \d+ events, \d+ of \d+ spans"
    said = rf"rotation\.telemetry_lost {counts} \(last answer: HTTP 400\); the run is not affected"
    assert re.fullmatch(said, lost_lines(caplog)[0])
    assert "Contoso Ltd" not in caplog.text
