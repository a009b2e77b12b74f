"""A world whose runs take their lease from Azurite: real command-line processes in it, and a look at the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties

from emulators.faults import Delay, Hang, Meanwhile
from emulators.world import World
from rotation.blob_lease import CONTAINER, blob_of
from tests.effects.partners import Partner
from tests.interop.storage_account import StorageAccount
from tests.waiting import LONG, wait_until

_CHECKOUT = Path(__file__).parents[2]
_READY = """
import runpy, sys
import azure.storage.blob, rotation.cli.app
print("ready", flush=True)
sys.stdin.readline()
sys.argv = ["rotation", "rotate", "--json"]
runpy.run_module("rotation", run_name="__main__")
"""

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
        return self._start("-m", "rotation", *args, **settings)

    def ready(self) -> Process:
        """A run by hand that has started, and begins when it is told a line: it takes no time then."""
        process = self._start("-c", _READY)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def _start(self, *args: str, **settings: str) -> Process:
        return subprocess.Popen(
            [sys.executable, *args],
            cwd=_CHECKOUT,
            env={**os.environ, **self.environment(), **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rotate(self, *args: str, **settings: str) -> Ended:
        """A run by hand, from its start to its end."""
        return ended(self.start("rotate", "--json", *args, **settings))

    @contextmanager
    def holder(self) -> Iterator[Process]:
        """A process that holds the lease for a minute: the vault is slow, and the issuer never answers."""
        self.world.vault.faults.fail_next(Delay(6), times=None)
        self.world.entra_faults.fail_next(Hang(), times=None)
        with self.start("rotate") as process:
            try:
                wait_until(self.is_leased)
                yield process
            finally:
                process.kill()
                self.world.vault.faults.clear()
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
            self.storage.connection_string,
            CONTAINER,
            blob_of(self.world.vault.url),
            api_version="2021-12-02",
            connection_verify=str(self.world.tls.authority_file),  # whatever another world's test sets meanwhile
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process said, and the exit code it said last."""

    code: int
    stdout: str
    stderr: str


def ended(process: Process, told: str | None = None) -> Ended:
    """Tell a process something, and wait for its end."""
    with process:
        stdout, stderr = process.communicate(told, timeout=LONG)
    return Ended(process.returncode, stdout, stderr)


class Pausing:
    """Pauses a process where it is: SIGSTOP cannot be caught, and costs it no more than a machine that sleeps."""

    def __init__(self) -> None:
        self._process: Future[Process] = Future()
        self.fault = Meanwhile(self._pause)
        """For the request that the process is to wait for when it is paused."""

    def started(self, process: Process) -> None:
        """This is the one."""
        self._process.set_result(process)

    def _pause(self) -> None:
        self._process.result(LONG).send_signal(signal.SIGSTOP)
