"""The line that the emulator writes for each request."""

from __future__ import annotations

import time

from cognito_credentials.emulator.members import one_line
from cognito_credentials.emulator.wire import Answer

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
