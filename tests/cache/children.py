"""Real processes for the tests: a forked child that runs a function, as another user if need be."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import TypeVar

import filelock  # noqa: F401  (a child that became somebody else may not be able to read its files)
import pytest

Result = TypeVar("Result")

SOMEBODY = 65534
"""A user without rights."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def fork() -> int:
    """Fork, also where a test runner has threads of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(function: Callable[[], Result], *, user: int | None = None) -> Result:
    """
    Run *function* in a forked child and return what it returns; its exception becomes an assertion.

    Args:
        function: What it returns must pickle.
        user: Become this user first.
    """
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(reader)
        try:
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            answer = (True, function())
        except BaseException:  # noqa: BLE001  (the parent fails with it)
            answer = (False, traceback.format_exc())
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)  # at once, as it is closed: whoever reads to the end may kill us
        os._exit(0)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            data = pipe.read()
    finally:
        os.kill(pid, signal.SIGKILL)  # it has answered, or the test has waited long enough
        os.waitpid(pid, 0)
    assert data, "the child died"
    is_result, answer = pickle.loads(data)
    assert is_result, answer
    return answer


def exit_status(function: Callable[[], object]) -> int:
    """Run *function* in a forked child and return what it exits with: 0 when it comes to its end."""
    pid = fork()
    if pid == 0:
        try:
            function()
        except BaseException:  # noqa: BLE001  (nothing of the test may go on in the child)
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
