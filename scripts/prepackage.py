"""Stage what is deployed, with the packages that were tested: requirements.txt for Linux and Python 3.13, by hash.

azd runs this before it packages and uploads the folder as it is (`dist` and `remoteBuild: false` in azure.yaml): the
build that Azure offers installs without hashes, and has been seen to use another Python than the app's (azure-dev
issue 8538). Standard library and pip alone, on Windows, macOS and Linux, Python 3.9 or later.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
LOCK = CHECKOUT / "requirements.txt"

SHIPPED = ("function_app.py", "host.json", "requirements.txt", "rotation")
"""What Azure runs. The list says what goes, so that a new file in the checkout does not."""

COMMAND_LINE = ("rotation/cli", "rotation/__main__.py")
"""Part of the package `rotation`, and of no use there: its own packages are not deployed."""

SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")
"""Where the Python worker looks beside the app ("Azure Functions Python developer guide")."""

OLDEST_GLIBC, NEWEST_GLIBC = 5, 28
"""manylinux_2_5 is what pip knew first; Azure's image of Python 3.13 is Debian 12, which has glibc 2.36."""

TARGET = [
    "--implementation=cp",
    "--python-version=3.13",
    *(f"--abi={abi}" for abi in ("cp313", "abi3", "none")),
    *(f"--platform=manylinux_2_{minor}_x86_64" for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)),
    *(f"--platform=manylinux{year}_x86_64" for year in ("2014", "2010", "1")),
]
"""One platform by every name that wheels have for it: older pips do not know that 2_28 includes the others."""


class StagingError(Exception):
    """The package cannot be made; the text says why, and how to mend it."""


def main(arguments: list[str] | None = None) -> int:
    """Make the folder `.package/app` from the checkout; exit code 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(description="Stage what azd deploys.")
    parser.add_argument("--to", type=Path, default=CHECKOUT / ".package", help="folder to stage in (%(default)s)")
    folder = parser.parse_args(arguments).to
    try:
        print(stage(folder))
    except (StagingError, OSError) as error:
        shutil.rmtree(folder / "app", ignore_errors=True)  # half of it must not be uploaded
        print(f"prepackage: {refused(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        return 1
    return 0


def refused(error: OSError) -> str:
    """Which file the system refused and why, with what usually is behind it."""
    path, why = error.filename, error.strerror
    if isinstance(error, shutil.Error):  # of a whole folder: one (source, target, why) for each file
        (_, path, why), *_ = error.args[0]
    return (
        f"{path}: {why}. Nothing was staged. Close what holds the folder open and try again. On Windows a path has at "
        "most 260 characters: enable long paths (LongPathsEnabled in the registry), or clone nearer to the drive's root"
    )


def stage(folder: Path) -> str:
    """Make `<folder>/app`, and say what it holds. The packages are installed again only when the lock has changed."""
    wanted = pins(LOCK.read_text(encoding="utf-8"))
    packages, app, stamp = folder / "packages", folder / "app", folder / "packages.sha256"
    fingerprint = hashlib.sha256(LOCK.read_bytes() + " ".join(TARGET).encode()).hexdigest()
    known = stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint
    fresh = not known or bool(differences(wanted, packages))
    if fresh:
        stamp.unlink(missing_ok=True)
        install(packages, wanted)
        stamp.write_text(fingerprint, encoding="utf-8")
    assemble(app, packages)
    how = "installed" if fresh else "as before, requirements.txt has not changed"
    where = app.relative_to(CHECKOUT) if CHECKOUT in app.parents else app
    return f"prepackage: {where}: {len(wanted)} packages for Linux and Python 3.13 ({how}), and {', '.join(SHIPPED)}"


def pins(lock: str) -> dict[str, str]:
    """The version of each distribution that a lock file names.

    Raises StagingError for a line with an environment marker: pip judges it by the machine that packages, which may be
    Windows or another Python, and not by the one that it packages for.
    """
    lines = re.findall(r"^[A-Za-z0-9].*$", lock, re.MULTILINE)
    marked = [line for line in lines if ";" in line]
    if marked:
        raise StagingError(f"requirements.txt has environment markers: {marked[0]}. Compile it again: make lock")
    pairs = (line.rstrip(" \\").partition("==") for line in lines)
    return {name: version for name, _, version in pairs}


def install(packages: Path, wanted: dict[str, str]) -> None:
    """Install the lock into an empty folder. Raises StagingError, and then leaves nothing that could be uploaded."""
    unfinished = packages.with_name("packages.unfinished")
    for old in (unfinished, packages, packages.with_name("app")):
        shutil.rmtree(old, ignore_errors=True)
    command = [*pip(), "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    # The lock is complete and was resolved for Python 3.13; pip would judge both by the Python that runs it.
    command += ["--no-deps", "--ignore-requires-python"]
    command += ["--require-hashes", "--only-binary=:all:", "--no-compile", *TARGET]
    command += [f"--target={unfinished}", f"--requirement={LOCK}"]
    if subprocess.run(command, check=False).returncode:
        raise StagingError("pip could not install requirements.txt: its message is above; nothing was staged")
    wrong = differences(wanted, unfinished)
    if wrong:
        raise StagingError(f"pip installed something else than requirements.txt says: {'; '.join(wrong)}")
    for commands in ("bin", "Scripts"):  # nobody calls them there, and they name this machine's Python
        shutil.rmtree(unfinished / commands, ignore_errors=True)
    unfinished.rename(packages)


def pip() -> list[str]:
    """How pip is called: of this Python, or of the one behind its virtual environment. Raises StagingError."""
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        command = [python, "-m", "pip"]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    raise StagingError(
        f"this Python has no pip: run {sys.executable} -m ensurepip, or on Debian: apt install python3-pip"
    )


def differences(wanted: dict[str, str], packages: Path) -> list[str]:
    """What is in the folder and should not be, is missing, or has another version."""
    found = {
        re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower(): distribution.version
        for distribution in metadata.distributions(path=[str(packages)])
    }
    names = sorted(wanted.keys() | found.keys())
    return [
        f"{name} is {found.get(name, 'missing')}, not {wanted.get(name, 'wanted')}"
        for name in names
        if wanted.get(name) != found.get(name)
    ]


def assemble(app: Path, packages: Path) -> None:
    """Copy the app and its packages into an empty folder."""
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    for name in SHIPPED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, app / name, ignore=_not_shipped)
        else:
            shutil.copy2(source, app / name)
    shutil.copytree(packages, app / SITE_PACKAGES)


def _not_shipped(folder: str, names: list[str]) -> list[str]:
    here = Path(folder).relative_to(CHECKOUT)
    return [name for name in names if name == "__pycache__" or (here / name).as_posix() in COMMAND_LINE]


if __name__ == "__main__":
    sys.exit(main())
