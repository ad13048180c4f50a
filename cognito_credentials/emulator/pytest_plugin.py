"""
Pytest fixtures for tests against the emulator, which come with the ``emulator`` extra.

    def test_my_app(emulator_url, emulator_pool, emulator_login, emulator_faults, emulator_clock):
        logins = emulator_login("ann")                  # of Google, for this pool
        emulator_faults({"operation": "GetId", "code": "TooManyRequestsException"})
        emulator_clock(3600)                            # an hour passes

``emulator`` itself is the Emulator, for everything else.

pytest imports this module in every project that has the package installed, so it imports nothing
of the emulator before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cognito_credentials.emulator.emulator import Emulator
    from cognito_credentials.emulator.keys import SigningKeys


PROVIDER = "accounts.google.com"
AUDIENCE = "app"


@pytest.fixture(scope="session")
def emulator_keys() -> SigningKeys:
    """The RSA keys of all emulators of a test run: making them takes longer than most tests."""
    try:
        from cognito_credentials.emulator import Emulator, SigningKeys  # noqa: F401 - Emulator needs all of it
    except ModuleNotFoundError as error:
        install = "pip install 'cognito-credentials[emulator]'"
        pytest.fail(f"the emulator needs {error.name}; run: {install}", pytrace=False)
    return SigningKeys()


@pytest.fixture
def emulator(emulator_keys: SigningKeys) -> Iterator[Emulator]:
    """A running emulator with nothing in it, whose secrets carry the word CANARY."""
    from cognito_credentials.emulator import Emulator

    with Emulator(keys=emulator_keys, marker=True) as running:
        yield running


@pytest.fixture
def emulator_url(emulator: Emulator) -> str:
    """Where the emulator listens: the ``endpoint_url`` of clients of Cognito Identity and STS."""
    return emulator.url


@pytest.fixture
def emulator_pool(emulator: Emulator) -> str:
    """The id of an identity pool with guests, both flows and Google sign-in."""
    return emulator.create_pool(SupportedLoginProviders={PROVIDER: AUDIENCE})


@pytest.fixture
def emulator_login(emulator: Emulator) -> Callable[..., Mapping[str, str]]:
    """A function of a user's name that gives the Logins of that user for `emulator_pool`."""

    def logins(subject: str = "user", **options: Any) -> Mapping[str, str]:
        token = emulator.login_token(PROVIDER, audience=AUDIENCE, subject=subject, **options)
        return {PROVIDER: token}

    return logins


@pytest.fixture
def emulator_faults(emulator: Emulator) -> Callable[..., None]:
    """A function that plans faults, as `Emulator.plan_faults`."""
    return emulator.plan_faults


@pytest.fixture
def emulator_clock(emulator: Emulator) -> Callable[[float], None]:
    """A function that moves the emulator's clock by seconds, as `Emulator.move_clock`."""
    return emulator.move_clock
