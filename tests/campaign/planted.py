"""Bugs that a rotation must not have, planted in a copy of the product, each to be found by the campaign.

A bug is an edit of the product's own text, so that it stays what it says however the product changes: an edit that
does not fit any more, or fits twice, is an error. The copy lives in a temporary folder, in a process of its own; no
installed or deployed file ever holds one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHIN = 1000
"""So many schedules find every planted bug, or the campaign is too weak."""

_SEARCH = "import json, sys; from tests.campaign.planted import hunt; print(json.dumps(hunt(*map(int, sys.argv[1:]))))"


@dataclass(frozen=True, slots=True)
class Edit:
    """In this module, `old` stands exactly once and becomes `new`."""

    module: str
    old: str
    new: str

    def applied_to(self, package: Path) -> None:
        """Edit the copy. Raises ValueError when the product does not say `old` exactly once."""
        file = package / f"{self.module}.py"
        text = file.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"a planted bug does not fit rotation/{self.module}.py any more: {self.old.strip()!r}")
        file.write_text(text.replace(self.old, self.new))


_STORES = "        stored = storing.store(new, looked)\n"
_STORES_OR_REDEEMS_AGAIN = """\
        try:
            stored = storing.store(new, looked)
        except Ended:
            redemption, by = redeem(
                value, read.token, credentials, issuer=context.issuer, obstacle=context.obstacle
            )
            new, tagged = _new_version(
                looked, check(read.token, redemption), redemption, read.token, redeemed_at, warning
            )
            stored = storing.store(new, looked)
"""

BUGS: Mapping[str, tuple[Edit, ...]] = {
    "redeems again instead of storing again": (
        Edit("rotate", _STORES, _STORES_OR_REDEEMS_AGAIN),
        Edit("storing", "if refusals >= _REFUSALS or", "if refusals >= 0 or"),
    ),
    "redeems again what it could not store": (Edit("rotate", _STORES, _STORES_OR_REDEEMS_AGAIN),),
    "lets the SDK send a store again": (Edit("keyvault", "retry_total=0", "retry_total=3"),),
    "drops the operator's tags": (
        Edit(
            "tagging",
            "    return fitted(operator_tags(tags), ours)\n",
            "    return fitted({name: tags[name] for name in OUR_TAGS - JOB_TAGS if name in tags}, ours)\n",
        ),
        Edit("tagging", "import ACCOUNT_ID, JOB_TAGS,", "import ACCOUNT_ID, JOB_TAGS, OUR_TAGS,"),
    ),
    "does not look again": (Edit("rotate", "looked = storing.look_again(read.secret)", "looked = read.secret"),),
    "does not settle": (Edit("rotate", "warnings = settling.settle(stored)", "warnings: tuple[Reason, ...] = ()"),),
    "takes what another run has disabled for an operator's act": (
        Edit("version_history", "        if not since:\n", "        if since or not since:\n"),
    ),
    "disables before it stores": (
        Edit(
            "rotate",
            _STORES,
            "        context.vault.disable(looked.name, looked.version)\n" + _STORES,
        ),
    ),
    "tells what is stranded as failed": (
        Edit(
            "storing",
            "raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message,",
            "raise Ended(Kind.FAILED, error.reason, message,",
        ),
    ),
    "tells what is stranded as superseded": (
        Edit(
            "storing",
            "raise Ended(Kind.STRANDED, Reason.STRANDED_TOKEN, message,",
            "raise Ended(Kind.SKIPPED, Reason.SUPERSEDED, message,",
        ),
    ),
    "changes whatever version is the latest": (
        Edit(
            "keyvault",
            "update_secret_properties(name, version, enabled=False)",
            "update_secret_properties(name, enabled=False)",
        ),
        Edit("keyvault", "update_secret_properties(name, version, tags=", "update_secret_properties(name, tags="),
    ),
    "sends a store again without a look": (
        Edit(
            "storing",
            "                return Stored(self.vault.store(new), new, looked)\n",
            "                sent = self._persistently(lambda: self.vault.store(new))\n"
            "                return Stored(sent, new, looked)\n",
        ),
    ),
    "takes the permit after it redeemed": (
        Edit(
            "rotate",
            "        context.take_permit()  # before redeeming: no redeemed token waits in memory for it\n",
            "",
        ),
        Edit(
            "rotate",
            "        looked = storing.look_again(read.secret)\n",
            "        context.take_permit()\n        looked = storing.look_again(read.secret)\n",
        ),
    ),
    "shows the token that it could not store": (
        Edit(
            "storing",
            "                    strand(error, unless)\n",
            "                    strand(error, new.value.reveal())\n",
        ),
    ),
    "dates a redemption at the beginning of its run": (
        Edit("rotate", "redeemed_at = context.moment()", "redeemed_at = context.now"),
    ),
    "goes on when it has lost the lease": (
        Edit(
            "rotate",
            "        if not self.lease.is_held():\n",
            "        if not self.lease.is_held() and self.by_hand:\n",
        ),
    ),
    "rotates twice what is listed twice": (Edit("plan", "        if key not in self._taken:\n", "        if key:\n"),),
}
"""Every planted bug by what it does, as edits of the product."""

OVER_THE_WIRE = frozenset({"lets the SDK send a store again"})
"""Those in what only the wire has: they are hunted there."""


@dataclass(frozen=True, slots=True)
class Caught:
    """What became of a planted bug: after how many schedules it was found, and by what; None when it never was."""

    bug: str
    stories: int | None
    found: str


def plant(bug: str, folder: Path) -> None:
    """Put a copy of the product with this bug into a folder. Raises ValueError when an edit does not fit any more."""
    package = folder / "rotation"
    shutil.copytree(ROOT / "rotation", package, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in BUGS[bug]:
        edit.applied_to(package)


def misfit(bug: str) -> str:
    """What mypy says of the product with this bug; empty when it fits: a bug that only crashes would prove nothing."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        plant(bug, Path(folder))
        options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".cache" / "mypy-planted")]
        ended = subprocess.run(
            [sys.executable, "-m", "mypy", "--no-error-summary", *options, "rotation"],
            cwd=folder,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return f"mypy: {ended.stdout.strip()}" if ended.returncode else ""


def caught(bug: str, number: int) -> Caught:
    """Play a campaign over a copy of the product with this bug, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        folder = Path(name)
        plant(bug, folder)
        for other in ("emulators", "tests"):
            (folder / other).symlink_to(ROOT / other)
        ended = subprocess.run(
            [sys.executable, "-P", "-c", _SEARCH, str(number), str(int(bug in OVER_THE_WIRE))],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = json.loads(ended.stdout)
    return Caught(bug, found["stories"], found["found"])


def hunt(number: int, over_the_wire: int) -> dict[str, object]:
    """In the process of a planted bug: search until a promise is broken, as a JSON object."""
    # What is imported here imports the product, which is the planted copy.
    if over_the_wire:
        from tests.campaign.wire import first_broken  # noqa: PLC0415

        stories, found = first_broken(number, within=WITHIN)
        return {"stories": stories, "found": found}
    from tests.campaign.machine import search  # noqa: PLC0415

    told = search(number, stories=WITHIN)
    return {"stories": told.stories if told.broken else None, "found": told.found.partition("\n")[0]}
