"""
Ctrl-C while a secret is in hand: it goes on as Ctrl-C, without the frames that hold the secret.

It can come in the middle of anything, so no care in the code that it interrupts keeps it from carrying that
code's variables along to whatever reports it. Imports nothing of ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def interrupted_bare(function: Callable[P, T]) -> Callable[P, T]:
    """Let a `KeyboardInterrupt` leave *function* without what it has passed through."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt:
            pass
        # Out here, so that the one with the frames is not even the context of this one.
        raise KeyboardInterrupt

    return run
