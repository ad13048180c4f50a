"""Ctrl-C while variables hold secrets: it can come anywhere, and a crash report would print the variables."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..errors import replaced

P = ParamSpec("P")
T = TypeVar("T")


def drops_frames_on_interrupt(function: Callable[P, T]) -> Callable[P, T]:
    """Let a `KeyboardInterrupt` leave *function* without the frames that it has passed through."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with replaced(KeyboardInterrupt, by=lambda _: KeyboardInterrupt()):
            return function(*args, **kwargs)

    return run
