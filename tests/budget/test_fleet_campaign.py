"""The simulations of a fleet, in short."""

from __future__ import annotations

from tests.campaigns import fleet


def test_a_fleet_stays_under_its_quota() -> None:
    """Users who came at once load the service evenly after two hours, by the real buckets and policy."""
    found = fleet.steady(2000, 6, 20.0)

    assert found.load.peak <= 21
    assert found.gaps == 0
    assert found.load.peak_minute(after=2 * fleet.HOUR) < 2 * found.load.mean


def test_the_spread_of_first_credentials_is_what_makes_it_even() -> None:
    """Without it, the same users come in waves."""
    found = fleet.steady(2000, 6, 20.0, spread=False)

    assert found.load.peak_minute(after=2 * fleet.HOUR) > 2 * found.load.mean


def test_a_cold_start_is_fair() -> None:
    """Thousands of new users at once keep both quotas; all who come back are served, in their order."""
    found = fleet.cold(4000)

    assert found.is_good, found
    assert found.late == 0
