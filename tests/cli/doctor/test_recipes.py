"""Each broken set-up has exactly its finding; a healthy one has none."""

from __future__ import annotations

import pytest

from tests.cli.doctor.conftest import Home
from tests.cli.doctor.recipes import RECIPES, Recipe


def test_a_healthy_home_has_no_finding(home: Home) -> None:
    """Everything is all right for a guest, with the network and without."""
    assert home.findings() == []
    assert home.findings("--offline") == []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_cause_has_one_finding(home: Home, recipe: Recipe) -> None:
    """One cause has one finding, which names it and says what to do; what depends on it is left out."""
    recipe.spoil(home)

    (found,) = home.findings(*["--offline"] * recipe.offline)

    assert (found["name"], found["status"]) == (recipe.name, recipe.status)
    places = {"home": str(home.path), "pool": home.pool_id}
    assert recipe.what.format(**places) in found["what"]
    assert recipe.fix.format(**places) in found["fix"]
