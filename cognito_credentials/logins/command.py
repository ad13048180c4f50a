"""
A login token from a command's output.

The command gets no terminal, no shell and no input. Its stderr is neither shown nor logged, since sign-in
tools print tokens there too.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from ..errors import ConfigurationError, LoginRequiredError, program_name
from ..importing import IMPORTING
from ..secret import Secret
from .source import LOGIN_TOKEN, Source, principal_by_subject

if TYPE_CHECKING:
    import subprocess

LOGIN_BUDGET = 30.0
"""
Seconds that a program or function may take for a token; a command is killed then.

Source: google-auth, ``google/auth/pluggable.py``, EXECUTABLE_TIMEOUT_MILLIS_DEFAULT.
"""
OUTPUT_LIMIT = 64 * 1024
"""Bytes; more than any token Cognito takes."""


class CommandSource(Source):
    """
    A command whose standard output is the token, run each time one is needed.

    Args:
        argv: The program and its arguments; no shell is involved.
        timeout_seconds: After that long it is killed with everything it started.
        holds: What it prints, for messages.
    """

    def __init__(
        self, argv: Sequence[str], *, timeout_seconds: float = LOGIN_BUDGET, holds: str = LOGIN_TOKEN
    ) -> None:
        self.program = argv[0]
        self._kind = "login" if holds == LOGIN_TOKEN else holds
        self._argv = tuple(argv)
        self._timeout_seconds = timeout_seconds
        # The program alone: its arguments may hold a secret.
        self.name = program_name(self._argv[0], 120)
        self.description = f"command:{self.name}" + (" …" if len(self._argv) > 1 else "")

    def within(self, seconds: float) -> CommandSource:
        """Return the same source with another time limit."""
        source = copy.copy(self)
        source._timeout_seconds = seconds  # noqa: SLF001  (of this very class)
        return source

    def token(self) -> Secret:
        """
        Run the command.

        Raises:
            LoginRequiredError: It failed, took too long, or printed no token.
            ConfigurationError: It cannot be run at all.
        """
        outcome = self._output(self._start())
        if isinstance(outcome, Secret):
            return outcome
        raise self._error(outcome)

    def _output(self, process: subprocess.Popen[bytes]) -> Secret | str:
        """Return what *process* prints, or what went wrong: no frame of an error holds it in clear."""
        output, code = _run(process, self._timeout_seconds)
        if output is None:
            return f"did not finish within {self._timeout_seconds:g} s and was killed"
        if len(output) > OUTPUT_LIMIT:
            return f"printed more than {OUTPUT_LIMIT // 1024} KiB"
        if code < 0:
            return f"was killed by signal {-code}"
        if code > 0:
            return f"failed with exit code {code}"
        try:
            text = output.decode("utf-8").strip()
        except UnicodeDecodeError:
            return "printed something that is not UTF-8 text"
        return Secret(text) if text else "printed nothing"

    def principal_of(self, token: Secret) -> str | None:
        """
        Name the user of *token* by its issuer and subject; None where it has none.

        They are not verified, but whoever can change the command can read the user's cache, as with a file
        (`FileSource`). Without this, each new token would be another user.
        """
        return principal_by_subject(token)

    def _start(self) -> subprocess.Popen[bytes]:
        with IMPORTING:
            import subprocess  # most have no such login, and it is slow to import

        try:
            return subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # A session of its own: no terminal to prompt on, and one group to kill.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "an argument holds a null character"
        raise ConfigurationError(
            f"the {self._kind} command '{self.name}' cannot be run: {why}",
            hint="Give its absolute path; there is no shell, so no ~, no $VARIABLE and no pipe",
            topic="E-LOGIN-SOURCE",
        )

    def _error(self, what: str) -> LoginRequiredError:
        return LoginRequiredError(
            f"the {self._kind} command '{self.name}' {what}",
            hint="Run it in a terminal to see why; sign in again if that is the cause",
            topic="E-LOGIN-SOURCE",
        )

    def __repr__(self) -> str:
        return f"CommandSource({self.description})"


def _run(process: subprocess.Popen[bytes], timeout_seconds: float) -> tuple[bytes | None, int]:
    """Return what *process* prints, and its exit code; None for the output when it took too long."""
    with IMPORTING:
        from subprocess import TimeoutExpired

    give_up_at = time.monotonic() + timeout_seconds
    chunks: list[bytes] = []
    assert process.stdout is not None  # noqa: S101  (for the type checker; it is a pipe)
    reader = threading.Thread(target=_read, args=(process.stdout, chunks), daemon=True)
    has_ended = False
    try:
        reader.start()
        reader.join(timeout_seconds)
        if not reader.is_alive() and sum(map(len, chunks)) <= OUTPUT_LIMIT:
            process.wait(max(give_up_at - time.monotonic(), 0.01))
            has_ended = True
    except TimeoutExpired:
        pass  # it closed its output and did not end: killed like one that hangs
    finally:
        # Also on Ctrl-C, which does not reach it in its own session.
        if not has_ended:
            _kill(process)
    output = b"".join(chunks)
    return (output if has_ended or len(output) > OUTPUT_LIMIT else None), process.returncode


def _read(stdout: IO[bytes], chunks: list[bytes]) -> None:
    # Only this thread closes the pipe. Closed under a pending read, the descriptor's number would go to
    # another file, and the next read would read that file.
    with stdout:
        size = 0
        while size <= OUTPUT_LIMIT and (chunk := stdout.read(OUTPUT_LIMIT + 1 - size)):
            chunks.append(chunk)
            size += len(chunk)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group. Nobody has waited for its leader yet, so its number is not another group's."""
    with IMPORTING:
        import signal

    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it has ended already; macOS reports that as EPERM
    else:
        process.kill()
    process.wait()
