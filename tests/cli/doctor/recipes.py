"""
How to break a healthy home, and what `doctor` has to find: a row for each cause.

To add a recipe, add a row; `test_recipes.py` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.cli.doctor.conftest import Home


class Recipe(NamedTuple):
    """One cause, and the one finding that it has to have."""

    title: str
    """Of the test: what is wrong."""
    spoil: Callable[[Home], object]
    """Breaks the home."""
    name: str
    """Of the check that finds it."""
    status: str
    what: str
    """A part of what the finding says; ``{home}`` and ``{pool}`` are replaced."""
    fix: str
    """A part of what it says to do; likewise."""
    offline: bool = True
    """Whether it is found without asking anybody; otherwise only without --offline."""


RECIPES = (
    Recipe(
        "the config file has a section twice",
        lambda home: home.add("[profile guest]\n"),
        *("config", "error"),
        "{home}/.aws/config has [profile guest] more than once: lines 1 and ",
        "Join them into one",
    ),
    Recipe(
        "the profile does not exist",
        lambda home: home.options.__setitem__(slice(None), ["--profile", "gest"]),
        *("profile", "error"),
        "profile 'gest' does not exist",
        "Did you mean 'guest'?",
    ),
)
