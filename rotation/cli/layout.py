"""The pieces of what is shown: blocks and tables that stay in order at 80 columns, and text of others made harmless.

Names, labels and messages come from tags and from other systems: whatever they hold, a terminal gets printable
characters, and no style but ours. What is shown is left to `render`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rotation.reason import Severity

STYLES = {Severity.CRITICAL: "bold red", Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NONE: ""}
_LONGEST_LABEL = 40
_KEY_WIDTH = 8


def plain(text: str) -> str:
    """Text that can do nothing to a terminal: no escape sequence, no line break, no change of direction."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def named(name: str, label: str) -> Text:
    """A secret's name, which is never cut, and beside it the name that people know it by."""
    text = Text(plain(name))
    if label:
        label = plain(label)
        text.append(f" ({label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 3] + '...'})", style="dim")
    return text


def listed(names: Iterable[Text], total: int) -> Text:
    """Some names, a line each, and how many more there are."""
    shown = list(names)
    more = f"and {total - len(shown)} more" if shown else str(total)
    return Text("\n").join([*shown, Text(more)] if total > len(shown) else shown)


def hanging(console: Console, first: Text, text: Text, *, indent: int) -> None:
    """Print `first` and beside it the text, whose further lines begin at `indent` too."""
    for number, line in enumerate(text.wrap(console, max(20, console.width - indent)) or [Text()]):
        margin = first if number == 0 else Text()
        console.print(Text.assemble(margin, " " * (indent - margin.cell_len), line), no_wrap=True, crop=False)


def block(console: Console, severity: Severity, heading: Text, rows: Sequence[tuple[str, Text]]) -> None:
    """One problem: its severity as a word, what it is about, and a line for each thing to know."""
    word = Text(severity.upper() if severity is not Severity.NONE else "NOTE", style=STYLES[severity])
    hanging(console, word, heading, indent=_KEY_WIDTH + 2)
    for key, text in rows:
        if text:
            hanging(console, Text(f"  {key}", style="dim"), text, indent=_KEY_WIDTH + 2)
    console.print()


def table(console: Console, headers: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Columns as wide as what is in them. On a narrow terminal the labels wrap first; the names stay whole."""
    if not rows:
        return
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    longest = max(cell_len(row[0].plain.partition(" ")[0]) for row in rows)
    drawn.add_column(headers[0], min_width=min(longest, console.width // 2), overflow="fold")
    for position, header in enumerate(headers[1:], start=1):
        widest_word = max((cell_len(word) for row in rows for word in row[position].plain.split()), default=1)
        drawn.add_column(header, min_width=min(max(widest_word, len(header)), 26), overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)
    console.print()
