"""
The pytest fixture ``emulator``, which comes with the ``emulator`` extra.

    def test_guest(emulator):
        pool_id = emulator.create_pool()
        client = boto3.client("cognito-identity", endpoint_url=emulator.url, ...)

pytest imports this module in every project that has the package installed, so it imports nothing
of the emulator before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cognito_credentials.emulator.emulator import Emulator
    from cognito_credentials.emulator.keys import SigningKeys


@pytest.fixture(scope="session")
def emulator_keys() -> SigningKeys:
    """The RSA keys of all emulators of a test run: making them takes longer than most tests."""
    from cognito_credentials.emulator.keys import SigningKeys

    return SigningKeys()


@pytest.fixture
def emulator(emulator_keys: SigningKeys) -> Iterator[Emulator]:
    """A running emulator with nothing in it, whose secrets carry the word CANARY."""
    from cognito_credentials.emulator.emulator import Emulator

    with Emulator(keys=emulator_keys, marker=True) as running:
        yield running
