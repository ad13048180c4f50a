"""
A line that is typed or pasted on the terminal, not shown, and of any length.

A terminal that edits lines itself keeps only the first 4095 bytes of one (1024 on macOS), and drops the rest
without a word; a redirect with a code in it may be longer (python/cpython#112338). So it hands over each byte
as it comes, and the few keys that matter are understood here.

Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TextIO

_TERMINAL: Final = "/dev/tty"
_ERASERS: Final = b"\x7f\x08"
"""What keyboards send for Backspace, besides what the terminal is set to."""


class _Keys(NamedTuple):
    erase: bytes
    kill: bytes
    end: bytes


def read_unseen(question: str, stdin: TextIO, shown: TextIO) -> str:
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
