"""The cold import: `function_app` in a fresh interpreter, beside the five Azure packages that it needs anyway.

Fresh means a new process each time; the files are in the system's cache for both.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median

from bench.measuring import run_python

FIVE = (
    "azure.functions",
    "azure.identity",
    "azure.keyvault.secrets",
    "azure.storage.blob",
    "azure.monitor.opentelemetry",
)
_TIMED = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import {modules}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdImport:
    """Medians in seconds, of the clock and of the processor."""

    function_app_seconds: float
    function_app_cpu_seconds: float
    five_seconds: float
    five_cpu_seconds: float

    @property
    def ratio(self) -> float:
        """By processor time, which neighbours on the machine disturb less."""
        return self.function_app_cpu_seconds / self.five_cpu_seconds

    def to_json(self) -> dict[str, float]:
        """Its fields and the ratio."""
        return asdict(self) | {"ratio": self.ratio}


def cold_import(times: int) -> ColdImport:
    """Import each so many times, in turns. Raises BrokenMeasurementError."""
    rounds = [(_import("function_app"), _import(", ".join(FIVE))) for _ in range(times)]
    app, five = zip(*rounds, strict=True)
    return ColdImport(
        function_app_seconds=median(wall for wall, _ in app),
        function_app_cpu_seconds=median(cpu for _, cpu in app),
        five_seconds=median(wall for wall, _ in five),
        five_cpu_seconds=median(cpu for _, cpu in five),
    )


def _import(modules: str) -> tuple[float, float]:
    wall, cpu = json.loads(run_python("-c", _TIMED.format(modules=modules)))
    return wall, cpu
