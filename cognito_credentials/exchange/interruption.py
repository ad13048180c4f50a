"""
Ctrl-C and errors while variables hold secrets: a crash report would print the variables.

`errors.replaced` is for a part of a function. What is here is for a whole one, whose arguments are secrets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..errors import CognitoCredentialsError, replaced

P = ParamSpec("P")
T = TypeVar("T")


def drops_frames_on_interrupt(function: Callable[P, T]) -> Callable[P, T]:
    """Let a `KeyboardInterrupt` leave *function* without the frames that it has passed through."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with replaced(KeyboardInterrupt, by=lambda _: KeyboardInterrupt()):
            return function(*args, **kwargs)

    return run


def drops_frames_on_error(function: Callable[P, T]) -> Callable[P, T]:
    """
    Let an error about the arguments leave *function* without frames, its own among them.

    The arguments of a public function may be login tokens, or an environment with tokens and passwords in it.
    A `TypeError` counts, too: Python raises it for a misspelt argument beside a token. So does Ctrl-C. Any
    other error keeps the frames that it passed through, but no arguments in the frame of this.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except (CognitoCredentialsError, TypeError, KeyboardInterrupt) as error:
            problem = error.with_traceback(None)
        except BaseException:
            del args, kwargs
            raise
        del args, kwargs  # this frame is among those that the error keeps
        problem.__context__ = None
        try:
            raise problem
        finally:
            del problem  # it has this frame, which would have it

    return run
