"""Whole processes, timed in turns."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from .figures import Figure, interleaved, ratio


class Process:
    """
    A command that each call runs once, to its end; a call returns the seconds that it took.

    Args:
        command: Program and arguments.
        environ: Its whole environment.
        before: Called before each run, and not timed.
        prints: What has to be in its output, or the run is an error.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        before: Callable[[], object] | None = None,
        prints: str = "",
    ) -> None:
        self._command = list(command)
        self._environ = dict(environ)
        self._before = before
        self._prints = prints
        self._cpu: list[float] = []

    def __call__(self) -> float:
        if self._before is not None:
            self._before()
        used = _children()
        began = time.perf_counter()
        done = subprocess.run(
            self._command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
        self._cpu.append(_children() - used)
        if done.returncode or self._prints not in done.stdout:
            program = os.path.basename(self._command[0])  # no more of it: it is long
            raise RuntimeError(f"{program}: exit {done.returncode}, {done.stderr[-400:]}")
        return seconds

    @property
    def cpu(self) -> float:
        """The median of the seconds that its runs took of a processor."""
        return statistics.median(self._cpu)


class Race:
    """
    Processes that have been timed in turns.

    Args:
        processes: Name -> process.
        repetitions: Number of turns.
    """

    def __init__(self, processes: Mapping[str, Process], repetitions: int) -> None:
        self._processes = processes
        self.medians = interleaved(processes, repetitions)

    def ratio(self, what: str, name: str, base: str, bar: float | None = None) -> Figure:
        """Return the figure of the process *name* in units of *base*; without *bar* it is for comparison."""
        ours, theirs = (self._processes[each].cpu * 1000 for each in (name, base))
        detail = f"(CPU {ours:.0f} : {theirs:.0f} ms)"
        return ratio(what, self.medians[name], self.medians[base], bar, detail)


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def cache_home() -> str:
    """Return the folder in which benchmarks keep what they have downloaded."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "cognito-credentials-benchmarks")
    os.makedirs(path, exist_ok=True)
    return path
