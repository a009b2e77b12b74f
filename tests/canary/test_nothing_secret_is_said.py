"""No refresh token, access token, client secret, key, assertion or cookie is said in any place, whatever happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulators.functions_host import FunctionsHost, InvocationFailed
from tests.canary.blob_service import ACCOUNT_KEY, SIGNATURE, by_key, by_sas
from tests.canary.conftest import Bugged
from tests.canary.places import Said
from tests.canary.scenarios import ANSWERS, ECHO, SCENARIOS, rotated
from tests.diagnosis.corpora import KEPT_SECRET
from tests.doors.command import rotation
from tests.effects.partners import Partner


def through_every_door(bugged: Bugged, host: FunctionsHost, said: Said) -> None:
    """The timer, HTTP, and the command line: a run, and the status; and what Azure Monitor has then."""
    try:
        host.fire_timer("rotate_on_schedule")
    except InvocationFailed as failed:
        said.add_raised(failed)
    for answer in (host.invoke_http("rotate", "POST"), host.invoke_http("status")):
        said.add("http", answer.body.decode(), str(dict(answer.headers)))
    for arguments in (("rotate", "--all"), ("rotate", "--json"), ("status",), ("status", "--json")):
        result = rotation(*arguments)
        said.add("cli", result.stdout, result.stderr)
    said.add("traces", *host.log.traces())
    said.add("telemetry", *bugged.told())


def shown(bugged: Bugged, said: Said) -> dict[str, list[str]]:
    """What is shown of a secret, by the place where it is."""
    bugged.overheard.note([ECHO, KEPT_SECRET, ACCOUNT_KEY, SIGNATURE])
    canaries = bugged.canaries()
    assert len(canaries) > 10
    found = {place: canaries.shown_in(said.text_of(place)) for place in said.by_place}
    return {place: hits[:3] for place, hits in found.items() if hits}


def assert_silent(bugged: Bugged, said: Said) -> None:
    assert shown(bugged, said) == {}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_through_every_door(bugged: Bugged, host: FunctionsHost, partner: Partner, said: Said, scenario: str) -> None:
    SCENARIOS[scenario](partner)

    planned = bugged.world.entra_faults.unspent
    through_every_door(bugged, host, said)
    assert len(set(map(id, bugged.world.entra_faults.met))) == planned

    assert {"telemetry", "traces", "log", "http", "cli"} <= set(said.by_place)
    assert_silent(bugged, said)


@pytest.mark.parametrize("connection", [by_key, by_sas])
@pytest.mark.parametrize("answer", ANSWERS)
def test_with_a_storage_account_that_answers_so(
    bugged: Bugged,
    host: FunctionsHost,
    partner: Partner,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    connection: Callable[[str], str],
) -> None:
    """The first run is given its lease, and the answer as it gives it back; the others the answer alone."""
    monkeypatch.setenv("AzureWebJobsStorage", connection(bugged.storage_url))
    bugged.storage_faults.fail_next(ANSWERS[answer], times=None, after=2)
    rotated(partner)

    through_every_door(bugged, host, said)

    assert len(bugged.storage_faults.met) > 1
    assert_silent(bugged, said)
