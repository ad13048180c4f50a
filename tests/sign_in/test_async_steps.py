"""Signing in by steps from an event loop: the same questions, whose answers are coroutines."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from cognito_credentials import AsyncIdentityPool, ChallengeRequired
from cognito_credentials.errors import ConfigurationError, LoginRejectedError
from cognito_credentials.sign_in import AsyncChallengeRequired, UserPool
from tests.conftest import locals_of

from .conftest import PASSWORD
from .emulated_pool import CLIENT, POOL, EmulatedPool
from .own_stores import AsyncEntry

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def pool(user_pool: EmulatedPool) -> AsyncIdentityPool:
    user_pool.add("eve", PASSWORD, "SELECT_MFA_TYPE")
    return AsyncIdentityPool(POOL_ID, logins=UserPool(POOL, CLIENT, store="file"))


async def _asked(attempt: Any) -> AsyncChallengeRequired:
    with pytest.raises(ChallengeRequired) as caught:
        await attempt
    assert isinstance(caught.value, AsyncChallengeRequired)
    return caught.value


@pytest.mark.quick
def test_an_event_loop_signs_in_by_steps(pool: AsyncIdentityPool, user_pool: EmulatedPool) -> None:
    """Each question is caught as ChallengeRequired; its answer, awaited, leads to the next or the account."""

    async def main() -> None:
        choice = await _asked(pool.sign_in_with_password("eve", PASSWORD))
        assert (choice.kind, choice.choices, choice.is_open) == ("choice", ("sms", "totp"), True)
        code = await _asked(choice.answer("sms"))
        assert (code.kind, code.sent_to, choice.is_open) == ("sms", "+*******0123", False)
        with pytest.raises(LoginRejectedError, match="the code is wrong"):
            await code.answer("000000")
        assert (await code.answer(user_pool.code())).subject == "sub-eve"
        assert (await pool.status()).signed_in_as == "eve"

    asyncio.run(main())


def test_no_frame_of_a_task_holds_what_was_typed(pool: AsyncIdentityPool) -> None:
    """The errors that tasks raise have neither password nor answer in their frames, of whatever type."""

    async def main() -> None:
        choice = await _asked(pool.sign_in_with_password("eve", PASSWORD))
        assert "CANARY" not in locals_of(choice) + repr(vars(choice))
        for attempt in (
            pool.sign_in_with_password("ann", "CANARY wrong"),
            pool.sign_in_with_password("ann", b"CANARY"),  # type: ignore[arg-type]
            choice.answer("CANARY"),
        ):
            with pytest.raises((LoginRejectedError, ConfigurationError)) as caught:
                await attempt
            assert "CANARY" not in locals_of(caught.value)

    asyncio.run(main())


def test_a_task_that_is_cancelled(pool: AsyncIdentityPool, user_pool: EmulatedPool) -> None:
    """The answer is under way, and goes on: the person is signed in, and nobody answers once more."""
    arrived, go_on = threading.Event(), threading.Event()

    def waits(name: str, body: dict[str, Any]) -> None:
        arrived.set()
        assert go_on.wait(20)

    async def main() -> None:
        choice = await _asked(pool.sign_in_with_password("eve", PASSWORD))
        code = await _asked(choice.answer("totp"))
        user_pool.before = waits
        task = asyncio.ensure_future(code.answer(user_pool.code()))
        await asyncio.to_thread(arrived.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ConfigurationError, match="being answered already"):
            await code.answer(user_pool.code())
        go_on.set()
        await pool.close()
        assert (await pool.status()).signed_in_as == "eve"

    asyncio.run(main())


def test_an_async_store_of_the_app(user_pool: EmulatedPool) -> None:
    """An app with a store of coroutines, as Home Assistant's: it runs on the app's loop, at the last step."""
    store = AsyncEntry()
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")

    async def main() -> None:
        async with AsyncIdentityPool(POOL_ID, logins=UserPool(POOL, CLIENT, store=store)) as pool:
            question = await _asked(pool.sign_in_with_password("eve", PASSWORD))
            assert store.text is None
            assert (await question.answer(user_pool.code())).subject == "sub-eve"
            assert store.text
            assert store.loops == {asyncio.get_running_loop()}

    asyncio.run(main())
