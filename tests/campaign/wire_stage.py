"""The stage of a schedule over the wire: tokens under care, whoever acts, what is planned, and what must hold after.

What holds whatever happens is in `invariants`; here is what else follows from the requests that a disturbed run made
and from what it told. Drawing schedules is left to `wire_schedules`, running them to `wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from emulators.faults import Answer, Fault, Meanwhile
from emulators.world import JOB_ACTIONS, TENANT_ID
from rotation.clouds import Cloud
from rotation.outcome import Kind, Outcome
from rotation.ports import Grant, Issuer, Redemption, RedemptionError
from rotation.reason import Reason
from rotation.report import RunReport
from tests.campaign import invariants, operators
from tests.campaign.invariants import REPEATED, SILENT, Violation
from tests.campaign.ledger import Ledger
from tests.campaign.moments import REQUESTS, settle
from tests.campaign.operators import Operators
from tests.campaign.wire_schedules import ACTS, DENIED, QUOTA_EATEN, RESTORED, Event, Schedule
from tests.effects.job import Job
from tests.effects.leases import LosableLease
from tests.effects.partners import CLIENT_SECRET, CREDENTIAL, DUE, Partner

_CREATES_EATEN = 5


@dataclass(frozen=True, slots=True)
class CountingIssuer:
    """An issuer that counts how often no answer came, whatever was the reason."""

    issuer: Issuer
    unanswered: list[RedemptionError] = field(default_factory=list)

    def redeem(self, grant: Grant) -> Redemption:
        try:
            return self.issuer.redeem(grant)
        except RedemptionError as error:
            if not error.answered:
                self.unanswered.append(error)
            raise

    def authority(self, cloud: Cloud) -> str:
        return self.issuer.authority(cloud)


@dataclass(slots=True)
class Stage:
    """One world with tokens under care, the product, and everybody who acts in a schedule.

    `job` is how the product runs while everything happens: it does not wait for an answer for long.
    """

    job: Job
    issuer: CountingIssuer
    names: tuple[str, ...]
    operators: Operators
    ledger: Ledger
    runs: int
    planned: list[tuple[Event, Fault]] = field(default_factory=list)

    @classmethod
    def set_up(cls, job: Job, what: Schedule) -> Stage:
        world = job.cloud
        world.empty()
        ledger = Ledger(secrets={CLIENT_SECRET})
        others = Operators(
            vault=world.vault.state,
            entra=world.entra,
            tenant_id=TENANT_ID,
            client_id=Partner.new(world).client_id,
            client_credential=f"secret:{CREDENTIAL}",
            ledger=ledger,
            later=lambda: world.age(timedelta(seconds=2)),
        )
        names = tuple(f"token-{number}" for number in range(what.tokens))
        for name in names:
            others.begin(name, tags={"label": "Contoso"}, content_type="text/plain")
        world.age(DUE)
        for name in names:
            others.re_consent(name)
            ledger.tokens[name].acts.clear()  # from here on they say who acted in the schedule
        world.age(DUE)
        stage = cls(job, CountingIssuer(job.issuer), names, others, ledger, runs=1 + what.overlapped)
        for event in what.events:
            stage.plan(event)
        return stage

    def plan(self, event: Event) -> None:
        """Put an event in the way of its request."""
        fault = Meanwhile(self._act(event), event.after_effect) if event.what in ACTS else event.fault()
        self.planned.append((event, fault))
        name = self.names[event.token]
        REQUESTS[event.request].meet(self.job.cloud, fault, name=name, number=event.token, times=event.times)

    def _act(self, event: Event) -> Callable[[], None]:
        name, vault = self.names[event.token], self.job.cloud.vault

        def act() -> None:
            if event.what == DENIED:
                vault.access.deny(self.job.cloud.job.object_id, [JOB_ACTIONS[event.token]])
            elif event.what == QUOTA_EATEN:
                vault.faults.fail_next(Answer(429), times=_CREATES_EATEN, method="PUT")
            elif event.what == RESTORED:
                self.operators.delete(name)
                self.operators.restore(name)
            else:
                operators.ACTS[event.what](self.operators, name)

        return act

    def disturbed(self, what: Schedule) -> list[RunReport]:
        """The run, or both at once, while everything happens that was planned."""
        job = replace(self.job, lease=LosableLease(), issuer=self.issuer)
        job = job.with_limits(concurrency=what.workers, start_seconds=30, finish_seconds=20)
        with ThreadPoolExecutor(self.runs) as pool:
            reports = list(pool.map(lambda _: job.run(), range(self.runs)))
        settle(self.job.cloud)
        return reports

    def clear(self) -> None:
        """Nothing fails any more, the job has its rights again, and nobody waits for a second run."""
        for faults in (self.job.cloud.vault.faults, self.job.cloud.entra_faults):
            faults.clear()
        self.job.cloud.vault.access.grant(self.job.cloud.job.object_id, JOB_ACTIONS)

    def met(self) -> tuple[Event, ...]:
        """The events that came to pass, each as often as it did."""
        faults = self._faults_met()
        return tuple(event for event, planned in self.planned for fault in faults if fault is planned)

    def _faults_met(self) -> tuple[Fault, ...]:
        return self.job.cloud.vault.faults.met + self.job.cloud.entra_faults.met

    def after_disturbance(self, reports: Sequence[RunReport], met: Sequence[Event]) -> Iterator[Violation]:
        """What no fault and no act excuses."""
        cloud = self.job.cloud
        yield from self._kept()
        unanswered = len(self.issuer.unanswered)
        if (redeemed := cloud.entra_log.count("redeem")) > self.runs * len(self.names) + unanswered:
            yield Violation(REPEATED, "", f"{redeemed} redemptions, of which {unanswered} got no answer")
        if self.runs == 1:
            yield from self._unlooked()
        for name, meant in self.ledger.tokens.items():
            outcomes = [each for report in reports for each in report.tokens if each.name == name]
            if not all(report.vault_faults for report in reports) and not (outcomes or meant.acts):
                yield Violation(SILENT, name, "no run told an outcome of it")
            if self.runs == 1 and not meant.acts and not self._is_true(name, outcomes, met):
                yield Violation(SILENT, name, f"{[str(each.kind) for each in outcomes]} is not what happened")
            if meant.acts and not any(_settled(each) for each in outcomes):
                meant.overwritten |= {"tags", "enabled", "consent"}  # nobody looked who had acted meanwhile
            if meant.acts and self.runs > 1:
                meant.overwritten |= {"tags", "enabled"}  # each run follows the version that it read, not the other's

    def _kept(self) -> Iterator[Violation]:
        """What holds at any moment; but two runs at once may put back each other's token: stored twice, and alive."""
        for each in invariants.kept(self.job.cloud.vault.state, self.job.cloud.entra, self.ledger):
            if self.runs == 1 or each.promise != REPEATED:
                yield each

    def _unlooked(self) -> Iterator[Violation]:
        """Before each store the run reads the current version once more: it may hold what somebody wrote meanwhile."""
        for name in self.names:
            reads, stores = 0, 0
            for request in self.job.cloud.vault.log.requests:
                if request.path.split("/")[2:3] == [name]:
                    reads += request.kind == "read"
                    stores += request.kind == "store"
                    if stores >= max(reads, 1):
                        yield Violation(REPEATED, name, f"store {stores} came after {reads} reads")

    def _is_true(self, name: str, outcomes: Sequence[Outcome], met: Sequence[Event]) -> bool:
        """Whether what was told agrees with what the vault holds, for a token that nobody else touched."""
        stored = self.job.cloud.vault.state.current(name).value != self.ledger.tokens[name].consents[-1]
        told = {each.kind for each in outcomes}
        if Kind.ROTATED in told or not told:
            return stored or not told
        lost = any(event.request == "redeem" and event.after_effect for event in met) or self.issuer.unanswered
        return Kind.STRANDED in told or bool(lost) or self._issued(name) == 1

    def _issued(self, name: str) -> int:
        """How many refresh tokens the issuer has given for the last consent, the first one included."""
        grants = self.job.cloud.entra._grants
        sign_in = grants.find(self.ledger.tokens[name].consents[-1]).sign_in
        return sum(issued.sign_in is sign_in for issued in grants._tokens.values())

    def after_quiet(self, report: RunReport) -> Iterator[Violation]:
        """What a run that nothing disturbed leaves and tells."""
        vault, entra = self.job.cloud.vault.state, self.job.cloud.entra
        self.ledger.secrets.update(v.value for name in self.names for v in vault.versions(name))
        if lost := list(self._kept()):
            yield from lost
            return
        yield from invariants.settled(vault, entra, self.ledger)
        yield from invariants.tidy(vault, report)
        yield from invariants.told(report, vault, entra, self.ledger)


def _settled(outcome: Outcome) -> bool:
    """Whether the run looked after everybody who may have acted while it stored."""
    return outcome.kind in (Kind.ROTATED, Kind.SKIPPED) and Reason.DISABLE_FAILED not in outcome.warnings
