"""
The standard streams: the only place of the command line that writes, and that reads answers.

stdout is for results: other programs read it. stderr is for people. There is no colour, so NO_COLOR needs no
support. A text from a service or a config file is cleaned before it gets here.
"""

from __future__ import annotations

import sys
import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

CLOSED: Final = "it is closed"
"""Why stdout cannot be written that the caller closed, as by ``>&-``."""


def printable(text: str, limit: int = 400) -> str:
    """
    Make *text* of this machine (a path, a name, a line of a config file) safe to show, and no more.

    Unlike `errors.clean`, which is for what a service says, it masks nothing that looks like a token: a
    long path looks like one. A tab becomes a space.
    """
    # Category C: control, format (which reorders), surrogates, unassigned; Zl and Zp break lines.
    shown = "".join(
        "?" if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp") else c
        for c in text[: limit + 1].replace("\t", " ")
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


class ClosedOutputError(Exception):
    """Stdout is a pipe that nobody reads any more."""


class UnwritableOutputError(Exception):
    """Stdout is closed, or leads to a file that cannot be written; the text says why."""


class Terminal:
    """
    The three standard streams.

    Args:
        stdout: For results; None when it is closed.
        stderr: For people; None when it is closed.
        quiet: Whether to say nothing but results and errors.
    """

    def __init__(
        self, stdin: TextIO | None, stdout: TextIO | None, stderr: TextIO | None, *, quiet: bool = False
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        self.quiet = quiet

    @classmethod
    def of_process(cls, *, quiet: bool = False) -> Terminal:
        """Return the streams of this process."""
        return cls(sys.stdin, sys.stdout, sys.stderr, quiet=quiet)

    @property
    def shows_results(self) -> bool:
        """Whether stdout is a screen that somebody may be looking at."""
        return _is_terminal(self._stdout)

    @property
    def can_ask(self) -> bool:
        """Whether somebody can see a question and answer it."""
        return _is_terminal(self._stdin) and _is_terminal(self._stderr)

    def write(self, text: str) -> None:
        """
        Write a result, with line ends as they are on every system.

        Raises:
            ClosedOutputError: Nobody reads it.
            UnwritableOutputError: It is closed, or the disk is full, or the like.
        """
        if self._stdout is None:
            raise UnwritableOutputError(CLOSED)
        try:
            _write(self._stdout, text)
        except BrokenPipeError:
            raise ClosedOutputError from None
        except OSError as error:
            raise UnwritableOutputError(error.strerror or type(error).__name__) from None
        except ValueError:  # the program that runs us in its own process has closed it
            raise UnwritableOutputError(CLOSED) from None

    def notice(self, text: str) -> None:
        """Tell people something beside the result, unless quiet."""
        if not self.quiet:
            self.say(text)

    def say(self, text: str) -> None:
        """Tell people something even when quiet. A stderr that nobody reads is no reason to stop."""
        if self._stderr is None:
            return
        try:
            _write(self._stderr, text + "\n", buffered=False)
        except (OSError, ValueError):
            self._stderr = None

    def progress(self, text: str) -> None:
        """
        Show how far something is, in place of what was shown before; an empty text removes it.

        Nothing is shown when quiet, where nobody looks at stderr, and where the results themselves are on the
        screen.
        """
        if not self.quiet and _is_terminal(self._stderr) and not self.shows_results:
            try:
                _write(self._stderr, f"\r{text}\033[K", buffered=False)  # type: ignore[arg-type]
            except (OSError, ValueError):
                self._stderr = None

    def agrees(self, question: str, *, default: str = "n") -> bool:
        """
        Ask a question that is answered with y or n.

        Args:
            question: Without ``(y/n)``.
            default: What an empty answer means, ``y`` or ``n``.

        Raises:
            EOFError: There will be no answer.
        """
        return self.ask(f"{question} (y/n)", default).lower() in ("y", "yes")

    def ask(self, question: str, current: str = "") -> str:
        """
        Ask for a line of text.

        Args:
            question: Without colon.
            current: What an empty answer means.

        Raises:
            EOFError: There will be no answer.
        """
        if self._stdin is None or self._stderr is None:
            raise EOFError
        _write(self._stderr, f"{question} [{printable(current)}]: " if current else f"{question}: ")
        line = self._stdin.readline()
        if not line:
            raise EOFError
        return line.strip() or current


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _write(stream: TextIO, text: str, *, buffered: bool = True) -> None:
    encoding = stream.encoding or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(data.decode(encoding))
    else:
        # Past the text layer: on Windows it turns \n into \r\n, and shells leave the \r in secret keys
        # (https://github.com/aws/aws-cli/issues/8187).
        stream.flush()
        # stderr skips the buffer too. The interpreter waits for the buffer's lock when it ends, and a thread
        # that writes the emulator's log to a pipe nobody reads would never release that lock.
        (binary if buffered else getattr(binary, "raw", binary)).write(data)
    stream.flush()
