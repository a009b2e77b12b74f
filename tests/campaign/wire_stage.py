"""The stage of a schedule over the wire: tokens under care, whoever acts, what is planned, and what must hold after.

What holds whatever happens is in `invariants`, how a run behaves in `conduct`; here is what else follows from what a
disturbed run sent. Drawing schedules is left to `wire_schedules`, running them to `wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from emulators.faults import Answer, Fault, Meanwhile
from emulators.world import JOB_ACTIONS, TENANT_ID
from rotation.ports import Issuer
from rotation.report import RunReport
from tests.campaign import conduct, invariants, operators
from tests.campaign.invariants import REPEATED, SILENT, Violation
from tests.campaign.journal import REDEEM, Request
from tests.campaign.ledger import Ledger
from tests.campaign.moments import REQUESTS, settle
from tests.campaign.operators import Operators
from tests.campaign.wire_journal import JournalIssuer, JournalVault, WireJournal
from tests.campaign.wire_schedules import ACTS, DENIED, QUOTA_EATEN, RESTORED, SECONDS, Event, Schedule
from tests.effects.job import Job, issuer_in
from tests.effects.leases import LosableLease
from tests.effects.partners import CLIENT_SECRET, CREDENTIAL, DUE, Partner

_CREATES_EATEN = 5


@dataclass(slots=True)
class Stage:
    """One world with tokens under care, the product, and everybody who acts in a schedule.

    `job` is how the product runs while everything happens: it does not wait for an answer for long.
    """

    job: Job
    names: tuple[str, ...]
    operators: Operators
    ledger: Ledger
    runs: int
    noted: WireJournal
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
        stage = cls(job, names, others, ledger, runs=1 + what.overlapped, noted=WireJournal())
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
        name, vault, others = self.names[event.token], self.job.cloud.vault, self._observed(event)

        def act() -> None:
            if event.what == DENIED:
                vault.access.deny(self.job.cloud.job.object_id, [JOB_ACTIONS[event.token]])
            elif event.what == QUOTA_EATEN:
                vault.faults.fail_next(Answer(429), times=_CREATES_EATEN, method="PUT")
            elif event.what == RESTORED:
                others.delete(name)
                others.restore(name)
            else:
                operators.ACTS[event.what](others, name)

        return act

    def _observed(self, event: Event) -> Operators:
        """The operators, whose acts at this event are noted."""
        observe = partial(self.noted.acted, at=event.request, after_effect=event.after_effect)
        return replace(self.operators, observe=observe)

    def disturbed(self, what: Schedule) -> list[RunReport]:
        """The run, or both at once, while everything happens that was planned."""
        with ThreadPoolExecutor(self.runs) as pool, ExitStack() as stack:
            issuers = [stack.enter_context(issuer_in(self.job.cloud, read_seconds=SECONDS)) for _ in range(self.runs)]
            jobs = [self._noted(what, number, issuer) for number, issuer in enumerate(issuers)]
            reports = list(pool.map(Job.run, jobs))
        settle(self.job.cloud)
        return reports

    def _noted(self, what: Schedule, number: int, issuer: Issuer) -> Job:
        (wired,) = self.job.vaults
        vault = JournalVault(wired, self.noted, number)
        job = replace(self.job, lease=LosableLease(), vaults=[vault], issuer=JournalIssuer(issuer, vault))
        return job.with_limits(concurrency=what.workers, start_seconds=30, finish_seconds=20)

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

    def after_disturbance(self, reports: Sequence[RunReport]) -> Iterator[Violation]:
        """What no fault and no act excuses."""
        journal = self.noted.looked_up(self.job.cloud.vault.state)
        for number, report in enumerate(reports):
            conduct.note_what_may_be_overwritten(journal, number, report, self.ledger)
        yield from self._kept()
        unanswered = sum(
            isinstance(each, Request) and each.kind == REDEEM and not each.answered for each in journal.events
        )
        if (redeemed := self.job.cloud.entra_log.count("redeem")) > self.runs * len(self.names) + unanswered:
            yield Violation(REPEATED, "", f"{redeemed} redemptions, of which {unanswered} got no answer")
        if self.runs == 1:
            yield from self._unlooked()
        for number, report in enumerate(reports):
            yield from conduct.redeemed_once(journal, number)
            yield from conduct.looked_before_each_store(journal, number)
            yield from conduct.reported(journal, number, report, in_order=self.runs == 1)
        for name, meant in self.ledger.tokens.items():
            told = any(each.name == name for report in reports for each in report.tokens)
            if not (told or meant.acts or all(report.vault_faults for report in reports)):
                yield Violation(SILENT, name, "no run told an outcome of it")

    def _kept(self) -> Iterator[Violation]:
        yield from invariants.kept(self.job.cloud.vault.state, self.job.cloud.entra, self.ledger)

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
