"""Reading the client credentials of a vault, when one of them takes its time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from emulators.world import World
from rotation.credential_ref import CredentialRef
from rotation.lane_credentials import ClientProofs
from rotation.secret_value import ClientSecret
from tests.effects.job import Job
from tests.effects.steps import READ, Steps, WatchedVault

PATIENCE_SECONDS = 5.0


def test_a_client_credential_that_is_slow_to_read_holds_up_no_other(cloud: World, job: Job) -> None:
    for name in ("slow-app", "other-app"):
        cloud.vault.state.put(name, f"client secret of {name}")
    under_way, other_was_read = threading.Event(), threading.Event()

    def wait_for_the_other() -> None:
        under_way.set()
        assert other_was_read.wait(PATIENCE_SECONDS), "the other waited for this one"

    proofs = ClientProofs(WatchedVault(job.vaults[0], Steps(before={READ: wait_for_the_other})))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(proofs.proof, CredentialRef.parse("secret:slow-app"))
        assert under_way.wait(PATIENCE_SECONDS)
        proofs.proof(CredentialRef.parse("secret:other-app"))
        other_was_read.set()

    assert slow.result() == ClientSecret("client secret of slow-app")
    assert cloud.vault.log.count("read") == 2
