"""Each broken set-up has exactly its finding; a healthy one has none."""

from __future__ import annotations

import pytest

from tests.cli.doctor.conftest import KINDS, Home
from tests.cli.doctor.online import ONLINE
from tests.cli.doctor.recipes import RECIPES, Recipe

pytestmark = pytest.mark.writes_secrets


@pytest.mark.quick
def test_a_healthy_home_has_no_finding(home: Home) -> None:
    """Everything is all right for a guest, with the network and without."""
    assert home.findings() == []
    assert home.findings("--offline") == []


@pytest.mark.parametrize("home", KINDS, indirect=True)
def test_no_kind_of_healthy_home_has_a_finding(home: Home) -> None:
    """Logins, sign-ins, caches and homes of every kind are no fault: offline, there is no false alarm."""
    assert home.findings("--offline") == []


@pytest.mark.parametrize("recipe", [*RECIPES, *ONLINE], ids=lambda recipe: recipe.title)
def test_a_cause_has_one_finding(home: Home, recipe: Recipe) -> None:
    """One cause has one finding, which names it and says what to do; what depends on it is left out."""
    recipe.spoil(home)

    findings = home.findings(*["--offline"] * recipe.offline)

    assert [found["name"] for found in findings] == [recipe.name], findings
    (found,) = findings
    assert found["status"] == recipe.status
    places = {"home": str(home.path), "pool": home.pool_id}
    assert recipe.what.format(**places) in found["what"]
    assert recipe.fix.format(**places) in found["fix"]


def test_there_are_enough() -> None:
    """Each cause is in the table once."""
    assert len({recipe.title for recipe in (*RECIPES, *ONLINE)}) == len(RECIPES) + len(ONLINE) >= 30
