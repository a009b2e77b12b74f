"""The adapters of the campaign fail as the real ones do over TLS: every refusal and every fault, kind by kind."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from emulators.faults import Answer, Hang, Reset
from emulators.faults import Fault as WireFault
from emulators.keyvault.access import DataAction
from emulators.keyvault.errors import SecretNotFoundError
from emulators.keyvault.state import VaultState
from emulators.keyvault.throttle import CREATES, OTHERS
from emulators.serve import listen, url_of
from emulators.world import CLIENT_ID, JOB_ACTIONS, TENANT_ID, World
from rotation.clouds import GLOBAL
from rotation.pace import Clock
from rotation.ports import Grant, NewVersion, RedemptionError, Vault, VaultError
from rotation.reason import Reason
from rotation.secret_value import ClientSecret, RefreshToken, SecretValue
from tests.campaign.cloud import CLIENT_SECRET as PLAYED
from tests.campaign.cloud import Cloud
from tests.campaign.faults import Fault
from tests.campaign.gate import Armed, Gate, Tally
from tests.campaign.journal import AFTER, BEFORE, DISABLE, DISCOVERY, LIST, READ, REDEEM, RETAG, STORE, VERSIONS
from tests.campaign.state_issuer import state_issuer
from tests.campaign.state_vault import StateVault
from tests.effects.job import SOON, Job, job_in
from tests.effects.partners import CLIENT_SECRET, Partner

type Failure = tuple[object, ...]

NEW = NewVersion(
    name="contoso", value=SecretValue("ours"), enabled=True, tags={"a": "b"}, content_type=None, expires_on=None
)
CALLS: Mapping[str, Callable[[Vault], object]] = {
    LIST: lambda vault: list(vault.secrets()),
    READ: lambda vault: vault.read("contoso"),
    VERSIONS: lambda vault: vault.versions("contoso"),
    STORE: lambda vault: vault.store(NEW),
    RETAG: lambda vault: vault.retag("contoso", vault.versions("contoso")[0].version, {"a": "b"}),
    DISABLE: lambda vault: vault.disable("contoso", vault.versions("contoso")[0].version),
}
ADDRESSES = {
    LIST: ("GET", "^/secrets$"),
    READ: ("GET", "^/secrets/contoso/$"),
    VERSIONS: ("GET", "/versions$"),
    STORE: ("PUT", "^/secrets/contoso$"),
    RETAG: ("PATCH", "^/secrets/contoso/"),
    DISABLE: ("PATCH", "^/secrets/contoso/"),
    DISCOVERY: ("GET", "openid-configuration$"),
    REDEEM: ("POST", "/token$"),
}
WIRE: Mapping[Fault, Mapping[str, WireFault]] = {
    Fault.RESET: {BEFORE: Reset(), AFTER: Reset(after_effect=True)},
    Fault.TIMEOUT: {BEFORE: Hang()},
    Fault.THROTTLED: {BEFORE: Answer(429, body={"error": {"code": "Throttled"}})},
    Fault.THROTTLED_UNTIL: {BEFORE: Answer(429, {"Retry-After": "3"}, {"error": {"code": "Throttled"}})},
    Fault.ERROR: {BEFORE: Answer(500), AFTER: Answer(500, after_effect=True)},
}


@dataclass(frozen=True, slots=True)
class Both:
    """The same vault and issuer twice, with one due token in each: over the state, and over TLS."""

    play: Cloud
    gate: Gate
    state: StateVault
    cloud: World
    partner: Partner
    tls: Job

    def deny(self, action: DataAction) -> None:
        self.play.vault.access.deny(self.play.vault.job, [action])
        self.cloud.vault.access.deny(self.cloud.job.object_id, [action])

    def states(self) -> tuple[VaultState, VaultState]:
        return self.play.vault.state, self.cloud.vault.state

    def fail(self, kind: str, fault: Fault, moment: str) -> None:
        """Let every request of a kind fail, on both sides."""
        self.gate.armed = [Armed(kind=kind, moment=moment, what=fault, times=99)]
        method, path = ADDRESSES[kind]
        faults = self.cloud.entra_faults if kind in (REDEEM, DISCOVERY) else self.cloud.vault.faults
        faults.fail_next(WIRE[fault][moment], method=method, path=path, times=None)

    def redeem(self, token: str | None = None, client_secret: str | None = None) -> tuple[Failure, Failure]:
        """How a redemption fails over the state, and over TLS."""
        issuer = state_issuer(self.play.entra, self.gate, run=0, vault=self.state.client, ledger=self.play.ledger)
        over_state = self.play.ledger.tokens["contoso"].consents[-1]
        over_tls = self.cloud.vault.state.current("contoso").value
        return (
            failure(lambda: issuer.redeem(grant(CLIENT_ID, token or over_state, client_secret or PLAYED))),
            failure(
                lambda: self.tls.issuer.redeem(
                    grant(self.partner.client_id, token or over_tls, client_secret or CLIENT_SECRET)
                )
            ),
        )


def grant(client_id: str, token: str, client_secret: str) -> Grant:
    return Grant(
        refresh_token=RefreshToken(token),
        cloud=GLOBAL,
        tenant_id=TENANT_ID,
        client_id=client_id,
        client_proof=ClientSecret(client_secret),
        scopes=(GLOBAL.partner_center_scope,),
    )


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with World.open() as world:
        yield world


@pytest.fixture
def both(served: World) -> Iterator[Both]:
    play = Cloud(("due",))
    clock = Clock(monotonic=play.clock.monotonic, sleep=play.clock.turn)
    gate = Gate(play.clock, play.journal, Tally())
    partner = Partner.new(served)
    partner.put("contoso")
    with job_in(served, read_seconds=SOON) as job:
        yield Both(play, gate, StateVault(play.vault, gate, run=0, clock=clock), served, partner, job)
    served.entra_faults.clear()
    served.vault.faults.clear()
    served.vault.access.grant(served.job.object_id, JOB_ACTIONS)
    served.vault.throttle.age(timedelta(minutes=1))
    with contextlib.suppress(SecretNotFoundError):
        served.vault.state.recover("contoso")


def failure(call: Callable[[], object]) -> Failure:
    """What a port raised, its kind and all that it says but the host; nothing when it raised nothing."""
    try:
        call()
    except VaultError as error:
        return type(error).__name__, error.reason, error.message, error.retry_after
    except RedemptionError as error:
        message = re.sub(r"https://\S+|, correlation id \S+", "", error.message)
        return type(error).__name__, error.reason, message, error.answered
    return ()


CELLS = [
    (kind, fault, moment)
    for fault, moments in WIRE.items()
    for moment in moments
    for kind in ADDRESSES
    if fault is not Fault.TIMEOUT or kind in (STORE, REDEEM)  # which are sent once: each waits for a second
]


@pytest.mark.parametrize(("kind", "fault", "moment"), CELLS)
def test_a_broken_request_fails_alike(both: Both, kind: str, fault: Fault, moment: str) -> None:
    both.fail(kind, fault, moment)

    if kind in (REDEEM, DISCOVERY):
        over_state, over_tls = both.redeem()
    else:
        call = CALLS[kind]
        over_state, over_tls = failure(lambda: call(both.state)), failure(lambda: call(both.tls.vaults[0]))

    assert over_state == over_tls
    assert over_state != ()


def test_a_refused_connection_fails_alike(both: Both) -> None:
    socket = listen()
    with job_in(both.cloud, vault_urls=[url_of(socket)], authority=url_of(socket), read_seconds=SOON) as nowhere:
        socket.close()
        both.gate.armed = [Armed(kind=STORE, moment=BEFORE, what=Fault.REFUSED)]
        assert failure(lambda: both.state.store(NEW)) == failure(lambda: nowhere.vaults[0].store(NEW))
        both.gate.armed = [Armed(kind=DISCOVERY, moment=BEFORE, what=Fault.REFUSED)]
        assert both.redeem()[0] == replace(both, tls=nowhere).redeem()[1]


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("action", JOB_ACTIONS)
def test_a_missing_permission_fails_alike(both: Both, kind: str, action: DataAction) -> None:
    both.deny(action)

    assert failure(lambda: CALLS[kind](both.state)) == failure(lambda: CALLS[kind](both.tls.vaults[0]))


@pytest.mark.parametrize("kind", [READ, STORE])
@pytest.mark.parametrize("act", ["disable", "delete"])
def test_what_an_operator_did_fails_alike(both: Both, kind: str, act: str) -> None:
    for state in both.states():
        (state.disable if act == "disable" else state.delete)("contoso")

    assert failure(lambda: CALLS[kind](both.state)) == failure(lambda: CALLS[kind](both.tls.vaults[0]))


def test_what_the_vault_finds_wrong_fails_alike(both: Both) -> None:
    many = replace(NEW, tags={f"tag-{number}": "" for number in range(16)})

    found = failure(lambda: both.state.store(many))

    assert found == failure(lambda: both.tls.vaults[0].store(many))
    assert found[1] is Reason.UNCLASSIFIED


@pytest.mark.parametrize("create", [True, False])
def test_an_eaten_quota_fails_alike(both: Both, create: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    for throttle in (both.play.vault.throttle, both.cloud.vault.throttle):
        throttle.retry_after = False
        for _ in range(CREATES if create else OTHERS):
            throttle.take(create=create)
    call = CALLS[STORE if create else READ]

    assert failure(lambda: call(both.state)) == failure(lambda: call(both.tls.vaults[0]))


@pytest.mark.parametrize("code", [50173, 70000, 700082, 50196, 90033, 7000222, 50076, 65001, 53003, 700016])
def test_a_refusal_of_the_issuer_fails_alike(both: Both, code: int) -> None:
    for entra in (both.play.entra, both.cloud.entra):
        entra.fail_next_with(code)

    over_state, over_tls = both.redeem()

    assert over_state == over_tls
    assert f"AADSTS{code}" in str(over_state)


def test_a_wrong_client_secret_fails_alike(both: Both) -> None:
    over_state, over_tls = both.redeem(client_secret="of somebody else")

    assert over_state == over_tls
    assert over_state[1] is Reason.CLIENT_CREDENTIAL_INVALID


def test_a_redemption_answers_alike(both: Both) -> None:
    assert both.redeem() == ((), ())


@pytest.mark.parametrize(("kind", "requests"), [(READ, 3), (VERSIONS, 3), (RETAG, 1), (DISABLE, 3), (STORE, 1)])
def test_as_many_requests_are_sent_before_a_port_gives_up(both: Both, kind: str, requests: int) -> None:
    both.fail(kind, Fault.ERROR, BEFORE)
    both.cloud.vault.log.clear()

    failure(lambda: CALLS[kind](both.state))
    failure(lambda: CALLS[kind](both.tls.vaults[0]))

    assert len([each for each in both.play.journal.requests(0) if each.kind == kind]) == requests
    assert both.cloud.vault.log.count({RETAG: "update", DISABLE: "update"}.get(kind, kind)) == requests
