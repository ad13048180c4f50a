"""What messages name: where the pool id was set, and an unknown region."""

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
    """A refusal says where the pool id was set, if not in the profile that the message names."""
    assert f" (from {origin}) does not allow guests" in _refusal(bench, origin).message


def test_the_pool_of_a_profile_needs_no_origin(bench: EmulatorBench) -> None:
    """A refusal does not repeat a profile that the line already begins with."""
    assert "(from" not in _refusal(bench, "profile 'app'").message


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("us-esat-1", "No region us-esat-1 is known here (did you mean us-west-1 or us-east-1"),
        ("xx-nowhere-9", "No region xx-nowhere-9 is known here: check the pool id"),
        ("eu-west-1", "Check the network"),
    ],
)
def test_an_unknown_region_is_named_where_nothing_answers(region: str, said: str) -> None:
    """If no host answers, the hint names an unknown region; no earlier check refuses it, as it may be new."""
    settings = Bench("").settings(f"{region}:0", region=region, endpoint_url=None)
    told = facts(settings, {}, "own", is_guest=True)
    error = classify("GetId", EndpointConnectionError(endpoint_url="x"), is_guest=True, facts=told).error

    assert error.hint.startswith(said)


def test_no_such_pool_names_the_region_that_was_meant(bench: EmulatorBench) -> None:
    """Where the endpoint is configured, "no such pool" suggests the region that was probably meant."""
    with pytest.raises(Failure) as caught:
        bench.client("us-est-1:00000000-0000-4000-8000-00000000000a", region="us-est-1").get_id({})

    assert "its region (did you mean us-" in caught.value.error.hint


def test_a_configured_endpoint_makes_any_region_right() -> None:
    """With a configured endpoint no region is doubted."""
    settings = Bench("http://127.0.0.1:9").settings(region="us-esat-1")

    assert facts(settings, {}, "own", is_guest=True)["region_doubt"] == "Check"
