"""Fetch what others made and `tests/interop` is held to: two source distributions of azure-keyvault-secrets.

Run as `python tests/interop/fetch.py`, as often as one likes: what is in `.cache/interop` with the right checksum
stays. pip is the client, since uv has no command for source distributions; the environment has none, so uv lends one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = (CHECKOUT / ".cache" / "interop").resolve()
PIP = "pip==26.0"


@dataclass(frozen=True, slots=True)
class SourceDistribution:
    """A pinned source distribution of azure-keyvault-secrets on the Python package index."""

    version: str
    archive: str
    sha256: str


# Microsoft's own tests of the client, and the last release that carried recordings of the real service.
TESTS = SourceDistribution(
    "4.12.0",
    "azure_keyvault_secrets-4.12.0.tar.gz",
    "435ea0abb5280baaad9553da7a19e73e1b581048783b852210352bfcb0316aff",
)
RECORDINGS = SourceDistribution(
    "4.0.0",
    "azure-keyvault-secrets-4.0.0.zip",
    "97a602406a833e8f117c540c66059c818f4321a35168dd17365fab1e4527d718",
)


class FetchError(Exception):
    """What is missing, in words for whoever runs `make interop`."""


def tests_folder(distribution: SourceDistribution) -> Path:
    """The `tests` folder of a source distribution, fetched and unpacked where it is not there yet.

    Raises FetchError when it cannot be had or is not what was pinned.
    """
    archive = CACHE / distribution.archive
    if not _is_pinned(archive, distribution):
        _download(distribution)
    if not _is_pinned(archive, distribution):
        raise FetchError(f"{archive.name} does not have the checksum that is pinned in {Path(__file__).name}")
    folder = CACHE / f"{distribution.version}-{distribution.sha256[:12]}"
    if not folder.is_dir():
        _unpack(archive, folder)
    return next(folder.glob("*/tests"))


def _is_pinned(archive: Path, distribution: SourceDistribution) -> bool:
    return archive.is_file() and hashlib.sha256(archive.read_bytes()).hexdigest() == distribution.sha256


def _download(distribution: SourceDistribution) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    pinned = CACHE / f"{distribution.version}.txt"  # with a hash, pip refuses anything else before it looks inside
    pinned.write_text(f"azure-keyvault-secrets=={distribution.version} --hash=sha256:{distribution.sha256}\n")
    options = ["--quiet", "--no-deps", "--no-binary", "azure-keyvault-secrets", "--dest", str(CACHE)]
    command = [_uv(), "tool", "run", "--quiet", "--python", sys.executable, PIP, "download", *options]
    done = subprocess.run([*command, "--requirement", str(pinned)], check=False)
    if done.returncode != 0:
        raise FetchError(f"pip could not download azure-keyvault-secrets {distribution.version}: see above")


def _uv() -> str:
    found = shutil.which("uv") or shutil.which(CHECKOUT / ".tools" / "bin" / "uv")
    if found is None:
        raise FetchError("uv is neither on PATH nor in .tools/bin: `make interop` installs it")
    return str(found)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack beside the goal and rename: a folder that is there is a whole one."""
    with tempfile.TemporaryDirectory(dir=CACHE) as beside:
        unpacked = Path(beside) / folder.name
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(unpacked)  # noqa: S202  # the checksum is pinned
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(unpacked, filter="data")
        unpacked.rename(folder)


if __name__ == "__main__":
    try:
        for wanted in (TESTS, RECORDINGS):
            tests_folder(wanted)
    except FetchError as missing:
        sys.exit(f"make interop: {missing}")
