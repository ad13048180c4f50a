"""Short runs of the benchmarks that count and do not time."""

from __future__ import annotations

import pytest

from .__main__ import PARTS
from .figures import Figure, Scale, at_most, counted, percentile
from .plots import GROUPS, draw

SHORT = Scale(threads=16, reads=200, outage_reads=300, processes=8, kills=20, mutations=300, hours=8)


@pytest.mark.parametrize(
    "part", ["requests", "threads", "outage", "outage-of-commands", "kill", "mutate", "soak"]
)
def test_counted_figures_hold(part: str) -> None:
    """Every counted figure holds its bar on any machine."""
    figures = list(PARTS[part](SHORT))
    assert any(figure.is_held for figure in figures)
    assert [figure.line() for figure in figures if figure.is_held is False] == []


@pytest.mark.parametrize("part", ["fleet-beside", "fleet-crowd"])
def test_figures_of_a_fleet_hold(part: str) -> None:
    """What a fleet counts holds; how long it takes, a busy machine may not tell."""
    figures = [figure for figure in PARTS[part](SHORT) if figure.bar.startswith("=")]
    assert len(figures) >= 2
    assert [figure.line() for figure in figures if figure.is_held is False] == []


@pytest.mark.quick
def test_line_has_the_verdict() -> None:
    """A figure beyond its bar reads MISS, one within it reads ok, and one without a bar reads neither."""
    assert counted("x", 2, 1).line().startswith("MISS")
    assert at_most("x", 1.51, 1.5, " x").line().startswith("MISS")
    assert at_most("x", 1.5, 1.5, " x").line().startswith("ok")
    assert Figure("x", "1").line().startswith("   ")


@pytest.mark.quick
def test_percentile_is_of_the_values() -> None:
    """The 99th percentile of 200 values is the 198th, and of one value that one."""
    values = [float(value) for value in range(200)]
    assert percentile(values, 0.99) == 197.0
    assert percentile(values, 0.5) == 99.0
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.quick
def test_the_page_is_drawn_from_what_was_measured() -> None:
    """Plots and tables are those that the kept figures make; each part of the benchmarks has a place."""
    assert {path.name: path.read_text("utf-8") == text for path, text in draw().items()} == {
        path.name: True for path in draw()
    }
    assert sorted(part for parts in GROUPS.values() for part in parts) == sorted(PARTS)
