"""No refresh token, access token, client secret, key, assertion or cookie is said in any place, whatever happens."""

from __future__ import annotations

import pytest

from emulators.functions_host import FunctionsHost, InvocationFailed
from tests.canary.conftest import Bugged
from tests.canary.places import Said
from tests.canary.scenarios import ECHO, SCENARIOS
from tests.diagnosis.corpora import KEPT_SECRET
from tests.doors.command import rotation
from tests.effects.partners import Partner


def through_every_door(host: FunctionsHost, said: Said) -> None:
    """The timer, HTTP, and the command line: a run, and the status."""
    try:
        host.fire_timer("rotate_on_schedule")
    except InvocationFailed as failed:
        said.add_raised(failed)
    for answer in (host.invoke_http("rotate", "POST"), host.invoke_http("status")):
        said.add("http", answer.body.decode(), str(dict(answer.headers)))
    for arguments in (("rotate", "--all"), ("rotate", "--json"), ("status",), ("status", "--json")):
        result = rotation(*arguments)
        said.add("cli", result.stdout, result.stderr)


def assert_silent(bugged: Bugged, said: Said) -> None:
    bugged.overheard.note([ECHO, KEPT_SECRET])
    canaries = bugged.canaries()
    assert len(canaries) > 10
    shown = {place: canaries.shown_in(said.text_of(place)) for place in said.by_place}
    assert not any(shown.values()), {place: hits[:3] for place, hits in shown.items() if hits}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_through_every_door(bugged: Bugged, host: FunctionsHost, partner: Partner, said: Said, scenario: str) -> None:
    SCENARIOS[scenario](partner)

    planned = bugged.world.entra_faults.unspent
    through_every_door(host, said)
    assert len(set(map(id, bugged.world.entra_faults.met))) == planned
    said.add("telemetry", *bugged.world.monitor.state.rows("AppEvents"))
    said.add("telemetry", *bugged.world.monitor.state.rows("AppDependencies"))

    assert {"telemetry", "log", "http", "cli"} <= set(said.by_place)
    assert_silent(bugged, said)
