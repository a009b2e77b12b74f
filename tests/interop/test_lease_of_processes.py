"""One run for one vault, among real processes over a storage account that nobody here wrote.

What takes the fifteen seconds of a lease to show is played at once, each in a world of its own, and asserted after.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobLeaseClient

from emulators.faults import Delay
from emulators.functions_host import FunctionsHost
from rotation.blob_lease import LEASE_SECONDS
from tests.effects.partners import values_of
from tests.interop.leased_world import Ended, LeasedWorld, Pausing, ended
from tests.interop.storage_account import StorageAccount
from tests.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
TOKENS = ("token-000", "token-001", "token-002")


@pytest.fixture
def leased(storage: StorageAccount) -> Iterator[LeasedWorld]:
    """A world whose settings are those of this process too, for as long as its file of trusted authorities is there."""
    with LeasedWorld.open(storage) as opened, pytest.MonkeyPatch.context() as environment:
        for name, value in opened.environment().items():
            environment.setenv(name, value)
        yield opened


def test_a_second_process_is_refused_and_told_who_holds_the_lease_and_since_when(leased: LeasedWorld) -> None:
    leased.partner.put("contoso")
    with leased.holder():
        blob = leased.blob()
        refused = leased.rotate()
        with FunctionsHost.start(CHECKOUT) as host:
            answer = host.invoke_http("rotate", "POST")
    assert blob is not None
    run_id, since = blob.metadata["run_id"], blob.metadata["since"][:19] + "Z"
    assert (refused.code, refused.stdout) == (4, "")
    assert f"another run ({run_id}, by cli, since {since}) is under way" in refused.stderr
    assert (answer.status, answer.headers["retry-after"]) == (409, "30")
    document = json.loads(answer.body)
    assert (document["run_id"], document["door"], document["since"]) == (run_id, "cli", since)
    assert len(values_of(leased.world.vault, "contoso")) == 1


def test_of_processes_that_start_together_one_runs_and_the_others_name_it(leased: LeasedWorld) -> None:
    leased.partner.put("contoso")
    leased.world.vault.faults.fail_next(Delay(3), times=None)
    processes = [leased.start("rotate", "--json") for _ in range(3)]
    wait_until(lambda: sum(process.poll() is not None for process in processes) == 2)
    leased.world.vault.faults.clear()
    ends = [ended(process) for process in processes]
    (won,) = [end for end in ends if end.code == 0]
    lost = [end for end in ends if end.code == 4]
    assert len(lost) == 2
    assert all(json.loads(won.stdout)["run_id"] in end.stderr for end in lost)
    assert len(values_of(leased.world.vault, "contoso")) == 2


def test_a_run_that_has_ended_leaves_nothing_to_wait_for(leased: LeasedWorld) -> None:
    leased.partner.put("contoso")
    assert [leased.rotate().code for _ in range(2)] == [0, 0]
    assert not leased.is_leased()


def test_a_status_and_a_dry_run_take_no_lease(leased: LeasedWorld) -> None:
    leased.partner.put("contoso")
    assert leased.rotate("--dry-run").code == 0
    assert ended(leased.start("status")).code == 0
    assert leased.blob() is None


@pytest.mark.parametrize("by_client_id", [True, False], ids=["an identity of its own", "the job's identity"])
def test_an_identity_opens_the_storage_account_as_well_as_a_key(leased: LeasedWorld, *, by_client_id: bool) -> None:
    leased.partner.put("contoso")
    named = {"credential": "managedidentity", "clientId": leased.world.job.client_id} if by_client_id else {}
    settings = {f"AzureWebJobsStorage__{name}": value for name, value in named.items()}
    settings |= {"AzureWebJobsStorage": "", "AzureWebJobsStorage__blobServiceUri": leased.storage.blob_service_uri}
    run = leased.rotate(**settings)
    blob = leased.blob()
    assert (run.code, run.stderr) == (0, "")
    assert blob is not None
    assert blob.metadata["run_id"] == json.loads(run.stdout)["run_id"]


# ---- what takes as long as a lease


@dataclass(frozen=True, slots=True)
class Killed:
    """A holder that was killed, and what the next runs got."""

    holder: str
    at_once: Ended
    later: Ended


@dataclass(frozen=True, slots=True)
class Paused:
    """A holder that was paused until others had taken over; redemptions before it woke up, and in all."""

    others: tuple[Ended, ...]
    holder: Ended
    redeemed: tuple[int, int]
    again: Ended


def killed(leased: LeasedWorld) -> Killed:
    leased.partner.put("contoso")
    ready = leased.ready()
    with leased.holder() as process:
        blob = leased.blob()
        process.kill()
        process.wait()
    at_once = ended(ready, "go\n")
    wait_until(lambda: not leased.is_leased())
    return Killed(blob.metadata["run_id"] if blob else "", at_once, leased.rotate())


def paused(leased: LeasedWorld, *, reads: int, redeemed: int, forced: int) -> Paused:
    """Paused while it waits for the answer to a read of a token, after so many reads and redemptions.

    Another run takes over, and after it so many that are `forced`.
    """
    leased.partner.put_some(len(TOKENS))
    pausing = Pausing()
    leased.world.vault.faults.fail_next(pausing.fault, method="GET", path="/secrets/token-", after=reads)
    process = leased.start("rotate", "--json", MAX_CONCURRENCY="1")
    pausing.started(process)
    wait_until(lambda: pausing.fault in leased.world.vault.faults.met and not leased.world.under_way)
    before = leased.world.entra_log.count("redeem")
    assert before == redeemed
    others = (_once_it_is_free(leased), *(leased.rotate("--force") for _ in range(forced)))
    taken_over = leased.world.entra_log.count("redeem")
    process.send_signal(signal.SIGCONT)
    woken = ended(process)
    redemptions = (taken_over, leased.world.entra_log.count("redeem"))
    return Paused(others, woken, redemptions, leased.rotate("--force"))


def _once_it_is_free(leased: LeasedWorld) -> Ended:
    wait_until(lambda: not leased.is_leased())
    return leased.rotate()


def paused_before_it_stores(leased: LeasedWorld) -> Paused:
    return paused(leased, reads=1, redeemed=1, forced=0)


def paused_before_it_stores_and_two_take_over(leased: LeasedWorld) -> Paused:
    return paused(leased, reads=1, redeemed=1, forced=1)


def paused_before_it_redeems(leased: LeasedWorld) -> Paused:
    return paused(leased, reads=0, redeemed=0, forced=0)


def longer(leased: LeasedWorld) -> tuple[Ended, Ended]:
    """A run that takes longer than a lease lasts, and one that tries after that time."""
    leased.partner.put_some(4)
    leased.world.entra_faults.fail_next(Delay(LEASE_SECONDS / 2 + 2), method="POST", times=4, path="/token$")
    process = leased.start("rotate", "--json", MAX_CONCURRENCY="1")
    wait_until(lambda: leased.world.entra_log.count("redeem") == 3)  # two take longer than a lease, and two are left
    refused = leased.rotate()
    return refused, ended(process)


def broken(leased: LeasedWorld) -> Ended:
    """Somebody breaks the lease while a run holds it."""
    leased.partner.put_some(len(TOKENS))
    leased.world.entra_faults.fail_next(Delay(LEASE_SECONDS - 4), method="POST", path="/token$")  # three renewals
    process = leased.start("rotate", "--json", MAX_CONCURRENCY="1")
    wait_until(leased.is_leased)
    with leased.client() as client:
        BlobLeaseClient(client).break_lease(0)
    return ended(process)


type Played = dict[str, Future[Any]]

STORIES: dict[str, Callable[[LeasedWorld], Any]] = {
    story.__name__: story
    for story in (
        killed,
        paused_before_it_stores,
        paused_before_it_stores_and_two_take_over,
        paused_before_it_redeems,
        longer,
        broken,
    )
}


@pytest.fixture(scope="module", autouse=True)
def played(storage: StorageAccount, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    def play(story: Callable[[LeasedWorld], Any]) -> Any:
        with LeasedWorld.open(storage) as leased:
            return story(leased)

    authority_file = tmp_path_factory.mktemp("trusted") / "authorities.pem"
    storage.trusted_in(authority_file)
    with pytest.MonkeyPatch.context() as environment, ThreadPoolExecutor(len(STORIES)) as pool:
        environment.setenv("REQUESTS_CA_BUNDLE", str(authority_file))
        yield {name: pool.submit(play, story) for name, story in STORIES.items()}


def outcomes(end: Ended) -> list[tuple[str, str]]:
    """Outcome and reason of every token that a run told of."""
    return sorted((token["outcome"], token["reason"]) for token in json.loads(end.stdout)["tokens"])


def said(end: Ended) -> set[str]:
    """What a run said of the tokens that it left to the next one."""
    told = json.loads(end.stdout)["tokens"]
    return {token["message"] for token in told if token["outcome"] == "deferred"}


def lost_to(end: Ended) -> str:
    """What a run says that lost its lease to this one."""
    run = json.loads(end.stdout)
    other = f"{run['run_id']}, by cli, since {run['started_at'][:19]}Z"
    return f"this run lost the lease of the vault to another run ({other}); the next run goes on from here"


def counts(end: Ended) -> dict[str, int]:
    told: dict[str, int] = json.loads(end.stdout)["counts"]
    return {kind: count for kind, count in told.items() if count}


def test_a_holder_that_was_killed_keeps_others_out_for_the_rest_of_its_lease_and_no_longer(played: Played) -> None:
    story: Killed = played["killed"].result()
    assert story.at_once.code == 4
    assert story.holder in story.at_once.stderr
    assert (story.later.code, counts(story.later)) == (0, {"rotated": 1})


def test_a_paused_holder_that_wakes_up_before_it_stores_loses_nothing_and_starts_no_further_token(
    played: Played,
) -> None:
    story: Paused = played["paused_before_it_stores"].result()
    assert [(other.code, counts(other)) for other in story.others] == [(0, {"rotated": 3})]
    assert outcomes(story.holder) == [("deferred", "lease_held"), ("deferred", "lease_held"), ("rotated", "due")]
    assert story.redeemed == (4, 4)
    assert said(story.holder) == {lost_to(story.others[0])}
    assert "rotation.lease_lost" in story.holder.stderr
    assert (story.again.code, counts(story.again)) == (0, {"rotated": 3}), "every current version is redeemable"


def test_a_paused_holder_that_wakes_up_after_two_others_takes_neither_for_an_operator(played: Played) -> None:
    """The second of them has disabled the version that the holder had read."""
    story: Paused = played["paused_before_it_stores_and_two_take_over"].result()
    assert [(other.code, counts(other)) for other in story.others] == [(0, {"rotated": 3})] * 2
    assert outcomes(story.holder) == [("deferred", "lease_held"), ("deferred", "lease_held"), ("rotated", "due")]
    assert "concurrent_write" in {problem["reason"] for problem in json.loads(story.holder.stdout)["problems"]}
    assert story.redeemed == (7, 7)
    assert (story.again.code, counts(story.again)) == (0, {"rotated": 3}), "every current version is enabled and alive"


def test_a_paused_holder_that_wakes_up_before_it_redeems_redeems_nothing(played: Played) -> None:
    story: Paused = played["paused_before_it_redeems"].result()
    assert (story.holder.code, outcomes(story.holder)) == (1, [("deferred", "lease_held")] * 3)
    assert said(story.holder) == {lost_to(story.others[0])}
    assert story.redeemed == (3, 3)
    assert (story.again.code, counts(story.again)) == (0, {"rotated": 3})


def test_a_run_that_takes_longer_than_a_lease_keeps_it(played: Played) -> None:
    refused, run = played["longer"].result()
    assert refused.code == 4
    assert (run.code, run.stderr, counts(run)) == (0, "", {"rotated": 4})


def test_a_run_whose_lease_was_broken_stores_what_it_redeemed_and_starts_nothing_more(played: Played) -> None:
    run: Ended = played["broken"].result()
    assert (run.code, counts(run)) == (1, {"rotated": 1, "deferred": 2})
    assert outcomes(run) == [("deferred", "lease_held")] * 2 + [("rotated", "due")]
    assert "the storage account answered 409" in run.stderr
    assert "taken by nobody yet" in run.stderr
    assert said(run) == {
        "this run lost the lease of the vault, so that another may have it; the next run goes on from here"
    }
