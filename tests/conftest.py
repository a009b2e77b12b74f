"""For every test: how many run at once, and the table at the end of a run of what tests record as property `row`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: a test that waits for an answer that never comes needs none."""
    return (os.process_cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = sorted(set(_recorded(terminalreporter)))
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        terminalreporter.section("what is mailed: alerts fired + resolved, for each scenario and rule")
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            terminalreporter.line(line.rstrip())


def _recorded(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, ...]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, cells in getattr(report, "user_properties", ()):
                if name == "row" and isinstance(cells, list):
                    yield tuple(map(str, cells))
