"""Everything that a program logs when its root logger is wide open."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest


class Log(logging.Handler):
    """Collects everything that is logged, at every level."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.lines: list[tuple[str, int | None, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        shown = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append((record.name, record.thread, record.getMessage() + shown))

    @property
    def text(self) -> str:
        return "\n".join(line for _, _, line in self.lines)


@pytest.fixture
def log() -> Iterator[Log]:
    """The root logger at level 1, as ``logging.basicConfig(level=1)`` makes it."""
    handler = Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)
