"""Copies of the classification's table, each wrong in one place. `python -m tests.diagnosis.mutants`: how many live.

A copy that survives is a row that nothing proves. Copies that classify every answer alike are not made: what an
`error` means by itself need not be possible under it as well, and the order of two reasons that are possible together
under no `error` decides nothing.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from rotation.aadsts import RULES, Rules
from tests.diagnosis.corpora import Case

_NEAR_A_REFUSAL = (200, 402, 403, 404)


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong, and the table that is."""

    wrong: str
    rules: Rules


def mutants() -> Iterator[Mutant]:
    """Every copy."""
    yield from _statuses()
    yield from _numbers()
    yield from _order()
    yield from (
        Mutant(f"no suberror {key}", replace(RULES, suberrors=_less(RULES.suberrors, key))) for key in RULES.suberrors
    )
    yield from (Mutant(f"no error {key}", replace(RULES, errors=_less(RULES.errors, key))) for key in RULES.errors)
    yield from (Mutant(f"no class {key}", replace(RULES, inside=_less(RULES.inside, key))) for key in RULES.inside)
    yield from _classes()
    for reason in RULES.numbers:
        yield Mutant(f"unknown ^ {reason}", replace(RULES, unknown=RULES.unknown ^ {reason}))


def survivors(cases: Iterable[Case]) -> list[str]:
    """What could be wrong without any of the cases noticing."""
    asked = tuple(cases)
    return [mutant.wrong for mutant in mutants() if all(case.holds(mutant.rules) for case in asked)]


def _statuses() -> Iterator[Mutant]:
    for statuses in RULES.statuses:
        yield Mutant(f"no {statuses}", replace(RULES, statuses=_less(RULES.statuses, statuses)))
        for narrower in (statuses[1:], statuses[:-1]) if len(statuses) > 1 else ():
            changed = {narrower if key == statuses else key: reason for key, reason in RULES.statuses.items()}
            yield Mutant(f"{narrower} for {statuses}", replace(RULES, statuses=changed))
    for status in {*RULES.refusals, *_NEAR_A_REFUSAL}:
        yield Mutant(f"refusals ^ {status}", replace(RULES, refusals=RULES.refusals ^ {status}))


def _numbers() -> Iterator[Mutant]:
    for reason, own in RULES.numbers.items():
        for number in own:
            fewer = {**RULES.numbers, reason: tuple(each for each in own if each != number)}
            yield Mutant(f"no {number} in {reason}", replace(RULES, numbers=fewer))


def _order() -> Iterator[Mutant]:
    classes = [*RULES.inside.values(), RULES.unknown]
    for first, second in itertools.pairwise(RULES.numbers):
        if any({first, second} <= possible for possible in classes):
            swapped = {first: second, second: first}
            numbers = {swapped.get(reason, reason): () for reason in RULES.numbers}
            changed = {reason: RULES.numbers[reason] for reason in numbers}
            yield Mutant(f"{second} before {first}", replace(RULES, numbers=changed))


def _classes() -> Iterator[Mutant]:
    for error, possible in RULES.inside.items():
        for reason in RULES.numbers:
            if reason is not RULES.errors[error]:
                changed = {**RULES.inside, error: possible ^ {reason}}
                yield Mutant(f"{error} ^ {reason}", replace(RULES, inside=changed))


def _less[K, V](rows: Mapping[K, V], row: K) -> dict[K, V]:
    return {key: value for key, value in rows.items() if key != row}


if __name__ == "__main__":
    from tests.diagnosis.test_rules import CASES

    living = survivors(CASES)
    said = f"{sum(1 for _ in mutants())} wrong tables, {len(CASES)} cases, {len(living)} survivors"
    sys.stdout.write("\n".join([said, *living, ""]))
    sys.exit(bool(living))
