"""The lease and the job's own token in the campaign: the product and the real SDKs over one blob and one issuer."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from rotation.blob_lease import LEASE_SECONDS
from rotation.outcome import Kind
from rotation.ports import HeldLease, LeaseHeldError, LeaseHolder
from rotation.reason import Reason
from tests.campaign.cloud import LEASE_BROKEN, Cloud
from tests.campaign.faults import Fault, ProcessStopped
from tests.campaign.gate import STOPS, Armed, Gate, Tally
from tests.campaign.journal import ACQUIRE, AFTER, BEFORE, HOLDER, IDENTITY, LIST, READ, REDEEM, RELEASE, RENEW
from tests.campaign.play import Play
from tests.campaign.state_requests import StateLease
from tests.campaign.story import FOR_GOOD, Break, Meanwhile, Run, Stop

VAULT = "https://vault.loopback.example"


class Runs:
    """Runs of one cloud that want its lease, one process each."""

    def __init__(self) -> None:
        self.cloud = Cloud(())
        self.tally = Tally()

    def holding(self, run: int, *armed: Armed) -> AbstractContextManager[HeldLease]:
        gate = Gate(self.cloud.clock, self.cloud.journal, self.tally, armed=list(armed))
        lease = StateLease(self.cloud.lease, gate, run=run, clock=self.cloud.clock)
        return lease.hold(f"{VAULT}/{run}", LeaseHolder(f"run-{run}", "timer", self.cloud.clock.now()))

    def kinds(self, run: int) -> list[str]:
        return [request.kind for request in self.cloud.journal.requests(run)]


@pytest.fixture
def runs() -> Runs:
    return Runs()


def lost(what: Fault | str, moment: str, kind: str, times: int = 1) -> Armed:
    return Armed(kind=kind, moment=moment, what=what, times=times)


def test_a_lease_is_written_taken_renewed_as_time_passes_and_given_back(runs: Runs) -> None:
    with runs.holding(0) as held:
        runs.cloud.clock.turn(LEASE_SECONDS + 1)
        assert held.is_held()
    assert runs.kinds(0) == [HOLDER] * 3 + [ACQUIRE, RENEW, RENEW, RENEW, RELEASE], "the first run makes the container"
    assert not runs.cloud.lease.is_leased


def test_a_second_run_is_refused_and_told_who_holds_it(runs: Runs) -> None:
    with runs.holding(0), pytest.raises(LeaseHeldError) as refused:
        runs.holding(1).__enter__()
    assert refused.value.holder is not None
    assert refused.value.holder.run_id == "run-0"


def test_a_process_that_stops_gives_nothing_back_and_its_lease_ends_by_itself(runs: Runs) -> None:
    with pytest.raises(ProcessStopped), runs.holding(0, lost(STOPS, BEFORE, RENEW)):
        runs.cloud.clock.turn(LEASE_SECONDS)
    assert runs.cloud.lease.is_leased
    assert RELEASE not in runs.kinds(0)
    runs.cloud.clock.turn(LEASE_SECONDS)
    with runs.holding(1) as held:
        assert (held.is_held(), held.fault) == (True, "")


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_a_lease_that_cannot_be_renewed_is_lost_in_time(runs: Runs, moment: str) -> None:
    with runs.holding(0, lost(Fault.RESET, moment, RENEW, FOR_GOOD)) as held:
        runs.cloud.clock.turn(LEASE_SECONDS)
        assert not held.is_held()
        assert held.taken_by() is None


def test_a_lease_that_somebody_broke_is_lost_at_the_next_renewal(runs: Runs) -> None:
    with runs.holding(0) as held:
        runs.cloud.lease.break_lease()
        with runs.holding(1):
            runs.cloud.clock.turn(LEASE_SECONDS / 3 + 1)
            assert not held.is_held()
            taker = held.taken_by()
    assert taker is not None
    assert taker.run_id == "run-1"


def test_a_run_whose_lease_is_broken_finishes_one_token_and_leaves_the_other() -> None:
    playing = Play(("due", "due"))
    (report,) = playing.run(Run((Meanwhile(LEASE_BROKEN, READ), Break(REDEEM, Fault.SLOW))))
    assert report is not None
    assert sorted((told.kind, told.reason) for told in report.tokens) == [
        (Kind.DEFERRED, Reason.LEASE_HELD),
        (Kind.ROTATED, Reason.DUE),
    ]


@pytest.mark.parametrize("kind", [HOLDER, ACQUIRE])
def test_without_the_storage_account_a_run_goes_on_and_says_so(kind: str) -> None:
    (report,) = Play(("due",)).run(Run((Break(kind, Fault.ERROR, times=FOR_GOOD),)))
    assert report is not None
    assert (report.counts, [problem.reason for problem in report.problems]) == (
        {Kind.ROTATED: 1},
        [Reason.LEASE_UNAVAILABLE],
    )


def test_without_a_token_of_its_own_a_run_says_that_it_may_not_look() -> None:
    (report,) = Play(("due",)).run(Run((Break(IDENTITY, Fault.RESET, times=FOR_GOOD),)))
    assert report is not None
    assert not report.complete
    (fault,) = report.vault_faults
    assert (fault.reason, "the job's own identity got no token" in fault.message) == (Reason.VAULT_DENIED, True)


def test_a_process_that_stops_asks_for_nothing_more() -> None:
    playing = Play(("due",))
    playing.run(Run((Stop(LIST),)))
    assert [request.kind for request in playing.cloud.journal.requests(0)][-1] == LIST
