"""The run lease across processes: the lease of a blob, in the storage account that the Functions host needs anyway.

One blob for each vault, in a container of ours. Who wants the lease first writes into the blob's metadata who they are,
then takes the lease of exactly what they wrote: so whoever is refused can read who was not. A lease lasts 15
seconds and is renewed from a thread; whether it is held is a look at the clock, because a process that was paused must
know before its next effect. A storage account that cannot be used keeps nobody from running: docs/adr/0004 says why.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from rotation.blob_errors import StorageError, translated
from rotation.lease import ProcessLease
from rotation.ports import HeldLease, LeaseHeldError, LeaseHolder

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

LEASE_SECONDS = 15
"""How long a lease outlives a holder that died; "Lease Blob" allows 15 to 60 seconds."""

END_SECONDS = 5.0
"""How long the ends of all leases may take together before the rest is left to end by itself."""

CONNECT_SECONDS, READ_SECONDS = 2.0, 3.0
CONTAINER = "token-rotation-leases"

_ATTEMPTS = 2
_RETRY_SECONDS = 1.0
CLIENT_OPTIONS: dict[str, Any] = {
    "api_version": "2021-12-02",  # has all that is used here; the SDK's own default is newer than the national clouds
    "retry_total": 0,  # it would wait a minute; what is repeated is repeated here
    "permit_redirects": False,
}

# A write without the lease's id, an acquisition, and one of what somebody else has written over meanwhile.
_HELD = frozenset({"LeaseIdMissing", "LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired", "ConditionNotMet"})

_LOST = (404, 409, 412)  # statuses of a renewal that leave no doubt: it is somebody else's, broken, or deleted

# time.monotonic stands still while a Linux or macOS machine sleeps, and a lease does not; elsewhere it goes on.
_SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

_logger = logging.getLogger(__name__)


def sleepless() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    return time.monotonic() if _SLEEPLESS is None else time.clock_gettime(_SLEEPLESS)


type Repeat = Callable[[Callable[[], float | None], float, str], Callable[[float], None]]
"""Calls a step after so many seconds, and again after as many as it returns, until it returns None; under a name.

Returns what ends that: no step is begun any more, and the one under way is waited for, so many seconds at most.
"""


def in_a_thread(step: Callable[[], float | None], first: float, name: str) -> Callable[[float], None]:
    """A Repeat beside whatever else is done."""
    ended = threading.Event()

    def go_on() -> None:
        wait: float | None = first
        while wait is not None and not ended.wait(wait):
            wait = step()

    ascribed = partial(copy_context().run, go_on)  # what a step logs belongs to the invocation
    thread = threading.Thread(target=ascribed, name=name, daemon=True)
    thread.start()

    def end(within: float) -> None:
        ended.set()
        thread.join(within)

    return end


def by_connection_string(connection_string: str, *, read_seconds: float = READ_SECONDS) -> ContainerClient:
    """The container, with the key or SAS of a connection string. Raises ValueError for one that is malformed."""
    from azure.storage.blob import ContainerClient  # noqa: PLC0415 - half a second that only a run needs to spend

    return ContainerClient.from_connection_string(
        connection_string, CONTAINER, connection_timeout=CONNECT_SECONDS, read_timeout=read_seconds, **CLIENT_OPTIONS
    )


def by_identity(blob_service_uri: str, credential: TokenCredential) -> ContainerClient:
    """The container, with an identity: "Storage Blob Data Contributor" is enough, and creates it."""
    from azure.storage.blob import ContainerClient  # noqa: PLC0415 - as above

    return ContainerClient(
        blob_service_uri,
        CONTAINER,
        credential=credential,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        **CLIENT_OPTIONS,
    )


class BlobLease:
    """The Lease port for all processes that share a storage account; `connect` opens the container."""

    def __init__(
        self,
        connect: Callable[[], ContainerClient],
        *,
        monotonic: Callable[[], float] = sleepless,
        end_seconds: float = END_SECONDS,
        repeat: Repeat = in_a_thread,
    ) -> None:
        self._connect = connect
        self._monotonic = monotonic
        self._repeat = repeat
        self._end_seconds = end_seconds
        self._fault = ""

    @contextmanager
    def hold(self, vault_url: str, holder: LeaseHolder) -> Iterator[HeldLease]:
        """Hold the vault's lease for the length of the block. Raises LeaseHeldError when it cannot be had.

        A storage account that cannot be used is the `fault` of a lease that excludes this process only.
        """
        with ProcessLease().hold(vault_url, holder) as within, ExitStack() as stack:
            try:
                term = self._term(vault_url, holder, stack)
            except StorageError as error:
                self._fault = str(error)
                held = HeldLease(within.is_held, fault=self._fault)
            else:
                stack.callback(self._end, term)
                held = HeldLease(term.is_held, taken_by=term.taken_by)
            yield held

    def _end(self, term: _Term) -> None:
        """Give a lease back in the time that is left for it: those of a run end one after the other."""
        begun = self._monotonic()
        term.end(within=self._end_seconds)
        self._end_seconds -= self._monotonic() - begun

    def _term(self, vault_url: str, holder: LeaseHolder, stack: ExitStack) -> _Term:
        """Take the lease. Raises LeaseHeldError and StorageError."""
        if self._fault:  # many vaults, one account: its silence is waited for once
            raise StorageError(self._fault)
        container = stack.enter_context(translated(self._connect))
        blob = container.get_blob_client(blob_of(vault_url))
        lease_id = str(uuid.uuid4())  # the same for each attempt: the answer to the first may be what got lost
        try:
            written = _patiently(lambda: _write(container, blob, holder))
            begun = self._monotonic()
            lease = _patiently(
                lambda: blob.acquire_lease(
                    LEASE_SECONDS, lease_id, etag=written, match_condition=MatchConditions.IfNotModified
                )
            )
        except StorageError as error:
            if error.code in _HELD:
                raise LeaseHeldError(_holder(blob)) from None
            raise
        return _Term(lease, blob, holder, begun=begun, monotonic=self._monotonic, repeat=self._repeat)


class _Term:
    """A lease that was taken, renewed until it is ended or lost."""

    def __init__(
        self,
        lease: BlobLeaseClient,
        blob: BlobClient,
        holder: LeaseHolder,
        *,
        begun: float,
        monotonic: Callable[[], float],
        repeat: Repeat,
    ) -> None:
        self._lease = lease
        self._blob = blob
        self._holder = holder
        self._monotonic = monotonic
        self._until = begun + LEASE_SECONDS  # counted from before the request: the service's own count ends later
        self._answers = True
        self._asking = threading.Lock()
        self._takers: list[LeaseHolder | None] = []
        self._end_renewing = repeat(self._renew, LEASE_SECONDS / 3, f"lease {self._name}")

    @property
    def _name(self) -> str:
        return str(self._blob.blob_name)

    def is_held(self) -> bool:
        return self._monotonic() < self._until

    def taken_by(self) -> LeaseHolder | None:
        """Who took it, now that it is lost: asked once, however many threads want to know."""
        with self._asking:
            if not self._takers:
                found = _holder(self._blob) if self._answers else None  # a silent account is not waited for once more
                self._takers.append(None if found and found.run_id == self._holder.run_id else found)
            return self._takers[0]

    def end(self, *, within: float) -> None:
        """Give the lease back, if it is still ours to give; the request for it is begun within so many seconds."""
        until = self._monotonic() + within
        self._end_renewing(max(within, 0.0))
        if not self.is_held():
            return
        if self._monotonic() >= until:
            self._leave("the storage account was waited for long enough")
            return
        try:
            translated(self._lease.release)
        except StorageError as error:
            self._leave(str(error))

    def _leave(self, why: str) -> None:
        _logger.warning("rotation.lease_not_released %s: %s; it ends by itself", self._name, why)

    def _renew(self) -> float | None:
        """Renew it once. Returns the seconds until the next time, None when it is lost."""
        asked = self._monotonic()
        if not self.is_held():  # too late, even if the service would renew it: somebody was told that it is lost
            self._tell_of_loss("it was not renewed in time")
            return None
        try:
            translated(self._lease.renew)
        except StorageError as error:
            self._answers = error.status is not None
            if error.status in _LOST:
                self._until = asked
                self._tell_of_loss(str(error))
                return None
            return _RETRY_SECONDS
        self._answers, self._until = True, asked + LEASE_SECONDS
        return LEASE_SECONDS / 3

    def _tell_of_loss(self, why: str) -> None:
        _logger.warning("rotation.lease_lost %s: %s; taken by %s", self._name, why, self.taken_by() or "nobody yet")


def _patiently[T](call: Callable[[], T]) -> T:
    """Call what may be repeated without harm, again when nobody answered. Raises StorageError."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return translated(call)
        except StorageError as error:
            if not error.passes:
                raise
    return translated(call)


def _write(container: ContainerClient, blob: BlobClient, holder: LeaseHolder) -> str:
    """Write who wants the lease, and return the ETag of it. The first run of all makes the container."""
    metadata = {"run_id": holder.run_id, "door": holder.door, "since": holder.since.isoformat()}
    try:
        return str(blob.upload_blob(b"", overwrite=True, metadata=metadata)["etag"])
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):
            container.create_container()
        return str(blob.upload_blob(b"", overwrite=True, metadata=metadata)["etag"])


def _holder(blob: BlobClient) -> LeaseHolder | None:
    def read() -> LeaseHolder:
        said = blob.get_blob_properties().metadata
        return LeaseHolder(said["run_id"], said["door"], datetime.fromisoformat(said["since"]))

    try:
        return translated(read)
    except StorageError:  # that it is held is certain
        return None


def blob_of(vault_url: str) -> str:
    """The name of a vault's blob: its host, with the port where there is one."""
    return vault_url.partition("://")[2]
