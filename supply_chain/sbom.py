"""Write the bill of materials of what is deployed: CycloneDX JSON, the same bytes for the same lock file.

cyclonedx-py writes it and validates it against the schema. Here it is compared with the lock file: every pin is in it
with its hashes, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supply_chain.pins import Pin, UnpinnedError, pins_of

_WRITE = ("requirements", "--output-reproducible", "--validate", "--spec-version", "1.6", "--output-format", "JSON")
_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def write(lock: Path, bom: Path) -> None:
    """Write the bill of a lock file. Raises UnpinnedError, OSError, and ValueError when the two do not agree."""
    pinned = pins_of(lock)
    bom.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", *_WRITE, "--pyproject", str(_PROJECT), "--output-file", str(bom)]
    ended = subprocess.run([*command, str(lock)], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ValueError(f"cyclonedx-py wrote no bill: {ended.stderr.strip()}")
    listed = {_listed(component) for component in json.loads(bom.read_text("utf-8"))["components"]}
    if differing := listed ^ {_pinned(pin) for pin in pinned}:
        raise ValueError(f"{bom} and {lock} do not agree on {', '.join(sorted(each[0] for each in differing))}")


def _pinned(pin: Pin) -> tuple[str, frozenset[str]]:
    return f"pkg:pypi/{pin.name}@{pin.version}", frozenset(pin.hashes)


def _listed(component: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    hashes = (each for reference in component["externalReferences"] for each in reference["hashes"])
    purl = str(component.get("purl", component["name"]))
    return purl, frozenset(f"{each['alg'].replace('-', '').lower()}:{each['content']}" for each in hashes)


def main(lock: str, bom: str) -> int:
    """Write it and say where."""
    try:
        write(Path(lock), Path(bom))
    except (UnpinnedError, OSError, ValueError) as fault:
        print(f"no bill of materials: {fault}", file=sys.stderr)
        return 1
    print(bom)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
