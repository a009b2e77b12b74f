"""Was any value shown? Records everything that is printed and logged, and looks for every value of the world in it.

A value counts as shown when twelve of its characters stand in a row: a shortened one, or one that a table broke into
lines, is found too. Knows nothing of the story.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TextIO

from emulators.world import World

IN_A_ROW = 12
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_PLAIN = frozenset(vars(logging.makeLogRecord({})))


@dataclass(frozen=True, slots=True)
class Finding:
    """How many values were looked for in how many characters, and the names of those that stand in them."""

    values: int
    characters: int
    shown: tuple[str, ...]


def values_of(world: World) -> dict[str, str]:
    """Every secret value of the world by a name that may be told.

    Refresh tokens and client secrets are taken from every version of every secret. Access tokens are kept nowhere: the
    beginning that all tokens signed by this issuer share stands for them.
    """
    vault = world.vault.state
    stored = {f"{name}/{one.version}": one.value for name in vault.names() for one in vault.versions(name)}
    signed, _, _ = world.entra.key.sign({}).partition(".")
    return stored | {"access tokens": signed, "the header of the managed identity": world.identities.header}


def look_for(values: dict[str, str], text: str) -> Finding:
    """Look for every value in a text; styles of a terminal in between hide nothing."""
    plain = _STYLE.sub("", text)
    parts = {part: name for name, value in values.items() for part in _runs(value)}
    shown = {parts[part] for part in _runs(plain) if part in parts}
    return Finding(len(set(values.values())), len(text), tuple(sorted(shown)))


def _runs(text: str) -> Iterable[str]:
    return (text[start : start + IN_A_ROW] for start in range(max(1, len(text) - IN_A_ROW + 1)))


@contextmanager
def recording() -> Iterator[Callable[[], str]]:
    """Record stdout, stderr and every log record for the length of a block; the function returns all of it so far.

    Every logger speaks at DEBUG meanwhile. What is printed is still shown, what is logged is not.
    """
    kept = io.StringIO()
    root, handler = logging.getLogger(), _KeptRecords(kept)
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [*handlers, handler]
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(_Kept(sys.stdout, kept)), redirect_stderr(_Kept(sys.stderr, kept)):
            yield kept.getvalue
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


class _Kept(io.TextIOBase):
    """A stream that keeps what passes through it."""

    def __init__(self, stream: TextIO, kept: io.StringIO) -> None:
        super().__init__()
        self._stream = stream
        self._kept = kept

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def write(self, text: str) -> int:
        self._kept.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """Leave the stream open: it is not this one's, and may be closed already."""


class _KeptRecords(logging.Handler):
    """Keeps the text, the traceback and the extra attributes of every record."""

    def __init__(self, kept: io.StringIO) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        self._kept.write(f"{record.name} {self.format(record)} {extra or ''}\n")
