"""The arithmetic of docs/scale.md, from the tables in the README: so neither page can say what the other does not.

Units are rounded up, so that a bound is on the safe side and does not move with every measurement. What follows from
published limits and settings alone is the page's own text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.readme import BEGIN, END, NoPlaceError

_PACE, _RUN_SECONDS, _RUNS_A_WEEK, _STATUS_SECONDS = 29, 480, 28, 150
_PLACE = re.compile(r"(<!-- (?P<name>[a-z ]+), from the README: begin -->\n).*?(<!-- (?P=name): end -->)", re.DOTALL)

_UNITS = """\
| what | figure | from |
|---|---|---|
| stores into one vault | 29 a second, of the 30 that it allows | measured; `WRITES_PER_SECOND` |
| a run starts tokens for | 480 s, four times a day: 28 runs a week | `RUN_TIME_LIMIT_SECONDS`, `ROTATION_SCHEDULE` |
| a token is rotated | once a week, so 1 in 28 is due in a run | `ROTATE_AFTER_DAYS` |
| listing | 25 tokens a page, {page_ms:.0f} ms a page: {list_ms:g} ms a token | Key Vault; measured with a vault that takes 20 ms |
| processor time | {rotated_ms:g} ms a rotated token, {listed_ms:g} ms a listed one | measured |
| memory | {base_mb} MB, {due_kb} kB more for each token that is *due*, none for one that is not | measured |
"""  # noqa: E501
_VAULT = """\
    N / 28 / 29  +  N × {listing:g}  seconds      (rotations at the pace, and the list before them)

| tokens in one vault | due in a run | rotations | list | a run | of 480 s |
|---|---|---|---|---|---|
{rows}
"""  # noqa: RUF001
_INSTANCE = """\
| bound | arithmetic | tokens |
|---|---|---|
| 16 tokens in flight (the default), 0.25 s each: 64 a second | 480 / (1 / 28 / 64 + {listing:g} / 4 vaults) | {sixteen} |
| 64 tokens in flight (`MAX_CONCURRENCY=64`), 4 vaults at the pace: 116 a second | 480 / (1 / 28 / 116 + {listing:g} / 4) | {paced} |
| the same as it was measured: {four} a second | 480 / (1 / 28 / {four} + {listing:g} / 4) | {seen} |
| one core (an instance of 2,048 MB) | 480 / ({rotated:g} / 28 + {listed:g}) | {core} |
| a quarter of a core (512 MB) | a quarter of that | {quarter} |
| memory, all due at once, four vaults of 13,920 | {base_mb} MB + 55,680 × {due_kb} kB | {memory:.0f} MB |
| `status` of one vault, in 150 s | 150 / {listing:g} | {status} |
| `status` of several, on one core | 150 / {listed:g} | {status_core} |
"""  # noqa: E501, RUF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What one token costs: milliseconds of listing, of processor when it is rotated and when it is only listed, kB.

    `base_mb` is the memory of a run with few due tokens; `four` the stores a second that four vaults were seen to get.
    """

    list_ms: float
    rotated_ms: float
    listed_ms: float
    base_mb: int
    due_kb: int
    four: int


def units_of(readme: str) -> Units:
    """The units that the README's measurements make. Raises NoPlaceError when a row is not there."""
    many, some = _row(readme, "10,000 due, limit on"), _row(readme, "1,000 due, limit on")
    fresh, four = _row(readme, "100,000 not due"), _row(readme, "1,000 due, 4 vaults, limit on")
    peak, grown = _numbers(some["peak MB"])
    return Units(
        list_ms=_up(1000 / _number(fresh["tokens/s"]), 0.1),
        rotated_ms=_up(_number(many["CPU ms a token"]), 1),
        listed_ms=_up(_number(fresh["CPU ms a token"]), 0.1),
        base_mb=int(_up(peak, 10)),
        due_kb=int(_up((_numbers(many["peak MB"])[1] - grown) * 1024 / 9_000, 1)),
        four=int(_number(four["stores/s"])),
    )


def with_tables(text: str, units: Units) -> str:
    """The page with its tables as the units make them. Raises NoPlaceError when a place for one is missing."""
    tables = {"units": _units_table, "one vault": _vault_table, "one instance": _instance_table}
    found = [place["name"] for place in _PLACE.finditer(text)]
    if found != list(tables):
        raise NoPlaceError(f"docs/scale.md must have a place for each of {', '.join(tables)}, in this order")
    return _PLACE.sub(lambda place: f"{place[1]}{tables[place['name']](units)}{place[3]}", text)


def rewrite(page: Path, readme: Path) -> None:
    """Rewrite the page from the README. Raises NoPlaceError and OSError."""
    units = units_of(readme.read_text(encoding="utf-8"))
    page.write_text(with_tables(page.read_text(encoding="utf-8"), units), encoding="utf-8")


def _units_table(units: Units) -> str:
    return _UNITS.format(**asdict(units), page_ms=25 * units.list_ms)


def _vault_table(units: Units) -> str:
    listing = units.list_ms / 1000
    last = _thousands(_RUN_SECONDS / (1 / _RUNS_A_WEEK / _PACE + listing))
    rows = []
    for tokens in (1_000, 10_000, 100_000, last):
        due, listed = tokens / _RUNS_A_WEEK, tokens * listing
        run = due / _PACE + listed
        seconds = " | ".join(f"{each:.0f} s" for each in (due / _PACE, listed, run))
        rows.append(f"| {tokens:,} | {due:,.0f} | {seconds} | {run / _RUN_SECONDS:.0%} |")
    return _VAULT.format(listing=listing, rows="\n".join(rows))


def _instance_table(units: Units) -> str:
    listing, rotated, listed = (one / 1000 for one in (units.list_ms, units.rotated_ms, units.listed_ms))
    core = _RUN_SECONDS / (rotated / _RUNS_A_WEEK + listed)
    bounds = {
        **{name: _RUN_SECONDS / (1 / _RUNS_A_WEEK / rate + listing / 4) for name, rate in _rates(units).items()},
        "core": core,
        "quarter": core / 4,
        "status": _STATUS_SECONDS / listing,
        "status_core": _STATUS_SECONDS / listed,
    }
    return _INSTANCE.format(
        **asdict(units),
        **{name: f"{_thousands(tokens):,}" for name, tokens in bounds.items()},
        listing=listing,
        rotated=rotated,
        listed=listed,
        memory=units.base_mb + 4 * _RUN_SECONDS * _PACE * units.due_kb / 1000,
    )


def _rates(units: Units) -> Mapping[str, float]:
    """Rotations a second of one instance."""
    return {"sixteen": 16 / 0.25, "paced": 4 * _PACE, "seen": units.four}


def _row(readme: str, world: str) -> Mapping[str, str]:
    """The product's row for this world, by the heads of its columns."""
    block = readme.partition(BEGIN)[2].partition(END)[0]
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines() if line.startswith("|")]
    heads = next((line for line in lines if line[:1] == ["world"]), [])
    for line in lines:
        if [line[0].partition(" (one of")[0], line[1]] == [world, "this project"]:
            return dict(zip(heads, line, strict=True))
    raise NoPlaceError(f"the README has no measurement of this project for: {world}")


def _numbers(cell: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d[\d.]*", cell.replace(",", ""))]


def _number(cell: str) -> float:
    return _numbers(cell)[0]


def _up(value: float, step: float) -> float:
    return round(math.ceil(value / step - 1e-9) * step, 3)


def _thousands(tokens: float) -> int:
    return math.floor(tokens / 1000) * 1000
