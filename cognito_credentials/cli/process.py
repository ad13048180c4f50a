"""
What the command line does to its own process: it protects the memory, spares the garbage collector, and ends
in order when a signal comes.

Only for a process that is ours alone, never in the library. All of it is best effort: a system that lacks one
of these protections still runs the command. The fast path forbids core dumps too, so this module imports at
its top nothing that starting Python has not loaded.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_PR_SET_DUMPABLE = 4
"""Source: https://man7.org/linux/man-pages/man2/prctl.2.html"""
_MANY_OBJECTS = 100_000
"""A cold ``credential-process`` makes about half as many that stay."""
_ENDING = ("SIGTERM", "SIGHUP")


def forbid_core_dumps() -> int | None:
    """
    Forbid core dumps: they would hold whatever credentials are in memory.

    Returns:
        The limit as it was, for `hand_over`; None when it could not be changed.
    """
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        # The hard limit stays: a command started by exec gets its core dumps back.
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    except (ImportError, OSError, ValueError):
        return None
    return soft


def forbid_tracing() -> None:
    """
    Forbid, on Linux, ptrace and /proc/PID/mem by other processes of the same user.

    A cache hit goes without: it is over in milliseconds, and this would take as long again.
    """
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        except (ImportError, OSError, AttributeError):
            pass  # a Python without ctypes, or a libc without prctl


def collect_seldom() -> None:
    """
    Let the garbage collector wait for a hundred times as many objects as it does by itself.

    Importing makes objects that stay, and looking through them again and again takes a tenth of a short
    command. What runs for long is still collected.
    """
    if sys.implementation.name == "cpython":
        gc.set_threshold(_MANY_OBJECTS)


def skip_last_collection() -> None:
    """Keep the interpreter from looking for garbage once more as it ends; its memory goes back as a whole."""
    if sys.implementation.name == "cpython":
        gc.freeze()


def hand_over(core_limit: int | None) -> None:
    """
    Undo what another program would inherit, just before it takes over this process.

    Args:
        core_limit: As `forbid_core_dumps` returned it.
    """
    import signal

    for name in ("SIGPIPE", "SIGXFSZ"):
        # Python ignores them, and what is ignored stays so in the next program: `yes | head` would complain.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if core_limit is not None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (core_limit, hard))


class EndedBySignal(BaseException):
    """Raised in the main thread when SIGTERM or SIGHUP comes, or when a signal has ended the command of
    ``exec``.

    Args:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def end_process(self) -> int:
        """End by the same signal, so that the parent sees it; return an exit code where that fails."""
        import signal
        import threading

        for thread in threading.enumerate():
            # The interpreter waits for these at its end: one may be storing a refresh token.
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        try:
            signal.signal(self.number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # SIGKILL has no handler
        os.kill(os.getpid(), self.number)
        return 128 + self.number


class EndingInOrder:
    """
    Within the ``with`` block, SIGTERM and SIGHUP raise `EndedBySignal`; otherwise they end a process at once.

    That would lose a sign-in: an issuer that rotates refresh tokens has taken the old one back when the new
    one is on its way. SDKs send SIGTERM to a ``credential_process`` that takes too long for them, and a
    terminal that is closed sends SIGHUP.
    """

    def __enter__(self) -> None:
        import signal

        numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
        # What is ignored stays so: `nohup` asks for that.
        self._taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
        for number in self._taken:
            signal.signal(number, _raise)

    def __exit__(self, *_: object) -> None:
        import signal

        for number in self._taken:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, _: FrameType | None) -> None:
    raise EndedBySignal(number)
