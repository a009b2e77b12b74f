"""The tables in the README: put where the markers are, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.readme import BEGIN, END, NoPlaceError, rewrite, with_figures
from tests.bench.measurements import results

README = Path(__file__).resolve().parents[2] / "README.md"


def test_only_what_is_between_the_markers_is_replaced() -> None:
    assert with_figures(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_readme_without_its_place_is_left_alone(text: str) -> None:
    with pytest.raises(NoPlaceError):
        with_figures(text, "new")


def test_the_readme_has_its_place_with_six_figures_in_it() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_figures(text, "x") != text
    block = text.partition(BEGIN)[2].partition(END)[0]
    first_table = block.strip().partition("\n\n")[0].splitlines()
    assert len(first_table) == 2 + 6
    assert "make bench" in block


def test_a_results_file_becomes_the_readmes_block(tmp_path: Path) -> None:
    readme, file = tmp_path / "README.md", tmp_path / "full.json"
    readme.write_text(f"# A\n{BEGIN}\n{END}\n", encoding="utf-8")
    file.write_text(json.dumps(results().to_json()), encoding="utf-8")
    rewrite(readme, file)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"# A\n{BEGIN}\n| figure ")
    assert "| 100 due, limit off (one of 3)" in text
    assert "`make bench`" in text
    assert "2026-11-21, 20 minutes, load average at most 0.5" in text


def test_every_line_of_a_table_has_as_many_cells_as_its_head() -> None:
    six, side_by_side, _ = results().to_markdown().split("\n\n")
    for table in (six, side_by_side):
        assert len({line.count("|") for line in table.splitlines()}) == 1
        assert len({len(line) for line in table.splitlines()}) == 1  # aligned, for a terminal
