"""A person at a real terminal, who reads the screen and types answers."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import subprocess
import sys
import time

import pytest

SECONDS = 60


class Screen:
    """
    A command on a pseudo-terminal of its own.

    Args:
        shows_results: Whether stdout is the terminal too, and not a pipe.
    """

    def __init__(self, argv: list[str], environ: dict[str, str], *, shows_results: bool = False) -> None:
        pty = pytest.importorskip("pty", reason="this needs a Unix terminal")
        import fcntl
        import termios

        self._controller, terminal = pty.openpty()
        self.process = subprocess.Popen(
            argv,
            env=environ,
            stdin=terminal,
            stderr=terminal,
            stdout=terminal if shows_results else subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            # The session's controlling terminal: passwords are asked for on /dev/tty.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  (one system call)
        )
        os.close(terminal)
        self.shown = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode

    def wait_for(self, text: str) -> None:
        """Read until *text* is shown, and forget what was read."""
        give_up_at = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < give_up_at, self.shown
            if select.select([self._controller], [], [], 0.2)[0]:
                try:
                    self._read()
                except OSError:  # when the other end is closed
                    raise AssertionError(self.shown) from None

    def _read(self) -> None:
        read = os.read(self._controller, 4096)
        if not read:
            raise OSError("the other end is closed")  # as Linux has it
        self.shown += self._decode(read)

    def _is_ready(self) -> bool:
        return bool(select.select([self._controller], [], [], 0.05)[0])

    def wait_until_unseen(self) -> None:
        """Wait until the terminal's echo is off."""
        import termios

        give_up_at = time.monotonic() + SECONDS
        while termios.tcgetattr(self._controller)[3] & termios.ECHO:
            assert time.monotonic() < give_up_at, "what is typed is shown"
            select.select([self._controller], [], [], 0.02)

    def type(self, text: str) -> None:
        """Type a line."""
        self.shown = ""
        os.write(self._controller, text.encode() + b"\n")

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._controller, key)

    def end(self) -> tuple[int, str, str]:
        """Return the exit code, stdout where it is a pipe, and the rest of the screen."""
        out = ""
        if self.process.stdout is not None:
            out = self.process.stdout.read()
            self.process.stdout.close()
        give_up_at = time.monotonic() + SECONDS
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            # Something that the command has left behind may keep the other end open.
            while (ready := self._is_ready()) or self.process.poll() is None:
                assert time.monotonic() < give_up_at, self.shown
                if ready:
                    self._read()
        code = self.process.wait(SECONDS)
        os.close(self._controller)
        return code, out, self.shown


def screen(environ: dict[str, str], *argv: str) -> Screen:
    """Run our command line on a terminal."""
    return Screen([sys.executable, "-m", "cognito_credentials", *argv], environ)
