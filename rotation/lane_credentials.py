"""The client credentials of one lane during a run: each read once, the accepted one kept, the refused ones told.

Until the issuer has accepted one, a single worker is in the lane; the order of trying them is in `redeeming`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rotation.client_credential import read_client_proof
from rotation.credential_ref import CredentialRef
from rotation.outcome import Refusal
from rotation.ports import ClientProof, Vault
from rotation.reason import Reason
from rotation.schedule import Lane, Schedule
from rotation.single_flight import SingleFlight


class ClientProofs:
    """What the client credentials of one vault prove, each read once a run however many lanes name it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._read = SingleFlight[CredentialRef, ClientProof]()

    def proof(self, ref: CredentialRef) -> ClientProof:
        """Read it, or give what was read; who reads another one waits for none of it. Raises ClientProofError."""
        return self._read.get(ref, lambda: read_client_proof(ref, self._vault))


class LaneCredentials:
    """The `redeeming.Credentials` for the tokens of one lane."""

    def __init__(self, lane: Lane, schedule: Schedule, proofs: ClientProofs, tell: Callable[[Refusal], None]) -> None:
        self._lane = lane
        self._tell = tell
        self._schedule = schedule
        self._proofs = proofs
        self._told: set[CredentialRef] = set()
        self._telling = threading.Lock()
        self._tokens = len(lane.waiting) + 1  # the first of them is in flight already

    def candidates(self) -> tuple[CredentialRef, ...]:
        """The accepted one alone, or all of them in the order of the tag."""
        accepted = self._lane.accepted
        return self._lane.credentials if accepted is None else (accepted,)

    def proof(self, ref: CredentialRef) -> ClientProof:
        """Read it from the vault, once a run. Raises ClientProofError."""
        return self._proofs.proof(ref)

    def refused(self, ref: CredentialRef, reason: Reason, message: str) -> None:
        """Tell it, once: it is a problem even when the next credential is accepted."""
        with self._telling:
            first = ref not in self._told
            self._told.add(ref)
        if first:
            self._tell(Refusal(self._lane.vault, ref, reason, message, self._tokens))

    def accepted(self, ref: CredentialRef) -> None:
        """Open the lane."""
        self._schedule.accepted(self._lane, ref)

    def stored(self) -> None:
        """Open the vault."""
        self._schedule.stored(self._lane)
