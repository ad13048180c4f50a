"""
What keeps secrets in this process's memory: no core dump, no reading by other processes of the same user.

Only for processes that are ours alone, never in the library. All of it is best effort: what a system does
not have cannot be asked of it. The fast path does the part that costs little (`core_dumps`).
"""

from __future__ import annotations

import signal
import sys

from . import core_dumps

_PR_SET_DUMPABLE = 4
"""Source: Linux, prctl(2)."""


def protect_memory() -> int | None:
    """
    Forbid core dumps and, on Linux, ptrace and /proc/PID/mem by others.

    Returns:
        The limit of core dumps as it was, for `restore`; None when it could not be changed.
    """
    _set_not_dumpable()
    return core_dumps.forbid()


def restore(soft_limit: int | None) -> None:
    """
    Undo, before another program takes over this process, what it would inherit.

    Args:
        soft_limit: As `protect_memory` returned it.
    """
    for name in ("SIGPIPE", "SIGXFSZ"):
        # Python ignores them, and what is ignored stays so in the next program: `yes | head` would complain.
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_DFL)
    core_dumps.restore(soft_limit)


def _set_not_dumpable() -> None:
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return  # a Python without ctypes, or a libc without prctl
