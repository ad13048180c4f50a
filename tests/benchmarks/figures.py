"""A figure, its bar, and the line that shows both."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """
    One measured thing.

    Attributes:
        what: What was measured.
        measured: The result, for people.
        bar: What is to be held; empty for a yardstick, which has no bar.
        is_held: Whether it is; None for a yardstick.
    """

    what: str
    measured: str
    bar: str = ""
    is_held: bool | None = None

    def line(self) -> str:
        """Show it in one line."""
        verdict = {True: "ok", False: "MISS", None: ""}[self.is_held]
        return f"{verdict:4} {self.what:<72} {self.measured:<42} {self.bar}".rstrip()


@dataclass(frozen=True)
class Scale:
    """How much is done: all, or enough to see that it works."""

    repetitions: int = 150
    processes: int = 200
    threads: int = 64
    reads: int = 5000
    outage_reads: int = 10_000
    kills: int = 1000
    mutations: int = 100_000
    hours: int = 48


QUICK = Scale(
    repetitions=25,
    processes=24,
    threads=16,
    reads=400,
    outage_reads=1000,
    kills=100,
    mutations=5000,
    hours=12,
)

Part = Callable[[Scale], Iterator[Figure]]


def counted(what: str, measured: object, expected: object) -> Figure:
    """Make the figure of something that is to be exactly *expected*."""
    return Figure(what, str(measured), f"= {expected}", measured == expected)


def at_most(what: str, value: float, bar: float, unit: str, detail: str = "") -> Figure:
    """Make the figure of something that is to be *bar* or less."""
    shown = f"{value:g}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"
    return Figure(what, f"{shown}  {detail}".rstrip(), f"<= {bar:g}{unit}", value <= bar)


def ratio(what: str, seconds: float, base: float, bar: float | None) -> Figure:
    """Make the figure of a time in units of *base*, with a bar or as a yardstick."""
    detail = f"{_time(seconds)} : {_time(base)}"
    if bar is None:
        return Figure(what, f"{seconds / base:.2f} x  {detail}")
    return at_most(what, seconds / base, bar, " x", detail)


def interleaved(actions: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """
    Time each of *actions* in turn, again and again, so that what slows the machine slows all of them.

    Args:
        actions: Each returns the seconds that it took.
        repetitions: How often; two more come first and are not counted.

    Returns:
        The median of each, seconds.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(repetitions + 2):
        for name, action in actions.items():
            seconds = action()
            if number >= 2:
                taken[name].append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest of *values* that *fraction* of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * int(fraction * 100) // 100) - 1)]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds > 0.001 else f"{seconds * 1e6:.2f} us"
