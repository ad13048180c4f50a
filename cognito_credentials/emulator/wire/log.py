"""
The log: one line for each request, to a stream whose reader may be slow or not read at all.

A pipe that nobody reads blocks its writer after some 64 KiB. So a separate thread writes, and neither
requests nor the end of the emulator wait for it.
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
LEFT_OUT = "cognito-credentials: lines are left out here, because nobody had read those above"
_END_SECONDS = 1.0
_MAX_NAME = 64
_MAX_REASON = 300


def log_line(now: float, request: str, answer: Answer | None, seconds: float) -> str:
    """
    One line with the time, the request, its outcome, its duration, and the text of an error.

    Args:
        now: Seconds since the epoch, by the emulator's clock. The line has the time in UTC.
        request: The operation; method and path of a request that calls none.
        answer: None when a fault closed the connection.
        seconds: The duration of the request.
    """
    # Text of a request must not end the line or control a terminal.
    moment = time.strftime("%H:%M:%S", time.gmtime(now))
    outcome = "dropped" if answer is None else f"{answer.status} {answer.code}".strip()
    line = f"{moment} {one_line(request, _MAX_NAME) or '-'} {outcome} {seconds * 1000:.1f} ms"
    reason = one_line(answer.message, _MAX_REASON) if answer is not None else ""
    return f"{line}: {reason}" if reason else line


class LineWriter:
    """
    Writes lines to a stream in a separate thread. Lines that come faster than they are read are left out.

    Args:
        stream: The stream to write to. Its buffers are bypassed.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: Queue[str | None] = Queue(MOST_LINES)
        self._leaves_out = False
        self._thread = threading.Thread(target=self._run, name="cognito-emulator-log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write *line* soon. Returns at once."""
        try:
            if self._leaves_out:
                self._lines.put_nowait(LEFT_OUT)
                self._leaves_out = False
            self._lines.put_nowait(line)
        except Full:
            self._leaves_out = True

    def close(self) -> None:
        """Wait until all lines are written, at most two seconds."""
        try:
            self._lines.put(None, timeout=_END_SECONDS)
        except Full:
            return
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # the reader has closed the pipe
                self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        raw = getattr(getattr(self._stream, "buffer", None), "raw", None)
        if raw is None:
            self._stream.write(text)
            self._stream.flush()
        else:
            # A buffer has a lock. Python takes the lock of stderr's buffer at its end, and would wait for
            # ever if this thread were blocked in a write with the lock held.
            raw.write(text.encode(self._stream.encoding, "backslashreplace"))
