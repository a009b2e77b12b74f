"""How far a run may go: by what started it, and never beyond what the platform grants."""

from __future__ import annotations

import pytest

from rotation.report import Trigger
from rotation.settings import Settings
from rotation.telemetry import IDLE_SECONDS, SPANS_SECONDS
from rotation.telling import PATIENCE
from rotation.token import Thresholds
from rotation.wiring import _limits

HTTP_IS_CUT_AT = 230  # seconds, whatever the function's own time limit: Azure Functions scale and hosting


def settings_of(**more: str) -> Settings:
    return Settings.from_environ({"KEY_VAULT_URLS": "https://contoso-tokens.vault.azure.net", **more})


@pytest.mark.parametrize(
    ("trigger", "start", "finish"), [(Trigger.TIMER, 480, 120), (Trigger.CLI, 480, 120), (Trigger.HTTP, 150, 50)]
)
def test_a_run_has_the_time_of_what_started_it(trigger: Trigger, start: int, finish: int) -> None:
    limits = _limits(settings_of(), trigger)
    assert (limits.start_seconds, limits.finish_seconds) == (start, finish)


@pytest.mark.parametrize(("limit", "timer", "http"), [("10", 10, 10), ("150", 150, 150), ("151", 151, 150)])
def test_the_setting_shortens_every_run_and_lengthens_none(limit: str, timer: int, http: int) -> None:
    settings = settings_of(RUN_TIME_LIMIT_SECONDS=limit)
    assert _limits(settings, Trigger.TIMER).start_seconds == timer
    assert _limits(settings, Trigger.HTTP).start_seconds == http


def test_an_answer_by_http_comes_before_the_platform_cuts_it() -> None:
    limits = _limits(settings_of(), Trigger.HTTP)
    telling = PATIENCE.started + PATIENCE.tokens + PATIENCE.verdict + SPANS_SECONDS + IDLE_SECONDS
    assert limits.start_seconds + limits.finish_seconds <= 200
    assert 200 + telling < HTTP_IS_CUT_AT


def test_the_other_limits_are_the_settings() -> None:
    limits = _limits(settings_of(MAX_CONCURRENCY="3", WRITES_PER_SECOND="1.5", ROTATE_AFTER_DAYS="5"), Trigger.TIMER)
    assert (limits.concurrency, limits.writes_per_second, limits.thresholds) == (3, 1.5, Thresholds(5, 90, 30))
