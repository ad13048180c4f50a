"""
The log: one line for each request, for a reader who may be slow, or not read at all.

A pipe that nobody reads takes some 64 KiB, and then holds whoever writes to it. So a thread of its own
writes, and neither requests nor the end of the emulator wait for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from queue import Full, Queue
from typing import TextIO

from cognito_credentials.emulator.model.members import one_line
from cognito_credentials.emulator.wire.answers import Answer

MOST_LINES = 1000
LEFT_OUT = "cognito-credentials: lines are left out here, as nobody had read those above"
_END_SECONDS = 1.0
_MAX_NAME = 64
_MAX_REASON = 300


def log_line(now: float, what: str, answer: Answer | None, seconds: float) -> str:
    """
    One line: when, what, how it ended, how long it took, and for a refusal why.

    Args:
        now: Seconds since the epoch, by the emulator's clock; shown in UTC.
        what: An operation, or method and path of what is none.
        answer: None when the connection was dropped as planned.
        seconds: What the request took.
    """
    # What a request brings along may neither end the line nor move the cursor of a terminal.
    moment = time.strftime("%H:%M:%S", time.gmtime(now))
    outcome = "dropped" if answer is None else f"{answer.status} {answer.code}".strip()
    line = f"{moment} {one_line(what, _MAX_NAME) or '-'} {outcome} {seconds * 1000:.1f} ms"
    why = one_line(answer.message, _MAX_REASON) if answer is not None else ""
    return f"{line}: {why}" if why else line


class LineWriter:
    """
    Writes lines to a stream, in order; those that come faster than they are read are left out.

    Args:
        stream: Where to; it is written to past its buffers, if it has any.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: Queue[str | None] = Queue(MOST_LINES)
        self._leaves_out = False
        self._thread = threading.Thread(target=self._run, name="cognito-emulator-log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Have *line* written; waits for nothing."""
        try:
            if self._leaves_out:
                self._lines.put_nowait(LEFT_OUT)
                self._leaves_out = False
            self._lines.put_nowait(line)
        except Full:
            self._leaves_out = True

    def close(self) -> None:
        """Wait until all is written, but no longer than a moment."""
        try:
            self._lines.put(None, timeout=_END_SECONDS)
        except Full:
            return
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # that the reader has left is no reason to end
                self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        raw = getattr(getattr(self._stream, "buffer", None), "raw", None)
        if raw is None:
            self._stream.write(text)
            self._stream.flush()
        else:
            # A buffer has a lock, and the end of Python waits for that of stderr, for ever if this is held.
            raw.write(text.encode(self._stream.encoding, "backslashreplace"))
