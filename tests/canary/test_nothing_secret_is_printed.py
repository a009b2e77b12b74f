"""No value of ours shows a secret when it is printed, at any step of a rotation: a debugger or a log may get any."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from rotation.ports import SecretVersion
from rotation.secret_value import ClientSecret
from rotation.token import ManagedToken
from rotation.wiring import application
from tests.canary.conftest import Bugged
from tests.canary.places import Said
from tests.canary.test_nothing_secret_is_raised import job
from tests.canary.test_nothing_secret_is_said import assert_silent
from tests.effects.job import Job
from tests.effects.partners import Partner
from tests.effects.steps import READ, REDEEM, STORE, VERSIONS, Act, ProcessStopped, Steps, watched

__all__ = ["job"]


def ours() -> Iterator[object]:
    """Every living object of a type that this product defines."""
    for each in gc.get_objects():
        kind = type(each)
        if str(kind.__module__).startswith("rotation"):
            yield each


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [READ, REDEEM, STORE, VERSIONS])
def test_at_a_step(bugged: Bugged, partner: Partner, job: Job, said: Said, step: str, moment: str) -> None:
    partner.put("contoso")
    seen: list[object] = []

    look: dict[str, Act] = {step: lambda: seen.extend(ours())}

    watched(job, Steps(before=look) if moment == "before" else Steps(after=look)).run()

    said.add("repr", *seen)
    needed = {ManagedToken} if step == READ else {ManagedToken, SecretVersion, ClientSecret}
    assert needed <= {type(each) for each in seen}
    assert_silent(bugged, said)


@pytest.mark.parametrize("number", range(6))
def test_where_the_process_stops(bugged: Bugged, partner: Partner, job: Job, said: Said, number: int) -> None:
    """Our own frames, from the port's call up to the door, hold nothing that a traceback with locals would show."""
    partner.put("contoso")

    with pytest.raises(ProcessStopped) as stopped:
        watched(job, Steps(dies_at=(number, "after"))).run()

    said.add_raised(stopped.value)
    assert "in rotate" in said.text_of("traceback") or number == 0
    assert_silent(bugged, said)


def test_the_settings_and_the_wiring(bugged: Bugged, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "the client secret of the job itself: canary")
    bugged.overheard.note(["the client secret of the job itself: canary"])

    with application(os.environ) as app:
        said.add("repr", app, app.settings, app.settings.identity, app.ports)

    assert_silent(bugged, said)
