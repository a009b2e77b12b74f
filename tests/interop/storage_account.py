"""Run Azurite, Microsoft's emulator of Azure Storage, for a test: start it, say how to reach it, stop it.

It serves blobs over TLS on loopback, keeps them in memory, and takes its well-known key, a SAS made with it, and tokens
of any tenant for `https://storage.azure.com`. Needs what `npm ci --prefix tests/interop/storage_account` installs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from emulators.tls import LOOPBACK
from tests.interop.node import line_of, node_for

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the emulated account ("Use the Azurite emulator for local Azure Storage development"); no secret of anybody."""

_FOLDER = Path(__file__).parent / "storage_account"


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """The running account: the address of its blob service, and the authority of its certificate."""

    blob_service_uri: str
    authority: trustme.CA

    @property
    def connection_string(self) -> str:
        """As the portal shows it under access keys."""
        return f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.blob_service_uri};"

    def trusted_in(self, authority_file: Path) -> None:
        """Append the authority to a file of authorities."""
        self.authority.cert_pem.write_to_path(str(authority_file), append=True)


@contextmanager
def storage_account(folder: Path) -> Iterator[StorageAccount]:
    """Serve the account until the block ends; its certificate and its log are in `folder`.

    Raises RuntimeError when Node or the packages are missing, or when it does not start.
    """
    authority = trustme.CA(organization_name="contoso loopback storage")
    key_file, log_file = folder / "storage-key.pem", folder / "storage.log"
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(key_file))
    program = _FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    command = [node_for(_FOLDER, "azurite"), str(program), "--blobPort", "0", "--cert", str(key_file)]
    command += ["--key", str(key_file), "--oauth", "basic", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    with (
        log_file.open("w") as log,
        subprocess.Popen(command, cwd=folder, env=os.environ, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            address = line_of(process, "successfully listens on", log_file).split()[-1]
            yield StorageAccount(f"{address}/{ACCOUNT}", authority)
        finally:
            process.terminate()
