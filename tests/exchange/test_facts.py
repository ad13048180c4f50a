"""What messages name: where the pool id was set."""

from __future__ import annotations

import pytest

from cognito_credentials.errors import CognitoCredentialsError
from cognito_credentials.exchange.failures import Failure

from .conftest import EmulatorBench


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
