"""An app's store whose functions are coroutines: they run on the app's loop, which never waits."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from cognito_credentials import AsyncIdentityPool, IdentityPool
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import (
    CacheError,
    CognitoCredentialsError,
    ConfigurationError,
    LoginRequiredError,
)
from cognito_credentials.sign_in import OidcLogin
from cognito_credentials.sign_in.kept import own_store

from .hostile_issuer import CLIENT, HostileIssuer
from .own_stores import AsyncEntry, Entry

__all__ = ["emulator", "emulator_keys"]


def _pool(pool_id: str, issuer: HostileIssuer, store: Entry) -> AsyncIdentityPool:
    login = OidcLogin(issuer.url, CLIENT, store=store)
    return AsyncIdentityPool(pool_id, logins=login, cache="memory")


def _used(issuer: HostileIssuer) -> list[str]:
    return [form["refresh_token"] for _, _, form in issuer.requests if "refresh_token" in form]


def _due(pool: AsyncIdentityPool) -> None:
    for _, source in pool.pool._built().logins.sources:
        source._sign_in()._held = None  # type: ignore[attr-defined]


async def _longest_stand(stop: asyncio.Event) -> float:
    longest, last = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def test_a_store_of_coroutines(pool_id: str, rotating: HostileIssuer) -> None:
    """A whole life of a sign-in: everything is done on the app's own loop, one call at a time."""
    store = AsyncEntry()

    async def life() -> None:
        async with _pool(pool_id, rotating, store) as pool:
            account = await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            assert str(account) == "ann"
            assert (await pool.credentials()).access_key_id
            assert (await pool.status()).signed_in_as == "ann"
            tokens = await pool.tokens()
            assert tokens.id_token
            _due(pool)
            await pool.refresh()
            assert store.loops == {asyncio.get_running_loop()}
            kept = store.text
            async with _pool(pool_id, rotating, AsyncEntry(kept)) as again:
                assert (await again.credentials()).access_key_id
                assert again.current() is not None
            await pool.sign_out()
            with pytest.raises(LoginRequiredError, match="nobody is signed in"):
                await pool.credentials()

    asyncio.run(life())

    assert store.text is None
    assert store.done[-1] == "delete" or "delete" in store.done
    assert len(_used(rotating)) == len(set(_used(rotating))) == 3


def test_many_tasks_use_no_refresh_token_twice(pool_id: str, rotating: HostileIssuer) -> None:
    """Tasks of two pools that share a store make one request a pool and generation."""
    store = AsyncEntry()

    async def life() -> None:
        pools = [_pool(pool_id, rotating, store) for _ in range(2)]
        await pools[0].sign_in_with_refresh_token(rotating.refresh_tokens[-1])
        for _ in range(3):
            for pool in pools:
                _due(pool)
            await asyncio.gather(*(pool.refresh() for pool in pools * 10))

    asyncio.run(life())

    used = _used(rotating)
    assert len(used) == len(set(used))
    assert used[-1] in rotating.refresh_tokens


def test_the_loop_goes_on_while_a_slow_store_answers(pool_id: str, rotating: HostileIssuer) -> None:
    """A sync store that takes its time is asked in a thread; a coroutine takes the loop's turns."""
    store = Entry()
    store.fails["load"] = store.fails["save"] = lambda: time.sleep(0.3)

    async def life() -> float:
        stop = asyncio.Event()
        ticker = asyncio.ensure_future(_longest_stand(stop))
        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            await pool.credentials()
        stop.set()
        return await ticker

    assert asyncio.run(life()) < 0.25


def test_a_cancelled_task_loses_no_token(pool_id: str, rotating: HostileIssuer) -> None:
    """What was redeemed is saved, although nobody waits for it any more."""
    store = AsyncEntry()

    async def life() -> None:
        saving = asyncio.Event()
        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            store.fails["save"] = saving.set
            _due(pool)
            task = asyncio.ensure_future(pool.refresh())
            await saving.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(life())

    assert "CANARY-refresh-2" in (store.text or "")


def test_a_program_that_is_interrupted_loses_no_token(pool_id: str, rotating: HostileIssuer) -> None:
    """Ctrl-C cancels the main task: `async with` waits for the end of a save under way."""
    store = AsyncEntry()

    async def life() -> None:
        saving, on_loop = asyncio.Event(), store._on_loop

        async def slowly() -> None:
            saving.set()
            await asyncio.sleep(0.3)
            await on_loop()

        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            store._on_loop = slowly  # type: ignore[method-assign]
            _due(pool)
            waiting = asyncio.ensure_future(pool.refresh())
            await saving.wait()
            assert not waiting.done()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(life())

    assert rotating.refresh_tokens[-1] == "CANARY-refresh-2"
    assert "CANARY-refresh-2" in (store.text or "")


def test_a_coroutine_that_never_ends(
    pool_id: str, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled after its time, and the store works again at the next call."""
    monkeypatch.setattr(own_store, "STORE_SECONDS", 0.2)
    monkeypatch.setattr(own_store, "_LEAST_SECONDS", 0.2)
    store = AsyncEntry()

    async def life() -> None:
        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            on_loop, store._on_loop = store._on_loop, lambda: asyncio.sleep(60)  # type: ignore[method-assign]
            _due(pool)
            with pytest.raises(CacheError, match=r"^load\(\) of AsyncEntry does not answer"):
                await pool.credentials()
            store._on_loop = on_loop  # type: ignore[method-assign]
            assert await pool.refresh()

    asyncio.run(life())


def test_a_coroutine_that_never_ends_is_asked_once(
    pool_id: str, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled and might be asked again, but not by the same call: each time limit is a wait."""
    monkeypatch.setattr(own_store, "STORE_SECONDS", 0.2)
    monkeypatch.setattr(own_store, "_LEAST_SECONDS", 0.2)
    store, asked = AsyncEntry(), []

    async def hang() -> None:
        asked.append("load")
        await asyncio.sleep(60)

    store._on_loop = hang  # type: ignore[method-assign]

    async def life() -> None:
        async with _pool(pool_id, rotating, store) as pool:
            for act in (pool.credentials, pool.refresh, pool.identity_id, pool.tokens, pool.open_id_token):
                asked.clear()
                with pytest.raises(CacheError, match=r"^load\(\) of AsyncEntry does not answer"):
                    await act()
                assert asked == ["load"], act
            asked.clear()
            assert (await pool.status()).store_problem == "load() of AsyncEntry does not answer"
            assert asked == ["load"]

    asyncio.run(life())


def test_a_loop_that_is_closed_underneath(pool_id: str, rotating: HostileIssuer) -> None:
    """Another loop goes on with the sign-in: its tasks have the store's coroutines run there."""
    store = AsyncEntry()
    pool = _pool(pool_id, rotating, store)

    async def begin() -> None:
        await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])

    asyncio.run(begin())
    _due(pool)

    async def go_on() -> None:
        assert await pool.credentials()

    asyncio.run(go_on())
    assert len(store.loops) == 2


def test_an_asynchronous_store_without_a_loop(pool_id: str, rotating: HostileIssuer) -> None:
    """IdentityPool has no loop to run it on: an error at once, that names AsyncIdentityPool."""
    login = OidcLogin(rotating.url, CLIENT, store=AsyncEntry())
    pool = IdentityPool(pool_id, logins=login, cache="memory")

    async def on_the_loop() -> None:
        _fails(pool)

    _fails(pool)
    asyncio.run(on_the_loop())
    assert not rotating.requests


def _fails(pool: IdentityPool) -> None:
    with pytest.raises(ConfigurationError, match=r"^load\(\) of AsyncEntry is async.*AsyncIdentityPool"):
        pool.credentials()
    assert pool.status().signed_in_as is None


def test_a_method_for_threads_on_the_loop(pool_id: str, rotating: HostileIssuer) -> None:
    """Called where the store's loop runs, it would wait for that: an error at once, and the store goes on."""
    store = AsyncEntry()

    async def life() -> None:
        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            await pool.credentials()
            _due(pool)
            began = time.monotonic()
            with pytest.raises(ConfigurationError, match=r"^load\(\) of AsyncEntry .* loop that it runs"):
                pool.pool.refresh()
            assert time.monotonic() - began < own_store.STORE_SECONDS / 2
            assert await pool.refresh()

    asyncio.run(life())


class Locked(AsyncEntry):
    """A store with an asynchronous lock."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = asyncio.Lock()
        self.held = 0

    def lock(self) -> Any:
        return self

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        self.held += 1

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()

    async def save(self, text: str) -> None:  # type: ignore[override]
        assert self._lock.locked()
        await super().save(text)


def test_an_asynchronous_lock(pool_id: str, rotating: HostileIssuer) -> None:
    """It is held while the sign-in is used up and replaced, and free afterwards."""

    async def life() -> None:
        store = Locked()
        async with _pool(pool_id, rotating, store) as pool:
            await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
            _due(pool)
            await pool.credentials()
        assert store.held >= 3
        assert not store._lock.locked()

    asyncio.run(life())


def test_a_store_that_raises(pool_id: str, rotating: HostileIssuer) -> None:
    """A coroutine's error is in doubt, as a function's is; its text stays inside."""
    store = AsyncEntry()
    store.fails["save"] = ValueError("CANARY")

    async def life() -> None:
        async with _pool(pool_id, rotating, store) as pool:
            with pytest.raises(CognitoCredentialsError) as caught:
                await pool.sign_in_with_refresh_token(rotating.refresh_tokens[-1])
        assert str(caught.value).startswith("save() of AsyncEntry failed with ValueError at own_stores.py:")

    asyncio.run(life())
    assert store.text is None
