"""
The standard streams: the only place of the command line that writes, and that reads answers.

stdout is for results: other programs read it. stderr is for people. A text from a service or a config file is
cleaned before it gets here.
"""

from __future__ import annotations

import os
import sys
import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from typing import Final, TextIO

    from .looks import Look
    from .progress import Progress

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
        environ: The environment, which may forbid colours or give a width.
    """

    def __init__(
        self,
        stdin: TextIO | None,
        stdout: TextIO | None,
        stderr: TextIO | None,
        *,
        quiet: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        self._environ = {} if environ is None else environ
        self._progress: Progress | None = None
        self.quiet = quiet

    @classmethod
    def of_process(cls, *, quiet: bool = False) -> Terminal:
        """Return the streams of this process."""
        return cls(sys.stdin, sys.stdout, sys.stderr, quiet=quiet, environ=os.environ)

    @property
    def look(self) -> Look:
        """What stdout can show."""
        from .looks import Look

        return Look(self._stdout, self._environ, is_screen=self.shows_results)

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
            if self._progress is None or not self.shows_results:
                _write(self._stdout, text)
            else:  # on the same screen
                with self._progress.aside():
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
        if self._progress is None:
            self._say(text + "\n")
        else:
            with self._progress.aside():
                self._say(text + "\n")

    def _say(self, text: str) -> None:
        if self._stderr is None:
            return
        try:
            _write(self._stderr, text, buffered=False)
        except (OSError, ValueError):
            self._stderr = None

    def working(self, what: str) -> AbstractContextManager[object]:
        """
        Say on stderr what takes so long, if the ``with`` block takes more than a second.

        Nothing is shown when quiet, and where nobody looks at stderr.

        Args:
            what: Such as "listing identities"; what a block around this one says is not shown meanwhile.
        """
        from contextlib import nullcontext

        from .looks import Look

        look = Look(self._stderr, self._environ, is_screen=_is_terminal(self._stderr))
        is_running = self._progress is not None and self._progress.is_running
        if self.quiet or self._stderr is None or not look.obeys or is_running:
            return nullcontext()
        from .progress import Progress

        self._progress = Progress(self._stderr, look, self._say, what)
        return self._progress

    def progress(self, detail: str) -> None:
        """Say how far the work is that `working` shows, or what it waits for; empty text for neither."""
        if self._progress is not None:
            self._progress.detail = detail

    def aside(self) -> AbstractContextManager[None]:
        """Within the ``with`` block `working` shows nothing: something else is written, or asked."""
        from contextlib import nullcontext

        return nullcontext() if self._progress is None else self._progress.aside()

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
        with self.aside():
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
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        data = text.replace("…", "...").encode(encoding, "backslashreplace")
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
