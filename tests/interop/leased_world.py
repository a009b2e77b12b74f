"""A world whose runs take their lease from Azurite: real command-line processes in it, and a look at the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties

from emulators.faults import Hang
from emulators.world import World
from rotation.blob_lease import CONTAINER, blob_of
from tests.effects.partners import Partner
from tests.interop.storage_account import StorageAccount

_CHECKOUT = Path(__file__).parents[2]

type Process = subprocess.Popen[str]


@dataclass(frozen=True, slots=True)
class LeasedWorld:
    """One vault with a partner's tokens, and the storage account that its lease is in."""

    world: World
    storage: StorageAccount
    partner: Partner

    @classmethod
    @contextmanager
    def open(cls, storage: StorageAccount) -> Iterator[LeasedWorld]:
        """Serve a world for the length of a block."""
        with World.open() as world:
            storage.trusted_in(world.tls.authority_file)
            yield cls(world, storage, Partner.new(world))

    def environment(self) -> dict[str, str]:
        """The settings of every process of this world."""
        return self.world.environment() | {"AzureWebJobsStorage": self.storage.connection_string}

    def start(self, *args: str, **settings: str) -> Process:
        """Start `python -m rotation ...`."""
        return subprocess.Popen(
            [sys.executable, "-m", "rotation", *args],
            cwd=_CHECKOUT,
            env={**os.environ, **self.environment(), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rotate(self, *args: str, **settings: str) -> Ended:
        """A run by hand, from its start to its end."""
        return ended(self.start("rotate", "--json", *args, **settings))

    @contextmanager
    def holder(self) -> Iterator[Process]:
        """A process that holds the lease and gets no further than redeeming: the issuer never answers it."""
        self.world.entra_faults.fail_next(Hang(), method="POST", times=None)
        with self.start("rotate") as process:
            try:
                wait_until(self.is_leased)
                yield process
            finally:
                process.kill()
                self.world.entra_faults.clear()

    def is_leased(self) -> bool:
        """Whether somebody holds the lease of the vault."""
        blob = self.blob()
        return blob is not None and blob.lease.state == "leased"

    def blob(self) -> BlobProperties | None:
        """The blob of the lease, as the service shows it."""
        with self.client() as client:
            try:
                return client.get_blob_properties()
            except ResourceNotFoundError:
                return None

    def client(self) -> BlobClient:
        """The blob of the lease, for whoever has the key."""
        return BlobClient.from_connection_string(
            self.storage.connection_string, CONTAINER, blob_of(self.world.vault.url), api_version="2021-12-02"
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process said, and the exit code it said last."""

    code: int
    stdout: str
    stderr: str


def ended(process: Process) -> Ended:
    """Wait for the end of a process."""
    with process:
        stdout, stderr = process.communicate(timeout=60)
    return Ended(process.returncode, stdout, stderr)


def wait_until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    """Look every now and then. Raises TimeoutError."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if what():
            return
        pause.wait(0.05)
    raise TimeoutError(f"it was not so within {seconds} seconds")


def stopped(process: Process) -> None:
    """Pause a process where it is: SIGSTOP cannot be caught, and costs it no more than a machine that sleeps."""
    process.send_signal(signal.SIGSTOP)
