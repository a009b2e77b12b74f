"""The planted bugs fit the product, and the campaign catches them; `make campaign` plants every one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.planted import BUGS, ROOT, WITHIN, Edit, caught, misfit, plant


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_still_fits_the_product(bug: str, tmp_path: Path) -> None:
    plant(bug, tmp_path)

    for edit in BUGS[bug]:
        planted = (tmp_path / "rotation" / f"{edit.module}.py").read_text()
        compile(planted, edit.module, "exec")
        assert planted != (ROOT / "rotation" / f"{edit.module}.py").read_text()


def test_a_bug_that_does_not_fit_any_more_is_an_error_that_says_so(tmp_path: Path) -> None:
    plant("does not settle", tmp_path)

    with pytest.raises(ValueError, match=r"does not fit rotation/rotate\.py any more"):
        Edit("rotate", "warnings = storing.settle(stored)", "").applied_to(tmp_path / "rotation")


def test_a_bug_that_only_crashes_fits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = Edit("rotate", "warnings = settling.settle(stored)", "warnings = settling.settled(stored)")
    monkeypatch.setattr("tests.campaign.planted.BUGS", {"only crashes": (crashes,)})

    assert '"Settling" has no attribute "settled"' in misfit("only crashes")


def test_the_campaign_catches_a_planted_bug() -> None:
    found = caught("disables before it stores", 1)

    assert found.stories is not None
    assert found.stories <= WITHIN
