"""A figure, its bar, and the line that shows both."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """
    A measured figure.

    Attributes:
        what: The name of the figure.
        measured: The result, as text.
        bar: The limit, as text; empty for a figure that is only for comparison.
        is_held: Whether the result is within the limit; None for a figure without one.
        share: The result in units of the limit, where both are numbers: at most 1 is held.
    """

    what: str
    measured: str
    bar: str = ""
    is_held: bool | None = None
    share: float | None = None

    def line(self) -> str:
        """Return the figure as one line."""
        verdict = {True: "ok", False: "MISS", None: ""}[self.is_held]
        return f"{verdict:4} {self.what:<72} {self.measured:<42} {self.bar}".rstrip()


@dataclass(frozen=True)
class Scale:
    """How often and how much is measured."""

    repetitions: int = 150
    processes: int = 200
    threads: int = 64
    reads: int = 5000
    outage_reads: int = 10_000
    kills: int = 1000
    mutations: int = 100_000
    hours: int = 48
    serve_seconds: int = 60


QUICK = Scale(
    repetitions=25,
    processes=24,
    threads=16,
    reads=400,
    outage_reads=1000,
    kills=100,
    mutations=5000,
    hours=12,
    serve_seconds=3,
)

Part = Callable[[Scale], Iterator[Figure]]


def counted(what: str, measured: object, expected: object) -> Figure:
    """Return a figure that must be exactly *expected*."""
    return Figure(what, str(measured), f"= {expected}", measured == expected)


def at_most(what: str, value: float, bar: float, unit: str, detail: str = "") -> Figure:
    """Return a figure that must be at most *bar*."""
    shown = f"{value:g}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"
    return Figure(
        what, f"{shown}  {detail}".rstrip(), f"<= {bar:g}{unit}", value <= bar, value / bar if bar else None
    )


def ratio(what: str, seconds: float, base: float, bar: float | None, more: str = "") -> Figure:
    """Return a figure of *seconds* in units of *base*; without *bar* it is only for comparison."""
    detail = f"{_time(seconds)} : {_time(base)}  {more}".rstrip()
    if bar is None:
        return Figure(what, f"{seconds / base:.2f} x  {detail}")
    return at_most(what, seconds / base, bar, " x", detail)


def interleaved(actions: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """
    Time *actions* in turns, so that whatever slows the machine slows all of them.

    Args:
        actions: Name -> function that returns the seconds that it took.
        repetitions: Number of turns; two more come first and are not counted.

    Returns:
        Name -> median seconds.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(repetitions + 2):
        for name, action in actions.items():
            seconds = action()
            if number >= 2:
                taken[name].append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest of *values* that is at least as large as *fraction* of them."""
    return sorted(values)[max(0, -(-len(values) * int(fraction * 100) // 100) - 1)]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds > 0.001 else f"{seconds * 1e6:.2f} us"
