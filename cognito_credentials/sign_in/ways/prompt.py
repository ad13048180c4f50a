"""
What a person is shown and asked while signing in.

A desktop app brings its own `Prompt`; a terminal has `TerminalPrompt`.

Imports `errors` and `unseen`.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol, TextIO

from ...errors import LoginRequiredError
from ...secret import Secret

_BLOCKS: Final = "█▀▄"
_TERMINAL: Final = "/dev/tty"
_ERASERS: Final = b"\x7f\x08"
"""What keyboards send for Backspace, besides what the terminal is set to."""


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
        return Secret(_read_unseen(f"{question}: ", self._stdin, self._stderr))


class _Keys(NamedTuple):
    erase: bytes
    kill: bytes
    end: bytes


def _read_unseen(question: str, stdin: TextIO, shown: TextIO) -> str:
    """
    Ask *question* on *shown*, and read the answer from the terminal itself.

    Args:
        question: As it is shown.
        stdin: A terminal, read where the process has none of its own.
        shown: For people.

    Raises:
        EOFError: There will be no answer.
    """
    try:
        import termios
    except ImportError:  # Windows, where `getpass` reads key by key as well
        return getpass.getpass(question, shown)
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        terminal = os.dup(stdin.fileno())
    try:
        before = termios.tcgetattr(terminal)
        characters = before[6]
        keys = _Keys(*(characters[key] for key in (termios.VERASE, termios.VKILL, termios.VEOF)))
        silent = [*before[:6], list(characters)]
        silent[3] &= ~(termios.ECHO | termios.ICANON)  # Ctrl-C stays what it is
        silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
        try:
            with _hushed_again(terminal, silent):
                termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
                shown.write(question)
                shown.flush()
                return _line(terminal, keys)
        finally:
            # What was pasted behind the line is thrown away: the shell must not run it.
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            shown.write("\n")
            shown.flush()
    finally:
        os.close(terminal)


@contextlib.contextmanager
def _hushed_again(terminal: int, silent: list[Any]) -> Iterator[None]:
    """
    Make *terminal* silent whenever the process goes on after Ctrl-Z: the shell has had it show what is typed.

    Python gives signals to the main thread alone, so a question that another thread asks is left as it is.
    """
    import termios

    def hush(*_: object) -> None:
        # Refused to a process in the background, which is continued once more when it comes to the front; or
        # the terminal is gone, as reading from it says.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)

    before = signal.getsignal(signal.SIGCONT)
    is_ours = before is not None and threading.current_thread() is threading.main_thread()
    if is_ours:  # one that is not Python's could not be put back
        signal.signal(signal.SIGCONT, hush)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGCONT, before)


def _line(terminal: int, keys: _Keys) -> str:
    line = bytearray()
    while True:
        came = os.read(terminal, 4096)
        if not came:
            raise EOFError
        for key in (came[at : at + 1] for at in range(len(came))):
            if key in b"\r\n":
                return line.decode("utf-8", "replace")
            if key == keys.end and not line:
                raise EOFError
            if key == keys.erase or key in _ERASERS:
                _drop_last(line)
            elif key == keys.kill:
                line.clear()
            elif key != keys.end:
                line += key


def _drop_last(line: bytearray) -> None:
    """Take off the last character, however many bytes it has in UTF-8."""
    while line and line.pop() & 0xC0 == 0x80:
        pass
