"""The programs of the guide to async programs, run as they stand there."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import cognito_credentials
from cognito_credentials import AsyncIdentityPool
from tests.world import World

PAGE = Path(__file__).parent.parent.parent / ".github" / "docs" / "guides" / "async.md"
PROVIDER = "login.example.com"


@pytest.fixture
def world(emulator: Any) -> World:
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(
        OpenIdConnectProviderARNs=[f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"]
    )
    return made


def programs(first: int = 0, **given: Any) -> list[dict[str, Any]]:
    """Run the programs with a pool from the *first* on, with *given* for what is the reader's own."""
    section = PAGE.read_text("utf-8").split("\n## aiobotocore", 1)[0]
    made = []
    for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL)[first:]:
        names = {"__name__": "app", **given}
        exec(code, names)
        made.append(names)
    return made


class Stub:
    """Home Assistant's coordinator, as far as the page uses it."""

    def __init__(self, hass: Any, logger: logging.Logger, **options: Any) -> None:
        self.options = options


class AuthFailedError(Exception):
    """Home Assistant's `ConfigEntryAuthFailed`."""


class UpdateFailedError(Exception):
    """Home Assistant's, whose `retry_after` is a number of seconds."""

    def __init__(self, *arguments: object, retry_after: float | None = None) -> None:
        super().__init__(*arguments)
        self.retry_after = retry_after


@pytest.fixture(autouse=True)
def home_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Stand for Home Assistant, which wants a Python and packages of its own.

    Source: https://developers.home-assistant.io/blog/2025/11/17/retry-after-update-failed
    """
    names: dict[str, dict[str, object]] = {
        "homeassistant": {},
        "homeassistant.exceptions": {"ConfigEntryAuthFailed": AuthFailedError},
        "homeassistant.helpers": {},
        "homeassistant.helpers.update_coordinator": {
            "DataUpdateCoordinator": Stub,
            "UpdateFailed": UpdateFailedError,
        },
    }
    for name, members in names.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)


def test_the_programs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand tasks of the first program make two requests, with its async login function."""

    async def id_token() -> str:
        return world.token()

    class Here(AsyncIdentityPool):
        def __init__(self, pool_id: str, **settings: Any) -> None:
            assert pool_id == "us-east-1:00000000-0000-4000-8000-000000000001"
            super().__init__(world.pool_id, environ=world.environ, **settings)

    monkeypatch.setattr(cognito_credentials, "AsyncIdentityPool", Here)
    programs(my_async_sign_in=SimpleNamespace(id_token=id_token))
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_the_coordinator(world: World) -> None:
    """It polls without a request, tells an outage with its seconds, and a sign-in that has ended."""
    is_signed_in = True
    login = {PROVIDER: lambda: world.token() if is_signed_in else None}

    class Api:
        async def fetch(self, credentials: Any) -> str:
            return str(credentials.access_key_id)

    async def main() -> None:
        nonlocal is_signed_in
        pool = AsyncIdentityPool(
            world.pool_id, logins=login, user="ann", environ=world.environ, clock=world.clock
        )
        program = programs(1)[0]
        coordinator = program["Coordinator"](None, None, pool, Api())
        assert coordinator.options["update_interval"] == timedelta(minutes=5)
        first = await coordinator._async_update_data()
        for _ in range(7):
            world.move(300)
            assert await coordinator._async_update_data() == first
        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}
        world.outage()
        world.move(3600)
        with pytest.raises(UpdateFailedError, match="credentials expired at") as failed:
            await coordinator._async_update_data()
        assert 1 <= (failed.value.retry_after or 0) <= 6
        world.recover()
        is_signed_in = False
        world.move(60)
        with pytest.raises(AuthFailedError, match="gave no token"):
            await coordinator._async_update_data()
        await pool.close()

    asyncio.run(main())
