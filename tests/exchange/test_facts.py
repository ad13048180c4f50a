"""What messages name: where the pool id was set, and a region that nobody knows."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from cognito_credentials.errors import CognitoCredentialsError
from cognito_credentials.exchange.facts import facts
from cognito_credentials.exchange.failures import Failure, classify

from .conftest import Bench, EmulatorBench


def _refusal(bench: EmulatorBench, origin: str) -> CognitoCredentialsError:
    pool = bench.pool(AllowUnauthenticatedIdentities=False)
    with pytest.raises(Failure) as caught:
        bench.client(pool, origins={"identity_pool_id": origin}).get_id({})
    return caught.value.error


@pytest.mark.parametrize("origin", ["AWS_COGNITO_IDENTITY_POOL_ID", "the command line", "argument"])
def test_a_pool_that_is_not_the_profiles_is_named_with_its_origin(bench: EmulatorBench, origin: str) -> None:
    """A variable may have won over the profile that the user looks at: every refusal says so."""
    assert f" (from {origin}) does not allow guests" in _refusal(bench, origin).message


def test_the_pool_of_a_profile_needs_no_origin(bench: EmulatorBench) -> None:
    """The profile is named at the head of the line already."""
    assert "(from" not in _refusal(bench, "profile 'app'").message


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("us-esat-1", "No region us-esat-1 is known here (did you mean us-west-1 or us-east-1"),
        ("xx-nowhere-9", "No region xx-nowhere-9 is known here: check the pool id"),
        ("eu-west-1", "Check the network"),
    ],
)
def test_where_nothing_answers_a_region_that_nobody_knows_is_said(region: str, said: str) -> None:
    """A region is judged by its shape, so that new ones work; a mistyped one is found out by DNS."""
    settings = Bench("").settings(f"{region}:0", region=region, endpoint_url=None)
    told = facts(settings, {}, "own", is_guest=True)
    error = classify("GetId", EndpointConnectionError(endpoint_url="x"), is_guest=True, facts=told).error

    assert error.hint.startswith(said)


def test_no_such_pool_names_the_region_that_was_meant(bench: EmulatorBench) -> None:
    """Behind an endpoint of one's own a mistyped region ends in "no such pool"."""
    with pytest.raises(Failure) as caught:
        bench.client("us-est-1:00000000-0000-4000-8000-00000000000a", region="us-est-1").get_id({})

    assert "its region (did you mean us-" in caught.value.error.hint


def test_an_endpoint_of_ones_own_makes_any_region_right() -> None:
    """Whoever names the address need not name a region that exists."""
    settings = Bench("http://127.0.0.1:9").settings(region="us-esat-1")

    assert facts(settings, {}, "own", is_guest=True)["region_doubt"] == "Check"
