"""
Our own log on stderr: warnings, and with ``--debug`` every decision taken. Never anybody else's log.

botocore's at DEBUG prints tokens and secret keys by intent (boto/botocore#2626), so the root logger is
left alone.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .command import PROGRAM
from .terminal import Terminal, printable

LINE_LIMIT = 1000


class _Handler(logging.Handler):
    def __init__(self, terminal: Terminal, *, hold: bool) -> None:
        super().__init__()
        self.held: list[str] = []
        self._terminal = terminal
        self._hold = hold

    def emit(self, record: logging.LogRecord) -> None:
        text = printable(record.getMessage(), LINE_LIMIT)
        if record.levelno < logging.WARNING:
            self._terminal.say(f"{PROGRAM}: debug: {record.name.rpartition('.')[2]}: {text}")
        elif self._hold:
            self.held.append(text)
        else:
            self.show(text)

    def show(self, text: str) -> None:
        self._terminal.notice(f"{PROGRAM}: warning: {text}")


@contextmanager
def logging_to(terminal: Terminal, *, debug: bool, hold: bool) -> Iterator[None]:
    """
    Show our log for as long as a ``with`` block.

    Args:
        terminal: Where.
        debug: Whether to show what is below a warning.
        hold: Whether to keep warnings back until the block has ended well: of a failure nothing but its
            one line is to be seen.
    """
    logger = logging.getLogger("cognito_credentials")
    handler = _Handler(terminal, hold=hold and not debug)
    level_before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        with warnings.catch_warnings():
            if not debug:
                # A library's deprecation is no news to whoever runs a command, and SDKs show our stderr.
                warnings.simplefilter("ignore")
            yield
        for text in handler.held:
            handler.show(text)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level_before)
