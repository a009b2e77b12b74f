"""Everything that is logged in a block, by whatever library: where a value must not be seen."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator


class _Kept(logging.Handler):
    """Keeps everything that a log record can show."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [record.getMessage(), str(vars(record))]
        if record.exc_info:
            self.texts.append("".join(traceback.format_exception(*record.exc_info)))


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """Everything that is logged in a block, by whatever library, from DEBUG on."""
    root, kept = logging.getLogger(), _Kept()
    level, handlers = root.level, root.handlers
    root.setLevel(logging.DEBUG)
    root.handlers = [kept]
    try:
        yield kept.texts
    finally:
        root.setLevel(level)
        root.handlers = handlers
