"""The audit says what is known, what is accepted and until when, and never takes a missing answer for a good one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from supply_chain.accepted import Accepted, AcceptedError, accepted_in
from supply_chain.audit import ACCEPTED, FAULTY, Finding, UnreachableError, audit, findings_in, report, rounds_of
from supply_chain.pins import Pin, UnpinnedError, pins_of

CHECKOUT = Path(__file__).parents[2]
LOCKS = sorted(CHECKOUT.glob("requirements*.txt"))
TODAY = date(2026, 11, 21)
DIGEST = "sha256:" + "0123456789abcdef" * 4
FINDING = Finding("contoso-library", "1.2", ("PYSEC-2026-1", "CVE-2026-1"), ("1.3",))
KNOWN = Accepted(
    id="CVE-2026-1",
    package="contoso-library",
    reason="its server is not used",
    accepted=date(2026, 11, 1),
    review=date(2026, 11, 21),
)


def lock(folder: Path, text: str) -> Path:
    path = folder / "requirements.txt"
    path.write_text(text, encoding="utf-8")
    return path


def told(findings: list[Finding], accepted: list[Accepted], *, today: date = TODAY) -> list[tuple[bool, str]]:
    return [(fails, line.split()[0]) for fails, line in report(findings, accepted, today=today)]


def test_no_question_names_a_package_twice_and_no_version_goes_unasked() -> None:
    pins = list({str(pin): pin for each in LOCKS for pin in pins_of(each)}.values())
    rounds = rounds_of(pins)
    assert len(rounds) > 1, "the locks differ in something"
    assert all(len({pin.name for pin in asked}) == len(asked) for asked in rounds)
    assert sorted(str(pin) for asked in rounds for pin in asked) == sorted(map(str, pins))


def test_a_finding_fails_and_says_what_mends_it() -> None:
    ((fails, line),) = report([FINDING], [], today=TODAY)
    assert fails
    assert "contoso-library 1.2  PYSEC-2026-1, CVE-2026-1  fixed in 1.3: make lock ARGS=--upgrade" in line


def test_an_accepted_finding_passes_until_its_review_and_fails_from_then_on() -> None:
    assert told([FINDING], [KNOWN]) == [(False, "accepted")]
    assert told([FINDING], [KNOWN], today=date(2026, 11, 22)) == [(True, "REVIEW")]


def test_what_is_accepted_and_not_found_any_more_is_to_be_removed() -> None:
    assert told([], [KNOWN]) == [(True, "OBSOLETE")]


def test_an_acceptance_is_for_one_package() -> None:
    elsewhere = Finding("another-library", "1.2", FINDING.ids, ())
    assert told([elsewhere], [KNOWN]) == [(True, "KNOWN"), (True, "OBSOLETE")]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "contoso-library", "skip_reason": "not found on PyPI"},
        {"name": "another-library", "version": "1.2", "vulns": []},
    ],
)
def test_a_pin_without_an_answer_is_no_good_news(entry: Mapping[str, object]) -> None:
    with pytest.raises(UnreachableError, match=r"contoso-library==1\.2"):
        list(findings_in({"dependencies": [entry]}, [Pin("contoso-library", "1.2", (DIGEST,))]))


def test_a_pin_of_another_platform_is_a_pin(tmp_path: Path) -> None:
    text = f"contoso-library==1.2 ; sys_platform == 'win32' \\\n    --hash={DIGEST}\n    # via another-library\n"
    assert pins_of(lock(tmp_path, text)) == (Pin("contoso-library", "1.2", (DIGEST,)),)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_line_of_every_lock_file_is_a_pin(path: Path) -> None:
    begun = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1].isalnum()]
    assert len(pins_of(path)) == len(begun) > 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("contoso-library==1.2\n", "line 1: 'contoso-library==1.2' has no hash"),
        (f"# a note\ncontoso-library>=1.2 --hash={DIGEST}\n", "line 2: .* names no exact version"),
        (f"contoso-library --hash={DIGEST}\n", "names no exact version"),
        (f"https://contoso.example/library.whl --hash={DIGEST}\n", "names no exact version"),
        (f"contoso-library==1.2 --hash={DIGEST[:-1]}\n", "has no hash"),
    ],
)
def test_a_line_that_pins_nothing_is_named_before_anybody_is_asked(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(UnpinnedError, match=fault):
        pins_of(lock(tmp_path, text))
    assert audit([lock(tmp_path, text)], ACCEPTED, [], today=TODAY)[0] == FAULTY


def test_the_accepted_findings_of_this_checkout_are_complete() -> None:
    assert all(each.accepted <= each.review for each in accepted_in(ACCEPTED))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[[finding]]\nid = "CVE-2026-1"\n', "finding 1: it needs id, package, reason, accepted, review"),
        (
            '[[finding]]\nid = "CVE-2026-1"\npackage = "a"\nreason = ""\naccepted = 2026-11-21\nreview = 2027-02-21\n',
            "finding 1: reason is no text",
        ),
        (
            '[[finding]]\nid = "CVE-2026-1"\npackage = "a"\nreason = "b"\naccepted = 2026-11-21\nreview = "soon"\n',
            "finding 1: review is no date",
        ),
        ("[finding\n", "accepted.toml: "),
        ('[ignored]\nid = "CVE-2026-1"\n', "begin with"),
    ],
)
def test_an_acceptance_that_says_too_little_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AcceptedError, match=fault):
        accepted_in(path)
