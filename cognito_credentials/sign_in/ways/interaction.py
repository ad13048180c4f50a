"""
What a person is shown and asked while signing in.

A desktop app brings its own `Prompt`; a terminal has `TerminalPrompt`.

Imports `errors` and `unseen`.
"""

from __future__ import annotations

import sys
from typing import Final, Protocol, TextIO

from ...errors import LoginRequiredError
from ...secret import Secret
from .unseen import read_unseen

_BLOCKS: Final = "█▀▄"


class Prompt(Protocol):
    """Somebody to talk to. One that cannot show a QR code made of text says so by ``can_draw = False``."""

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody who can answer."""

    def say(self, text: str) -> None:
        """Show a line or several."""

    def ask(self, question: str) -> str:
        """Ask for a line of text; `EOFError` when there will be no answer."""

    def ask_secret(self, question: str) -> Secret:
        """Ask for what must not be seen; `EOFError` when there will be no answer."""


class TerminalPrompt:
    """
    The terminal of this process: questions on stderr, answers from the terminal only.

    Args:
        stdin: For answers; this process's own.
        stderr: For questions; this process's own.
    """

    def __init__(self, stdin: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self._stdin = sys.stdin if stdin is None else stdin
        self._stderr = sys.stderr if stderr is None else stderr

    @property
    def can_ask(self) -> bool:
        """Whether both are a terminal."""
        try:
            return self._stdin.isatty() and self._stderr.isatty()
        except (AttributeError, ValueError):  # there is none, or it is closed
            return False

    @property
    def can_draw(self) -> bool:
        """Whether it is a terminal that has the blocks of which pictures are made."""
        try:
            _BLOCKS.encode(self._stderr.encoding or "ascii")
        except (UnicodeEncodeError, LookupError, AttributeError):
            return False
        return self._stderr.isatty()

    def say(self, text: str) -> None:
        """Show a line or several."""
        self._stderr.write(text + "\n")
        self._stderr.flush()

    def ask(self, question: str) -> str:
        """
        Ask for a line of text.

        Raises:
            EOFError: There will be no answer.
        """
        self._stderr.write(f"{question}: ")
        self._stderr.flush()
        line = self._stdin.readline()
        if not line:
            self.say("")  # what comes next begins on a line of its own
            raise EOFError
        return line.strip()

    def ask_secret(self, question: str) -> Secret:
        """
        Ask without echo, on the terminal itself.

        Raises:
            LoginRequiredError: There is no terminal; a secret is never read from elsewhere.
            EOFError: There will be no answer.
        """
        if not self.can_ask:
            raise LoginRequiredError(
                f"there is no terminal to ask for the {question.lower()} on", hint="Sign in on a terminal"
            )
        return Secret(read_unseen(f"{question}: ", self._stdin, self._stderr))
