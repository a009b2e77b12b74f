"""Put the figures of a results file into the README, between two markers and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

BEGIN, END = "<!-- figures of make bench: begin -->", "<!-- figures of make bench: end -->"


class NoPlaceError(Exception):
    """The README does not have the two markers, each once and in this order."""


def with_figures(text: str, markdown: str) -> str:
    """The text with this Markdown between its markers. Raises NoPlaceError."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or text.count(BEGIN) + text.count(END) != 2:  # noqa: PLR2004 - one of each
        raise NoPlaceError(f"the README must have {BEGIN} and {END}, each once and in this order")
    return f"{before}{BEGIN}\n{markdown.strip()}\n{END}{after}"


def rewrite(readme: Path, results: Path) -> None:
    """Rewrite a README from a results file. Raises NoPlaceError, OSError, and KeyError for another file's JSON."""
    markdown = json.loads(results.read_text(encoding="utf-8"))["markdown"]
    text = with_figures(readme.read_text(encoding="utf-8"), markdown)
    readme.write_text(text, encoding="utf-8")
