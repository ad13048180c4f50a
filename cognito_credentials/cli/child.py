"""
A command that runs beside this process: signals go on to it, and its exit code comes back.

For ``exec --server``, and on Windows for all of ``exec``. To whoever started it, this process should look
like the command itself. SIGKILL cannot be passed on; on Linux the kernel kills the command, too. On other
systems it then goes on, without a server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys

from .failures import NOT_EXECUTABLE, cannot_start
from .process import EndedBySignal, hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

_PASSED_ON: Final = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
_OF_THE_KEYBOARD: Final = ("SIGINT", "SIGQUIT")
_MANY: Final = 1024
"""Signals that are noticed at once."""
_PR_SET_PDEATHSIG: Final = 1
"""Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""


class Child:
    """
    A command that has been started. Use it as a context manager, from the main thread.

    Args:
        path: The program.
        argv: Its name, then its arguments.
        environ: Its whole environment.
        core_limit: As `process.hand_over` takes it.

    Raises:
        CommandError: The system refuses to start it.
    """

    def __init__(
        self, path: str, argv: list[str], environ: Mapping[str, str], *, core_limit: int | None
    ) -> None:
        self._path = path
        self._argv = argv
        self._environ = environ
        self._core_limit = core_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._handlers: dict[int, Any] = {}
        self._early: list[int] = []
        """Signals that came before the command was there."""
        # Python writes a byte here for each signal. A plain wait for the command would not notice one that
        # comes just before it.
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def __enter__(self) -> Child:  # noqa: PYI034  (typing.Self came with Python 3.11)
        self._take_signals()
        try:
            self._process = subprocess.Popen(
                self._argv,
                executable=self._path,
                env=dict(self._environ),
                preexec_fn=self._preparation(),  # noqa: PLW1509  (no other thread runs yet)
            )
        except OSError as error:
            self.__exit__()
            raise cannot_start(self._argv[0], error) from None
        for number in self._early:
            self._process.send_signal(number)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._wake.close()
        self._woken.close()

    def wait(self) -> int:
        """
        Wait for its end.

        Returns:
            Its exit code.

        Raises:
            EndedBySignal: A signal has ended it.
        """
        assert self._process is not None  # noqa: S101  (for the type checker; it was started)
        if os.name == "nt":
            return self._process.wait()
        while (code := self._process.poll()) is None:
            self._woken.recv(_MANY)
        if code < 0:
            raise EndedBySignal(-code)
        return code

    def _take_signals(self) -> None:
        for name in _PASSED_ON:
            number = getattr(signal, name, None)
            # What is ignored stays so, for the command as well: `nohup` asks for that.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._pass_on)
        if hasattr(signal, "SIGCHLD"):
            # It wakes `wait`. Were it ignored, as by our parent, nobody would learn how the command ended.
            self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
            signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def _pass_on(self, number: int, _: object) -> None:
        if signal.Signals(number).name in _OF_THE_KEYBOARD and (os.name == "nt" or _is_in_front()):
            return  # the terminal gives these to the command, too
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)

    def _preparation(self) -> Callable[[], None] | None:
        """Return what the new process does before it becomes the command."""
        if os.name == "nt":
            return None
        prctl, parent, core_limit = _prctl(), os.getpid(), self._core_limit

        def prepare() -> None:
            if prctl is not None:
                prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
                if os.getppid() != parent:  # it was killed before the kernel knew
                    os._exit(NOT_EXECUTABLE)
            hand_over(core_limit)

        return prepare


def _is_in_front() -> bool:
    """Tell whether this process is in the terminal's foreground, and so gets the keyboard's signals."""
    with contextlib.suppress(OSError, AttributeError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False


def _prctl() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        call: Callable[..., int] = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None  # a Python without ctypes, or a libc without prctl
    return call
