"""The folder under test, and broken copies of it: a check that passes on those proves nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

type Break = Callable[[str, str, str], Path]


@pytest.fixture(scope="session")
def infra() -> Path:
    return CHECKOUT / "infra"


@pytest.fixture
def broken(infra: Path, tmp_path: Path) -> Break:
    """Copies the folder and replaces a text in one file of the copy; the text must be there."""
    copy = tmp_path / "infra"
    shutil.copytree(infra, copy)

    def replace(file: str, old: str, new: str) -> Path:
        source = (copy / file).read_text(encoding="utf-8")
        assert old in source, f"{file} has no {old!r} to break"
        (copy / file).write_text(source.replace(old, new, 1), encoding="utf-8")
        return copy

    return replace
