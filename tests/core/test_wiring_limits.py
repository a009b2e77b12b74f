"""How far a run may go: by what started it, and never beyond what the platform grants."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from rotation import blob_lease, keyvault, token_endpoint
from rotation.report import Trigger
from rotation.settings import Settings
from rotation.telemetry import IDLE_SECONDS, SPANS_SECONDS
from rotation.telling import PATIENCE
from rotation.token import Thresholds
from rotation.wiring import _limits

CHECKOUT = Path(__file__).resolve().parents[2]
HTTP_IS_CUT_AT = 230  # seconds, whatever the function's own time limit: Azure Functions scale and hosting


def settings_of(**more: str) -> Settings:
    return Settings.from_environ({"KEY_VAULT_URLS": "https://contoso-tokens.vault.azure.net", **more})


@pytest.mark.parametrize(
    ("trigger", "start", "finish"), [(Trigger.TIMER, 480, 120), (Trigger.CLI, 480, 120), (Trigger.HTTP, 110, 50)]
)
def test_a_run_has_the_time_of_what_started_it(trigger: Trigger, start: int, finish: int) -> None:
    limits = _limits(settings_of(), trigger)
    assert (limits.start_seconds, limits.finish_seconds) == (start, finish)


@pytest.mark.parametrize(("limit", "timer", "http"), [("10", 10, 10), ("110", 110, 110), ("111", 111, 110)])
def test_the_setting_shortens_every_run_and_lengthens_none(limit: str, timer: int, http: int) -> None:
    settings = settings_of(RUN_TIME_LIMIT_SECONDS=limit)
    assert _limits(settings, Trigger.TIMER).start_seconds == timer
    assert _limits(settings, Trigger.HTTP).start_seconds == http


def longest(trigger: Trigger) -> float:
    """What a run takes when everything around it falls silent at its worst moment; `test_last_moment` holds it to it.

    A request may take the time to connect, once more to agree on TLS, and the time to be answered. Just before the
    last deadline a look may begin, and after it one more store. The job's own token is there by then: the list took it.
    """
    limits = _limits(settings_of(), trigger)
    redeeming = 2 * token_endpoint.CONNECT_SECONDS + token_endpoint.READ_SECONDS
    looking = storing = 2 * keyvault.CONNECT_SECONDS + keyvault.READ_SECONDS
    leases = blob_lease.END_SECONDS + 2 * blob_lease.CONNECT_SECONDS + blob_lease.READ_SECONDS
    telling = PATIENCE.started + PATIENCE.tokens + PATIENCE.verdict + SPANS_SECONDS + IDLE_SECONDS
    assert redeeming <= limits.finish_seconds, "what is redeemed at the last moment has no time to be stored"
    return limits.start_seconds + limits.finish_seconds + looking + storing + leases + telling


def test_an_answer_by_http_comes_before_the_platform_cuts_it() -> None:
    assert longest(Trigger.HTTP) < HTTP_IS_CUT_AT - 5  # for the way there and back


def test_the_readme_says_how_long_it_may_take() -> None:
    told = f"It ends within {math.ceil(longest(Trigger.HTTP))} seconds"
    assert told in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_a_timers_run_ends_before_the_host_stops_it() -> None:
    host = json.loads((CHECKOUT / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert longest(Trigger.TIMER) < (hours * 60 + minutes) * 60 + seconds


def test_the_other_limits_are_the_settings() -> None:
    limits = _limits(settings_of(MAX_CONCURRENCY="3", WRITES_PER_SECOND="1.5", ROTATE_AFTER_DAYS="5"), Trigger.TIMER)
    assert (limits.concurrency, limits.writes_per_second, limits.thresholds) == (3, 1.5, Thresholds(5, 90, 30))
