"""Ask whether anything that is pinned has a known vulnerability: pip-audit, and what it leaves out.

pip-audit ends well when the service did not answer for a package, and leaves out what an environment marker excludes
on this platform. Here every pin of every lock file is asked for, and an answer that is missing is no good news.

Exit codes: 0 nothing known, or accepted; 1 something is known; 2 a pin or an acceptance is faulty; 3 nobody could be
asked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import zip_longest
from pathlib import Path

from supply_chain.accepted import Accepted, AcceptedError, accepted_in
from supply_chain.pins import Pin, UnpinnedError, pins_of

CLEAN, FOUND, FAULTY, UNREACHABLE = 0, 1, 2, 3
ACCEPTED = Path(__file__).with_name("accepted.toml")
_SECONDS = 600
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """A known vulnerability of something that is pinned."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        cure = f"fixed in {', '.join(self.fixed_in)}: make lock ARGS=--upgrade" if self.fixed_in else "no fix is known"
        return f"{self.package} {self.version}  {', '.join(self.ids)}  {cure}"

    def is_accepted_by(self, accepted: Accepted) -> bool:
        """Whether this is what was accepted."""
        return accepted.package == self.package and accepted.id in self.ids


class UnreachableError(Exception):
    """No answer, or none for some packages; the text says what to do."""


def answer_for(pins: Iterable[Pin], options: Sequence[str]) -> Mapping[str, object]:
    """What pip-audit says of these pins. Raises UnreachableError."""
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        every = Path(folder) / "requirements.txt"
        every.write_text(
            "".join(f"{pin} {' '.join(f'--hash={each}' for each in pin.hashes)}\n" for pin in pins), "utf-8"
        )
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", str(every)]
        command += ["--format", "json", "--desc", "off", "--progress-spinner", "off", *options]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    try:
        answer: Mapping[str, object] = json.loads(ended.stdout)
    except ValueError as error:
        said = (ended.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UnreachableError(f"pip-audit got no answer; it said: {said[:_LONGEST]}") from error
    return answer


def rounds_of(pins: Iterable[Pin]) -> list[list[Pin]]:
    """The pins as lists that hold each name once: locks may differ, and pip-audit takes one version of a name."""
    versions: dict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        versions[pin.name].append(pin)
    return [[pin for pin in each if pin] for each in zip_longest(*versions.values())]


def findings_in(answer: Mapping[str, object], pins: Iterable[Pin]) -> Iterator[Finding]:
    """Every finding. Raises UnreachableError when a pin was not answered for."""
    told = {each["name"]: each for each in answer["dependencies"] if "vulns" in each}  # type: ignore[attr-defined]
    if missing := sorted(str(pin) for pin in pins if pin.name not in told):
        several = f"{missing[0]} and {len(missing) - 1} more" if len(missing) > 1 else missing[0]
        raise UnreachableError(f"the service has no answer for {several}")
    for name, each in told.items():
        for known in each["vulns"]:
            yield Finding(name, each["version"], (known["id"], *known["aliases"]), tuple(known["fix_versions"]))


def report(findings: Sequence[Finding], accepted: Sequence[Accepted], *, today: date) -> Iterator[tuple[bool, str]]:
    """A line for each finding and each acceptance that is out of place, and whether it fails the audit."""
    for finding in findings:
        match next((each for each in accepted if finding.is_accepted_by(each)), None):
            case None:
                yield True, f"KNOWN     {finding}"
            case Accepted() as each if each.review < today:
                yield True, f"REVIEW    {finding}  was to be looked at again on {each.review}: {each.reason}"
            case each:
                yield False, f"accepted  {finding}  until {each.review}: {each.reason}"
    for each in accepted:
        if not any(finding.is_accepted_by(each) for finding in findings):
            yield True, f"OBSOLETE  {each}  is not found any more: remove it from {ACCEPTED.name}"


def audit(locks: Sequence[Path], accepted: Path, options: Sequence[str], *, today: date) -> tuple[int, list[str]]:
    """The exit code, and what to print."""
    try:
        pins = {str(pin): pin for lock in locks for pin in pins_of(lock)}.values()
        known = accepted_in(accepted)
        findings = [found for asked in rounds_of(pins) for found in findings_in(answer_for(asked, options), asked)]
        lines = list(report(findings, known, today=today))
    except (UnpinnedError, AcceptedError, OSError) as fault:
        return FAULTY, [f"FAULTY    {fault}"]
    except UnreachableError as fault:
        return UNREACHABLE, [
            f"NOT ASKED {fault}",
            "          nothing was proven: run it where api.osv.dev can be reached",
        ]
    failed = any(fails for fails, _ in lines)
    summary = f"{len(pins)} pinned distributions, {sum(fails for fails, _ in lines)} findings to act on"
    return FOUND if failed else CLEAN, [*(line for _, line in lines), summary]


def main() -> int:
    """Audit lock files; options that are not known here are pip-audit's."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.audit", description=__doc__)
    parser.add_argument("locks", nargs="+", type=Path)
    parser.add_argument("--accepted", type=Path, default=ACCEPTED)
    asked, options = parser.parse_known_args()
    service = ["--vulnerability-service", "osv", "--cache-dir", ".cache/pip-audit"]
    code, lines = audit(asked.locks, asked.accepted, [*service, *options], today=datetime.now(UTC).date())
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
