"""Facebook and Amazon: their tokens are opaque, and lead to credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from tests.cli.conftest import Cli

pytestmark = pytest.mark.writes_secrets  # the token files are ours to write
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_logins =
  {login} = file:{token}
"""


@pytest.mark.parametrize(
    ("login", "provider", "app_id"),
    [
        ("facebook", "graph.facebook.com", "117777777777777"),
        ("graph.facebook.com", "graph.facebook.com", "117777777777777"),
        ("amazon", "www.amazon.com", "amzn1.application.188a56d827a7d6555a8b67a5d"),
    ],
)
def test_an_opaque_token_from_a_file_to_credentials(
    cli: Cli,
    emulator: Any,
    config: Callable[[str], Path],
    tmp_path: Path,
    login: str,
    provider: str,
    app_id: str,
) -> None:
    """An access token in a file leads to the user's identity, and so does another token of the same user."""
    pool = emulator.create_pool(
        AllowUnauthenticatedIdentities=False, SupportedLoginProviders={provider: app_id}
    )
    token = tmp_path / "token"
    config(PROFILE.format(pool=pool, login=login, token=token))
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = emulator.url
    identities = []
    for text in ("EAAG-opaque-of-today", "EAAG-opaque-of-tomorrow"):
        emulator.set_user(provider, "ann", token=text, app_id=app_id)
        token.write_text(text)

        done = cli("credential-process", "--profile", "app")
        assert json.loads(done.out)["AccessKeyId"].startswith("ASIA"), done.err
        assert "authenticated" in cli("whoami", "--profile", "app").out
        identities.append(IdentityPool(pool, logins={login: text}, environ=cli.environ).identity_id())

    assert identities[0] == identities[1]


def test_an_opaque_token_that_its_issuer_does_not_know(
    cli: Cli, emulator: Any, config: Callable[[str], Path], tmp_path: Path
) -> None:
    """For a token that cannot be verified there are no credentials, no guest, and no output of the token."""
    pool = emulator.create_pool(SupportedLoginProviders={"graph.facebook.com": "1177"})
    token = tmp_path / "token"
    token.write_text("EAAG-forged")
    config(PROFILE.format(pool=pool, login="facebook", token=token))
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = emulator.url

    done = cli("credential-process", "--profile", "app")

    assert (done.code, done.out) in ((5, ""), (6, ""))
    assert "EAAG" not in done.err
