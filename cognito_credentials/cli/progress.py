"""
One line on stderr that says what takes so long: it appears after a second, counts, and is gone in the end.

A thread draws it, since what takes long is anywhere in the library. It leaves the cursor at the beginning of
the line, so that whatever is printed next stands in its place. It is not drawn while somebody is asked
something. `Terminal.aside` says so for our own questions. Others, such as boto3's for an MFA code, are known
by a terminal that does not show what is typed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TextIO

from .looks import Look, cut

SECONDS: Final = 1.0
"""After which the line appears, and between two counts."""
_ENDING_SECONDS: Final = 2.0
_ERASED: Final = "\r\033[K"


class Progress:
    """
    The line, from the beginning to the end of a ``with`` block.

    Args:
        stream: A terminal that obeys escape sequences.
        look: What it can show.
        write: Writes to it.
        what: What takes its time, such as "listing identities".
    """

    def __init__(self, stream: TextIO, look: Look, write: Callable[[str], None], what: str) -> None:
        self.detail = ""
        """How far it is, or what it waits for; empty for neither."""
        self._stream = stream
        self._look = look
        self._write = write
        self._what = what
        self._began = time.monotonic()
        self._is_shown = False
        self._asides = 0
        # A signal may end a block of the main thread at any place, and it takes the lock again at the end.
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cognito-credentials-progress", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether the ``with`` block has not ended."""
        return not self._ended.is_set()

    def __enter__(self) -> None:
        try:
            self._thread.start()
        except RuntimeError:  # no more threads, which is no reason not to do the work
            self._ended.set()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(_ENDING_SECONDS)
        self._erase()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Within the ``with`` block the line is not there, and something else can be written."""
        with self._lock:
            self._asides += 1
            self._erase()
        try:
            yield
        finally:
            with self._lock:
                self._asides -= 1

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            with self._lock:
                if not self._asides and not self._ended.is_set() and _is_free(self._stream):
                    self._draw()

    def _draw(self) -> None:
        detail = f": {self.detail}" if self.detail else ""
        dots = "…" if self._look.has_blocks else "..."
        text = f"{self._what}{detail}{dots} {time.monotonic() - self._began:.0f} s"
        mark = "" if self._look.has_blocks else ".."  # of an ellipsis that is cut off, in ASCII
        self._write(f"\r{cut(text, (self._look.width or 80) - 1 - len(mark))}\033[K\r")
        self._is_shown = True

    def _erase(self) -> None:
        with self._lock:
            if self._is_shown:
                self._is_shown = False
                self._write(_ERASED)


def _is_free(stream: TextIO) -> bool:
    """Tell whether the terminal is ours now: in the foreground, and nobody types a secret."""
    try:
        import termios
    except ImportError:  # Windows
        return True
    try:
        terminal = stream.fileno()
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            return False
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except (OSError, ValueError, termios.error):
        return True  # it is not the terminal that controls this process, which has no foreground then
