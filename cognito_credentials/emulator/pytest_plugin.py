"""
Pytest fixtures for tests against the emulator. They need the ``emulator`` extra.

    def test_my_app(emulator_pool, emulator_user_pool, emulator_login, emulator_faults, emulator_clock):
        emulator_user_pool.add_user("bob", email="bob@example.com")
        tokens = emulator_user_pool.sign_in("bob")   # of the user pool; logins("bob") are its Logins
        logins = emulator_login("ann")          # a Google user, with a token that the pool accepts
        emulator_faults({"operation": "GetId", "code": "TooManyRequestsException"})
        emulator_clock(3600)                    # an hour passes at the service

The fixture ``emulator`` is the Emulator itself, and changes nothing else. ``emulator_pool``,
``emulator_user_pool`` and ``emulator_login`` imply ``emulator_environment``: what an app does with a pool or
a login of the emulator must not reach AWS or the developer's own files.

pytest imports this module in every project where the package is installed. So it imports the emulator only
when a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cognito_credentials.emulator.emulator import Emulator
    from cognito_credentials.emulator.logins.keys import SigningKeys
    from cognito_credentials.emulator.user_pool import RunningUserPool


PROVIDER = "accounts.google.com"
AUDIENCE = "app"
REGION = "us-east-1"
USER_POOL = "us-east-1_Emulator1"
USER_POOL_CLIENT = "emulatorclient"


@pytest.fixture(scope="session")
def emulator_keys() -> SigningKeys:
    """The RSA keys of all emulators of a test run. Making keys takes longer than most tests."""
    from cognito_credentials.emulator.extra import MissingExtraError

    try:
        from cognito_credentials.emulator import Emulator, SigningKeys  # noqa: F401  (raises for a missing library)
    except MissingExtraError as error:
        pytest.fail(str(error), pytrace=False)
    return SigningKeys()


@pytest.fixture
def emulator_options() -> Mapping[str, Any]:
    """Arguments of the fixtures' Emulator. Override this fixture to give it a seed or to make it strict."""
    return {}


@pytest.fixture
def emulator(emulator_keys: SigningKeys, emulator_options: Mapping[str, Any]) -> Iterator[Emulator]:
    """A running, empty emulator, whose secrets contain the word CANARY."""
    from cognito_credentials.emulator import Emulator

    with Emulator(**{"keys": emulator_keys, "marker": True, **emulator_options}) as running:
        yield running


@pytest.fixture
def emulator_url(emulator: Emulator) -> str:
    """The emulator's address: the ``endpoint_url`` of clients of Cognito Identity and STS."""
    return emulator.url


@pytest.fixture
def emulator_environment(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Mapping[str, str]:
    """
    Environment variables for one test: they lead to the emulator, and to files under tmp_path.

    The home directory is ``tmp_path / "home"``: a sign-in is stored below it, and an app may read ``~/.aws``.

    All other ``AWS_`` and ``BOTO_`` variables and the proxies are removed. Access keys are not set: calls
    that are signed need some, and the emulator accepts any. boto3's default session is dropped, since it
    would keep the keys and the profile of an earlier test.
    """
    import boto3

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    names = [name for name in os.environ if name.upper().startswith(("AWS_", "BOTO_"))]
    for name in [*names, *(name for name in os.environ if name.lower() in _PROXIES)]:
        monkeypatch.delenv(name)
    directory, home = tmp_path / "aws", tmp_path / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    environment = {
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": emulator.url,  # user pools
        "AWS_ENDPOINT_URL_IAM": emulator.url,
        "AWS_ENDPOINT_URL_STS": emulator.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,  # for SDKs other than boto3
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        "AWS_COGNITO_CACHE_DIR": str(directory / "cache"),
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(_HOMES, str(home)),
    }
    if emulator.certificate is not None:
        environment["AWS_CA_BUNDLE"] = emulator.certificate
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def emulator_pool(emulator: Emulator, emulator_environment: Mapping[str, str]) -> str:
    """
    The id of an identity pool with guests, both flows, Google sign-in (audience ``app``), and the users of
    `emulator_user_pool`.

    It implies `emulator_environment`. A test that sets variables of its own does that afterwards.
    """
    del emulator_environment  # what is asked about the pool reaches the emulator
    provider = f"cognito-idp.{REGION}.amazonaws.com/{USER_POOL}"
    return emulator.create_pool(
        SupportedLoginProviders={PROVIDER: AUDIENCE},
        CognitoIdentityProviders=[{"ProviderName": provider, "ClientId": USER_POOL_CLIENT}],
    )


@pytest.fixture
def emulator_user_pool(emulator: Emulator, emulator_environment: Mapping[str, str]) -> RunningUserPool:
    """
    A user pool without users, whose tokens `emulator_pool` takes: `RunningUserPool`.

    A user with ``mfa`` is asked for a second factor, and no other user is.

    It implies `emulator_environment`.
    """
    del emulator_environment  # what is asked about the users reaches the emulator
    emulator.create_user_pool(
        id=USER_POOL,
        mfa="optional",
        clients=[{"id": USER_POOL_CLIENT, "callback_urls": ["http://localhost:8400/callback"]}],
    )
    return emulator.user_pool(USER_POOL)


@pytest.fixture
def emulator_login(
    emulator: Emulator, emulator_environment: Mapping[str, str]
) -> Callable[..., Mapping[str, str]]:
    """
    A function from a user's name to Logins of that user, which `emulator_pool` accepts.

    It implies `emulator_environment`.
    """
    del emulator_environment  # the logins reach the emulator

    def logins(
        subject: str = "user",
        *,
        provider: str = PROVIDER,
        audience: Any = AUDIENCE,
        expires_in: float = 3600,
        claims: Mapping[str, Any] | None = None,
    ) -> Mapping[str, str]:
        """Logins with one token of `Emulator.login_token`: ``{provider: token}``."""
        token = emulator.login_token(
            provider, audience=audience, subject=subject, expires_in=expires_in, claims=claims
        )
        return {provider: token}

    return logins


@pytest.fixture
def emulator_faults(emulator: Emulator) -> Callable[..., None]:
    """The function `Emulator.plan_faults`: errors, delays and dropped connections for coming requests."""
    return emulator.plan_faults


@pytest.fixture
def emulator_settings(emulator: Emulator) -> Callable[..., Mapping[str, Any]]:
    """The function `Emulator.settings`."""
    return emulator.settings


@pytest.fixture
def emulator_clock(emulator: Emulator) -> Callable[[float], None]:
    """The function `Emulator.move_clock`: seconds pass at the service, and the machine's clock stays."""
    return emulator.move_clock


_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
"""Removed: a proxy cannot reach a server on this machine."""
_HOMES = ("USERPROFILE", "LOCALAPPDATA") if os.name == "nt" else ("HOME",)
"""What home directories are found by."""
