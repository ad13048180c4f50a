"""
SIGTERM, and the closing of the terminal, end a command as Ctrl-C does: what must not be half done is done.

By default they end a process at once. A refresh token that is on its way to an issuer would be worth nothing,
and the one that comes back nobody's: the user would be signed out. SDKs end a `credential_process` that takes
too long for them in just this way.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_NAMES: Final = ("SIGTERM", "SIGHUP")


class EndedBySignal(BaseException):
    """
    Raised where the main thread is when the signal comes.

    Args:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def end_process(self) -> int:
        """End by that very signal, so that whoever waits sees it; returns an exit code where that fails."""
        os.kill(os.getpid(), self.number)
        return 128 + self.number


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise `EndedBySignal` instead of ending at once; in the main thread of a process that is ours alone."""
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    # What is ignored stays so: `nohup` asks for that.
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, _: FrameType | None) -> None:
    raise EndedBySignal(number)
