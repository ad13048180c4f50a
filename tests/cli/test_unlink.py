"""`unlink`: the login goes off the identity, and the output says what follows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.world import World

from .conftest import Cli

LOGIN = "login.example.com"
GOOGLE = "accounts.google.com"
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_user = ann
cognito_logins =
"""


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    """An identity pool for users of two providers."""
    made = World(emulator, dict(os.environ))
    arn = f"arn:aws:iam::123456789012:oidc-provider/{LOGIN}"
    made.pool_id = emulator.create_pool(
        OpenIdConnectProviderARNs=[arn], SupportedLoginProviders={GOOGLE: "app"}
    )
    return made


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("named", "taken_off", "says"),
    [
        ((LOGIN,), "google", "It is not among the logins here"),
        ((LOGIN, GOOGLE), "google", "The profile still names it"),
        ((LOGIN,), LOGIN, "It is the only login here"),
    ],
)
def test_what_follows_from_unlinking(
    cli: Cli, world: World, config: Callable[[str], Path], named: tuple[str, ...], taken_off: str, says: str
) -> None:
    """The output says that a login which the profile still names would be linked again by its next use."""
    tokens = {LOGIN: world.token("ann"), GOOGLE: world.token("ann@google", GOOGLE)}
    if taken_off == "google":
        world.pool(logins={LOGIN: tokens[LOGIN]}, user="ann").link({GOOGLE: tokens[GOOGLE]})
    sources = "".join(f"  {name} = env:TOKEN_{name.partition('.')[0].upper()}\n" for name in named)
    config(PROFILE.format(pool=world.pool_id) + sources)
    env = {f"TOKEN_{name.partition('.')[0].upper()}": token for name, token in tokens.items()}
    env |= {name: world.environ[name] for name in world.environ if name.startswith("AWS_ENDPOINT_URL_")}

    done = cli("unlink", taken_off, "--profile", "app", "--yes", env=env)

    assert done.code == 0, done.err
    assert says in done.line
