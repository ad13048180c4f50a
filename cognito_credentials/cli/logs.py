"""
The log of this package on stderr: warnings, and with ``--debug`` every decision.

The root logger is left alone: at DEBUG botocore logs tokens and secret keys by intent
(https://github.com/boto/botocore/issues/2626).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .command import PROGRAM
from .failures import whose
from .terminal import Terminal, printable

LINE_LIMIT = 1000
_WAITING = "cognito_credentials.cache.waiting"
"""The logger that says when another process is waited for, which the progress shows."""


class _Handler(logging.Handler):
    def __init__(self, terminal: Terminal, profile: str | None, *, debug: bool, hold: bool) -> None:
        super().__init__()
        self._debug = debug
        self.held: list[str] = []
        self._terminal = terminal
        self._profile = profile
        self._hold = hold

    def emit(self, record: logging.LogRecord) -> None:
        if (is_waiting := getattr(record, "is_waiting", None)) is not None:
            self._terminal.progress("waiting for another process" if is_waiting else "")
        if record.levelno < logging.WARNING and not self._debug:
            return
        text = printable(record.getMessage(), LINE_LIMIT)
        if record.levelno < logging.WARNING:
            self._terminal.say(f"{PROGRAM}: debug: {record.name.rpartition('.')[2]}: {text}")
        elif self._hold:
            self.held.append(text)
        else:
            self.show(text)

    def show(self, text: str) -> None:
        self._terminal.notice(f"{PROGRAM}: warning: {whose(text, self._profile)}{text}")


@contextmanager
def logging_to(terminal: Terminal, *, profile: str | None = None, debug: bool, hold: bool) -> Iterator[None]:
    """
    Show our log during a ``with`` block.

    Args:
        profile: The profile concerned, if any, which a warning names as an error does.
        debug: Whether to show what is below a warning.
        hold: Whether to hold warnings back until the block has ended without an error, so that a failure
            prints nothing but its one line.
    """
    logger = logging.getLogger("cognito_credentials")
    handler = _Handler(terminal, profile, debug=debug, hold=hold and not debug)
    waiting = logging.getLogger(_WAITING)
    level_before, waiting_before = logger.level, waiting.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    waiting.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings():
            if not debug:
                # Users can do nothing about a library's deprecations, and SDKs show our stderr.
                warnings.simplefilter("ignore")
            yield
        for text in handler.held:
            handler.show(text)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level_before)
        waiting.setLevel(waiting_before)
