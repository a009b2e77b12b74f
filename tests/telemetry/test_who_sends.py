"""As whom telemetry is sent, to an Application Insights that takes no key for an answer."""

from __future__ import annotations

import uuid

import pytest

from emulators.world import TENANT_ID, World
from rotation.settings import Settings
from tests.doors.command import rotation
from tests.telemetry.told import names_in_order

AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"


def test_the_job_itself(world: World) -> None:
    rotation("rotate")
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


def test_another_managed_identity_that_the_settings_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = world.entra.add_managed_identity(TENANT_ID, str(uuid.uuid4()))
    world.identities.assign(publisher)
    world.monitor.state.deny(world.job.object_id)
    world.monitor.state.grant(publisher.object_id)
    monkeypatch.setenv(AUTHENTICATION, f"ClientId={publisher.client_id};Authorization=AAD")
    rotation("rotate")
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


def test_nobody_where_a_key_is_enough(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.monitor.state.local_authentication = True
    monkeypatch.delenv(AUTHENTICATION)
    rotation("rotate")
    assert names_in_order(world) == ["rotation.started", "rotation.run"]


@pytest.mark.parametrize(("says_who", "answer"), [(True, "HTTP 403"), (False, "HTTP 401")])
def test_a_sender_without_the_role_or_without_a_name_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, *, says_who: bool, answer: str
) -> None:
    world.monitor.state.deny(world.job.object_id)
    if not says_who:
        monkeypatch.delenv(AUTHENTICATION)
    result = rotation("rotate")
    assert result.exit_code == 0
    assert answer in result.stderr
    assert names_in_order(world) == []


def test_the_settings_that_world_gives_are_settings(world: World) -> None:
    target = Settings.from_environ(world.environment()).telemetry
    assert target is not None
    assert target.authentication is not None
