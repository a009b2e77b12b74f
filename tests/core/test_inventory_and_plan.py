"""What a run would do, from the lists of emulated vaults through the real adapter."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emulators.faults import Answer
from emulators.world import World
from rotation.asked_for import AmbiguousTokenError, UnknownTokenError
from rotation.outcome import Kind
from rotation.plan import Plan, RunRequest, credential_problems, plan
from rotation.reason import Reason
from rotation.report import Trigger
from rotation.token import timestamp
from rotation.wiring import Application, application
from tests.core.records import DAY, TAGS, THRESHOLDS, failing
from tests.effects.steps import LIST, Steps, WatchedVault

DENIED = Answer(403, body={"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}})


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with World.open(vaults=2) as world:
        yield world


@pytest.fixture
def world(served: World) -> Iterator[World]:
    yield served
    for vault in served.vaults:
        vault.faults.clear()
        for name in vault.state.names():
            vault.state.delete(name)
            vault.state.purge(name)


@pytest.fixture
def app(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    with application(os.environ) as wired:
        yield wired


def now() -> datetime:
    return datetime.now(UTC)


def put(world: World, name: str, *, age: timedelta | None = None, vault: int = 0, **more: str) -> None:
    tags = {**TAGS, **{tag.replace("_", "-"): value for tag, value in more.items()}}
    if age is not None:
        tags["redeemed-at"] = timestamp(now() - age)
    world.vaults[vault].state.put(name, "a-refresh-token", tags=tags)


def put_client_secret(world: World, name: str = "contoso-app", *, expires_in: timedelta = 400 * DAY) -> None:
    world.vault.state.put(name, "a-client-secret", expires_on=now() + expires_in)


def planned(
    app: Application, *names: str, trigger: Trigger = Trigger.TIMER, dry_run: bool = False, list_all: bool = False
) -> Plan:
    request = RunRequest(trigger=trigger, tokens=names, dry_run=dry_run, list_all=list_all)
    return plan(request, app.ports.vaults, defaults=THRESHOLDS, now=now())


def test_only_what_is_due_is_to_be_redeemed_and_of_the_fresh_only_the_number_is_kept(
    world: World, app: Application
) -> None:
    put(world, "old", age=8 * DAY)
    put(world, "fresh", age=DAY)
    put(world, "paused", age=80 * DAY, paused_until="2999-01-01")
    put(world, "wrong", client_id="?")
    world.vault.state.put("not-ours", "x", tags={"managed-by": "somebody"})
    world.vault.state.put("a-certificate", "x", tags=TAGS, managed=True)
    made = planned(app)
    assert [token.name for token in made.due] == ["old"]
    assert {told.name: (told.kind, told.reason) for told in made.told} == {
        "paused": (Kind.SKIPPED, Reason.PAUSED),
        "wrong": (Kind.FAILED, Reason.INVALID_RECORD),
    }
    assert made.counts == {Kind.SKIPPED: 2, Kind.FAILED: 1}


def test_whoever_asks_for_all_hears_of_the_fresh_too(world: World, app: Application) -> None:
    put(world, "fresh", age=DAY)
    assert [told.reason for told in planned(app, list_all=True).told] == [Reason.NOT_DUE]


def test_whoever_names_a_token_hears_of_it_even_when_it_is_fresh(world: World, app: Application) -> None:
    put(world, "fresh", age=DAY)
    put(world, "other", age=DAY)
    assert [(told.name, told.reason) for told in planned(app, "fresh").told] == [("fresh", Reason.NOT_DUE)]


def test_when_the_time_is_over_no_further_candidate_for_lost_tags_is_looked_at(world: World, app: Application) -> None:
    for name in ("one", "two", "three"):
        world.vault.state.put(name, "a-secret-of-somebody")
    world.vault.log.clear()
    request = RunRequest(trigger=Trigger.TIMER)

    made = plan(
        request,
        app.ports.vaults[:1],
        defaults=THRESHOLDS,
        now=now(),
        may_go_on=lambda: world.vault.log.count("versions") < 1,
    )

    assert [fault.reason for fault in made.vault_faults] == [Reason.OUT_OF_TIME]
    assert world.vault.log.count("versions") == 1


def test_a_dry_run_by_hand_does_not_hide_a_failure_that_stands(world: World, app: Application) -> None:
    today = now().date()
    put(world, "failing", last_failure=f"token_revoked;1;{today};{today};some-version")
    (told,) = planned(app, dry_run=True, trigger=Trigger.CLI).told
    assert (told.kind, told.reason) == (Kind.FAILED, Reason.TOKEN_REVOKED)
    assert "would be tried again" in told.message


def test_a_dry_run_says_of_what_it_would_rotate_nothing_that_rotating_ends(world: World, app: Application) -> None:
    put(world, "nearly-dead", age=85 * DAY)
    (told,) = planned(app, dry_run=True).told
    assert (told.kind, told.reason, told.expiry) == (Kind.ROTATED, Reason.DUE, None)


def test_a_dry_run_redeems_nothing_and_says_what_would_be_done(world: World, app: Application) -> None:
    revoked = failing(Reason.TOKEN_REVOKED)
    today = now().date()
    put(world, "old", age=8 * DAY)
    put(world, "failing", last_failure=f"{revoked.reason};1;{today};{today};{revoked.version}")
    made = planned(app, dry_run=True)
    assert made.due == []
    assert {told.name: (told.kind, told.reason) for told in made.told} == {
        "old": (Kind.ROTATED, Reason.DUE),
        "failing": (Kind.FAILED, Reason.TOKEN_REVOKED),
    }
    assert all("would" in told.message for told in made.told)


@pytest.mark.parametrize(
    "asked", ["old", " OLD ", "{url}/secrets/old", "{url}/secrets/Old/0123456789abcdef", "{url}/secrets/old/"]
)
def test_a_token_is_asked_for_by_name_or_by_id_in_any_case(world: World, app: Application, asked: str) -> None:
    put(world, "old", age=8 * DAY)
    put(world, "older", age=9 * DAY)
    assert [token.name for token in planned(app, asked.format(url=world.vault.url)).due] == ["old"]


def test_a_name_that_no_vault_has_is_unknown(world: World, app: Application) -> None:
    put(world, "old", age=8 * DAY)
    world.vault.state.put("not-ours", "x")
    with pytest.raises(UnknownTokenError, match="nobody, not-ours") as unknown:
        planned(app, "nobody", "old", "not-ours")
    assert unknown.value.names == ("nobody", "not-ours")


def test_a_name_that_two_vaults_have_lists_its_candidates(world: World, app: Application) -> None:
    put(world, "old", age=8 * DAY)
    put(world, "old", age=8 * DAY, vault=1)
    with pytest.raises(AmbiguousTokenError) as ambiguous:
        planned(app, "old")
    assert ambiguous.value.candidates == tuple(f"{vault.url}/secrets/old" for vault in world.vaults)
    (token,) = planned(app, f"{world.vaults[1].url}/secrets/old").due
    assert token.vault == world.vaults[1].url


def test_a_name_that_may_be_in_a_vault_that_could_not_be_listed_is_not_unknown(world: World, app: Application) -> None:
    world.vaults[1].faults.fail_next(DENIED, times=None, path="^/secrets$")
    made = planned(app, "nobody")
    assert [(fault.vault, fault.reason) for fault in made.vault_faults] == [(world.vaults[1].url, Reason.VAULT_DENIED)]


def test_one_vault_that_cannot_be_listed_keeps_no_other_from_its_run(world: World, app: Application) -> None:
    world.vault.faults.fail_next(DENIED, times=None, path="^/secrets$")
    put(world, "old", age=8 * DAY)
    put(world, "elsewhere", age=8 * DAY, vault=1)
    assert [token.name for token in planned(app).due] == ["elsewhere"]


def test_vaults_are_listed_beside_each_other_and_told_in_their_order(world: World, app: Application) -> None:
    put(world, "first", age=8 * DAY)
    put(world, "second", age=8 * DAY, vault=1)
    both = threading.Barrier(2, timeout=60)  # one after the other would never meet
    vaults = [WatchedVault(vault, Steps(before={LIST: both.wait})) for vault in app.ports.vaults]

    made = plan(RunRequest(trigger=Trigger.TIMER), vaults, defaults=THRESHOLDS, now=now())

    assert [token.name for token in made.due] == ["first", "second"]


def problems_of_credentials(made: Plan) -> list[tuple[str, str, int]]:
    found = credential_problems(made, now=now(), warn_before_days=30)
    return [(problem.reason, problem.message.partition(" that")[0], problem.tokens) for problem in found]


def test_a_client_credential_is_judged_from_the_list(world: World, app: Application) -> None:
    put_client_secret(world, "well")
    put_client_secret(world, "ending", expires_in=5 * DAY)
    put_client_secret(world, "off")
    world.vault.state.disable("off")
    for number, name in enumerate(["well", "ending", "off", "gone", "gone"]):
        put(world, f"token-{number}", age=DAY, client_credential=f"secret:{name}")
    assert {(reason, tokens) for reason, _, tokens in problems_of_credentials(planned(app))} == {
        (Reason.CLIENT_CREDENTIAL_EXPIRING, 1), (Reason.CLIENT_CREDENTIAL_MISSING, 1),
        (Reason.CLIENT_CREDENTIAL_MISSING, 2),
    }  # fmt: skip


def test_a_client_credential_is_found_in_any_case_as_the_vault_finds_it(world: World, app: Application) -> None:
    put_client_secret(world, "Contoso-App")
    put(world, "a", age=DAY, client_credential="secret:contoso-app")
    put(world, "b", age=DAY, client_credential="secret:CONTOSO-APP")
    made = planned(app)
    assert problems_of_credentials(made) == []
    assert [(credential.tokens, credential.found) for credential in made.credentials] == [(2, True)]


@pytest.fixture
def broken_list(world: World) -> None:
    """Tokens on the first page of a list, and their client secret on the second, which never comes."""
    for number in range(30):
        put(world, f"a-token-{number:02}", age=DAY)
    put_client_secret(world, "contoso-app")
    world.vault.faults.fail_next(DENIED, times=None, path="^/secrets$", after=1)


@pytest.mark.usefixtures("broken_list")
def test_a_list_that_broke_off_does_not_say_that_a_client_credential_is_missing(app: Application) -> None:
    made = planned(app)
    assert len(made.vault_faults) == 1
    assert problems_of_credentials(made) == []


@pytest.mark.usefixtures("broken_list")
def test_the_status_of_a_list_that_broke_off_says_so_and_nothing_of_its_credentials(app: Application) -> None:
    report = app.status(now=now())
    assert [fault.reason for fault in report.vault_faults] == [Reason.VAULT_DENIED]
    assert report.credentials == ()
    assert not report.all_well


def test_the_status_lists_every_managed_token_and_its_client_credential(world: World, app: Application) -> None:
    put_client_secret(world)
    put(world, "old", age=8 * DAY)
    put(world, "wrong", client_id="?")
    report = app.status(now=now())
    assert {token.name: token.health for token in report.tokens} == {"old": None, "wrong": Reason.INVALID_RECORD}
    assert [(str(one.ref), one.found, one.tokens) for one in report.credentials] == [("secret:contoso-app", True, 1)]
