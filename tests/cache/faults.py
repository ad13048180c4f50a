"""Breaking the operating system: every call of `os` that the store makes can fail, or be the last."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

CALLS = (
    *(f"os.{name}" for name in ("open", "fstat", "lstat", "stat", "read", "write", "fsync", "close")),
    *(f"os.{name}" for name in ("replace", "fchmod", "mkdir", "unlink", "listdir", "dup", "ftruncate")),
    "fcntl.flock",
)
ERRORS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT),
    *(errno.ENOTDIR, errno.EMFILE, errno.EINTR, errno.ESTALE, errno.ELOOP, errno.ENAMETOOLONG),
    *(errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EFBIG),
)

Interrupt = Callable[[int, str, Callable[[], Any], tuple[Any, ...]], Any]
"""Called instead of the real thing: which call this is (from 1), its name, the real call, its arguments."""


@contextlib.contextmanager
def interrupted(interrupt: Interrupt) -> Iterator[None]:
    """Let *interrupt* stand between the code and the operating system."""
    count = 0

    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            return interrupt(count, name, lambda: real(*args, **kwargs), args)

        return call

    modules = {"os": os, "fcntl": fcntl}
    with contextlib.ExitStack() as stack:
        for name in CALLS:
            module, _, attribute = name.partition(".")
            real = getattr(modules[module], attribute)
            stack.enter_context(mock.patch.object(modules[module], attribute, wrap(name, real)))
        yield


def calls_of(function: Callable[[], object]) -> list[str]:
    """Return the names of the calls that *function* makes, in order."""
    names: list[str] = []

    def note(_number: int, name: str, real: Callable[[], Any], _args: tuple[Any, ...]) -> Any:
        names.append(name)
        return real()

    with interrupted(note):
        function()
    return names


def failing(
    error: int, *, at: int | None = None, only: str | None = None
) -> contextlib.AbstractContextManager[None]:
    """
    Make calls fail with *error*.

    Args:
        error: An errno.
        at: Only this call, from 1; None for all.
        only: Only calls of this name.
    """

    def fail(number: int, name: str, real: Callable[[], Any], _args: tuple[Any, ...]) -> Any:
        if at not in (None, number) or only not in (None, name):
            return real()
        if name == "os.close":
            real()  # closing that fails has closed
        raise OSError(error, os.strerror(error))

    return interrupted(fail)
