"""For every test: the rows that tests record as the property `row` are printed as one table at the end of the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


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
