"""One contender, once, in a fresh process: `python -m bench.contend NAME` rotates the world of its environment.

It prints one line of JSON. Time and processor time count from before anything is built until all is closed, without
the imports; memory is the peak of the process. What a contender does is its own module in `contenders`.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Protocol, cast

_STATUS = Path("/proc/self/status")
_KIBIBYTE = 1024


class Contender(Protocol):
    """A module of `bench.contenders`."""

    def rotate(self) -> dict[str, int]:
        """Rotate what is due in the world of `os.environ`; how many tokens ended how."""


def peak_memory_bytes() -> int:
    """The most memory that this process has held; Linux's `ru_maxrss` would count that of its parent, too."""
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        (peak,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        return peak * _KIBIBYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


def main() -> None:
    """Rotate, and say what it took."""
    contender = cast("Contender", importlib.import_module(f"bench.contenders.{sys.argv[1]}"))
    memory, cpu_seconds, started = peak_memory_bytes(), time.process_time(), time.perf_counter()
    counts = contender.rotate()
    took = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu_seconds}
    peak = peak_memory_bytes()
    print(json.dumps({"counts": counts, **took, "peak_memory_bytes": peak, "grown_bytes": peak - memory}))


if __name__ == "__main__":
    main()
