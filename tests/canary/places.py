"""Every place where a person could read what the product says, as text, at the loudest that can be set.

`Listening` collects log records of every library at DEBUG, with their attributes, and tracebacks with the locals of
every frame; the tests add what the doors print and answer.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Said:
    """What was said, by place: telemetry, log, HTTP, CLI, exception, traceback, repr."""

    by_place: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: str, *texts: object) -> None:
        """Note texts, or values by their `repr` and `str`."""
        shown = [text if isinstance(text, str) else f"{text!r}\n{text!s}" for text in texts]
        self.by_place.setdefault(place, []).extend(shown)

    def add_raised(self, error: BaseException) -> None:
        """Note an exception as a person may see it: its text, its arguments, its traceback with locals."""
        self.add("exception", f"{error!r}\n{error!s}\n{error.args!r}\n{vars(error)!r}")
        self.add("traceback", with_locals(error))

    def text_of(self, place: str) -> str:
        return "\n".join(self.by_place.get(place, []))


def with_locals(error: BaseException) -> str:
    """The traceback of an exception and of all that Python shows behind it, with the locals of every frame."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


class _Records(logging.Handler):
    def __init__(self, said: Said) -> None:
        super().__init__(logging.NOTSET)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.add("log", self.format(record), str(vars(record)))
        if record.exc_info and record.exc_info[1] is not None:
            self._said.add_raised(record.exc_info[1])


@contextmanager
def listening() -> Iterator[Said]:
    """Log everything at DEBUG for the length of a block, and keep it."""
    said, root = Said(), logging.getLogger()
    handler, level = _Records(said), root.level
    loggers = [
        logging.getLogger(name) for name in ("azure", "msal", "urllib3", "requests", "rotation", "opentelemetry")
    ]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in (root, *loggers):
        logger.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)
