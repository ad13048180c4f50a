"""The programs of the guide to signing in with a store of their own, as they stand there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognito_credentials.errors import LoginRejectedError, LoginRequiredError
from cognito_credentials.sign_in import UserPool

from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT, POOL, PROVIDER, EmulatedPool

PAGE = Path(__file__).parent.parent.parent / ".github" / "docs" / "guides" / "signing-in.md"


def _program(block: int, **changes: str) -> dict[str, Any]:
    section = PAGE.read_text("utf-8").split("## An app with a store of its own\n", 1)[1].split("\n## ", 1)[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[block]
    for before, after in changes.items():
        assert code.count(before) == 1, before
        code = code.replace(before, after)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names


class Entries:
    """Home Assistant's: an entry is changed on the event loop, and only there."""

    def __init__(self) -> None:
        self.changes = 0

    def async_update_entry(self, entry: SimpleNamespace, *, data: dict[str, Any]) -> None:
        assert asyncio.get_running_loop()
        entry.data = data
        self.changes += 1


def test_an_integration(user_pool: EmulatedPool, monkeypatch: pytest.MonkeyPatch, isolation: Path) -> None:
    """Form, entry, polls over a rotation and a restart, the end of the sign-in, and reauth; no file."""
    user_pool.change(rotate_refresh_tokens=True)
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", user_pool.url)
    pool_id = user_pool.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}]
    )
    app = _program(
        0,
        **{
            "us-east-1_Ab1Cd2Ef3": POOL,
            "4example23456789": CLIENT,
            "us-east-1:00000000-0000-4000-8000-000000000001": pool_id,
        },
    )
    before = sorted(isolation.rglob("*"))

    async def life() -> None:
        with pytest.raises(LoginRejectedError):
            await app["submit"]("ann", "wrong")
        unique_id, data = await app["submit"]("ann", PASSWORD)
        hass = SimpleNamespace(config_entries=Entries())
        entry = SimpleNamespace(data={**data, "host": "cloud"})
        assert unique_id == "sub-ann"

        for start in range(1, 4):
            pool = await app["set_up"](hass, entry)
            tokens = await pool.tokens()
            assert tokens.access_token
            assert entry.data["host"] == "cloud"
            assert hass.config_entries.changes == start
            await pool.close()

        user_pool.revoke_all()
        pool = await app["set_up"](hass, entry)
        with pytest.raises(LoginRequiredError, match="the sign-in of ann has ended"):
            await pool.tokens()
        with pytest.raises(LoginRequiredError):
            await app["poll"](pool)
        _, entry.data = await app["submit"]("ann", PASSWORD)
        assert await (await app["set_up"](hass, entry)).tokens()

    asyncio.run(life())
    assert sorted(isolation.rglob("*")) == before


@pytest.mark.writes_secrets
def test_a_desktop_app(user_pool: EmulatedPool, tmp_path: Path) -> None:
    """The database has the sign-in for every process of the app; signing out empties it."""
    user_pool.change(rotate_refresh_tokens=True)
    store = _program(1)["DatabaseStore"](str(tmp_path / "app.sqlite"))
    login = UserPool(POOL, CLIENT, sign_in="password", store=store)
    login.sign_in(Person(PASSWORD), username="ann")

    other = UserPool(POOL, CLIENT, store=_program(1)["DatabaseStore"](str(tmp_path / "app.sqlite")))

    assert other.tokens().id_token
    login.reject(login.token())
    assert login.tokens().id_token
    assert other.sign_out().revoked
    assert store.load() is None
