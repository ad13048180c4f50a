"""`AsyncIdentityPool` on one event loop, against the emulator: what is at once, and what is shared."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import pickle
import subprocess
import sys
import threading
import traceback
from typing import Any

import pytest

from cognito_credentials import (
    AsyncIdentityPool,
    ConfigurationError,
    IdentityPool,
    LoginRequiredError,
    RefusedError,
    Secret,
    ServiceError,
    Session,
)
from cognito_credentials.pool import flights
from tests.world import World

PROVIDER = "login.example.com"
WHO = contextvars.ContextVar("who", default="nobody")


@pytest.fixture
def world(emulator: Any) -> World:
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(
        AllowUnauthenticatedIdentities=True, OpenIdConnectProviderARNs=[arn(PROVIDER)]
    )
    return made


def arn(provider: str) -> str:
    return f"arn:aws:iam::123456789012:oidc-provider/{provider}"


def async_pool(world: World, **arguments: Any) -> AsyncIdentityPool:
    arguments.setdefault("clock", world.clock)
    return AsyncIdentityPool(world.pool_id, environ=world.environ, **arguments)


async def settled(pool: AsyncIdentityPool) -> None:
    """Wait for what is done in the background."""
    for flight in pool._flights.crew.under_way():
        await flight.over()
    await asyncio.sleep(0)  # what was begun by the tasks of this turn
    for flight in pool._flights.crew.under_way():
        await flight.over()


def test_a_thousand_tasks_cold_make_two_requests(world: World) -> None:
    """A thousand tasks that start together share one GetId, one GetCredentialsForIdentity and one thread."""
    pool = async_pool(world)

    async def main() -> tuple[set[str], int]:
        tasks = [asyncio.ensure_future(pool.credentials()) for _ in range(1000)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        count = sum(thread.name == "cognito-credentials-async" for thread in threading.enumerate())
        return {one.access_key_id for one in await asyncio.gather(*tasks)}, count

    keys, count = asyncio.run(main())
    assert len(keys) == count == 1
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_fresh_credentials_are_returned_without_a_turn_of_the_loop(world: World) -> None:
    """While they are fresh, no thread is asked and the task does not even wait."""
    pool = async_pool(world)

    async def main() -> None:
        first = await pool.credentials()
        again = pool.credentials()
        with pytest.raises(StopIteration) as done:
            again.send(None)
        assert done.value.value is first
        assert pool.current() is first

    asyncio.run(main())


def test_nobody_waits_while_a_minute_is_left(world: World) -> None:
    """When a refresh is due, tasks get what is held, and one renewal goes on in the background."""
    pool = async_pool(world)

    async def main() -> None:
        first = await pool.credentials()
        world.move(3000)
        assert [await pool.credentials() for _ in range(50)] == [first] * 50
        await settled(pool)
        second = await pool.credentials()
        assert second != first
        await pool.close()

    asyncio.run(main())
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 2}


def test_an_outage_raises_nothing_while_they_are_valid(world: World) -> None:
    """With 14 minutes left in an outage, no task gets an error, and 15 minutes see at most three requests."""
    pool = async_pool(world)

    async def main() -> None:
        first = await pool.credentials()
        before = world.counts()["GetCredentialsForIdentity"]
        world.move(3600 - 14 * 60)
        world.outage()
        for _ in range(13 * 60 + 50):
            assert await pool.credentials() == first
            await settled(pool)
            world.clock.advance(1)
        assert world.counts()["GetCredentialsForIdentity"] - before <= 3
        world.clock.advance(20)
        with pytest.raises(ServiceError, match="credentials expired at"):
            await pool.credentials()
        world.recover()
        world.clock.advance(60)
        assert await pool.credentials() != first

    asyncio.run(main())


def test_a_cancelled_task_disturbs_nobody(world: World) -> None:
    """Of many that wait, all but one are cancelled, the first among them; that one gets the credentials."""
    world.faults({"operation": "GetId", "times": 1, "delay": 0.1})
    pool = async_pool(world)

    async def main() -> None:
        tasks = [asyncio.ensure_future(pool.credentials()) for _ in range(10)]
        await asyncio.sleep(0.02)
        for task in tasks[:9]:
            task.cancel()
        assert (await tasks[9]).access_key_id
        assert all(isinstance(one, asyncio.CancelledError) for one in await outcomes(tasks[:9]))

    asyncio.run(main())
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


async def outcomes(tasks: Any) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_the_call_of_cancelled_tasks_goes_on(world: World) -> None:
    """When all tasks are cancelled, the call goes on; who asks next gets what it got."""
    world.faults({"operation": "GetId", "times": 1, "delay": 0.1})
    pool = async_pool(world)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.credentials(), 0.02)
        await settled(pool)
        assert pool.current() is not None

    asyncio.run(main())
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_a_failure_is_everybodys(world: World) -> None:
    """All tasks that wait raise the failure, none of them keeps the frames of another."""
    pool = async_pool(world, logins={PROVIDER: lambda: None})

    async def main() -> None:
        found = await outcomes([pool.credentials() for _ in range(20)])
        assert {str(one) for one in found} == {str(found[0])}
        assert isinstance(found[0], LoginRequiredError)
        frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(found[0].__traceback__)]
        assert frames.count("credentials") == 1

    asyncio.run(main())


async def its_token(world: World) -> str:
    await asyncio.sleep(0)
    return world.token()


def login_functions(world: World) -> dict[str, Any]:
    class Giver:
        async def token(self) -> Secret:
            return Secret(await its_token(world))

    async def function() -> str:
        return await its_token(world)

    return {"sync": world.token, "async": function, "object": Giver()}


@pytest.mark.parametrize("kind", ["sync", "async", "object"])
def test_login_functions_may_be_async(world: World, kind: str) -> None:
    """A login function, sync or async, and an object with an async token() are asked once."""
    pool = async_pool(world, logins={PROVIDER: login_functions(world)[kind]})

    async def main() -> None:
        assert len({one.access_key_id for one in await outcomes([pool.credentials()] * 1)}) == 1

    asyncio.run(main())
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_where_login_functions_run(world: World) -> None:
    """An async one runs on the loop, a sync one in a thread; both see the context variables of the caller."""
    seen: list[tuple[bool, str]] = []

    async def asynchronous() -> str:
        seen.append((threading.current_thread() is threading.main_thread(), WHO.get()))
        return world.token()

    def synchronous() -> str:
        seen.append((threading.current_thread() is threading.main_thread(), WHO.get()))
        return world.token()

    async def main() -> None:
        WHO.set("ann")
        for function in (asynchronous, synchronous):
            await async_pool(world, logins={PROVIDER: function}, cache="memory").credentials()

    asyncio.run(main())
    assert seen == [(True, "ann"), (False, "ann")]


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize(
    ("failure", "raised", "said"),
    [
        (KeyError("CANARY"), LoginRequiredError, "failed with KeyError at test_async.py"),
        (ConnectionError("CANARY"), ServiceError, "could not reach what it asks"),
        (None, LoginRequiredError, "gave no token"),
        (5, ConfigurationError, "gave int, not text"),
    ],
)
def test_login_functions_that_fail(
    world: World, failure: Any, raised: type[Exception], said: str, is_async: bool
) -> None:
    """A login function that raises, or returns nothing or no text, is one clear error, sync or async."""

    def fail() -> Any:
        if isinstance(failure, Exception):
            raise failure
        return failure

    async def fail_on_the_loop() -> Any:
        return fail()

    pool = async_pool(world, logins={PROVIDER: fail_on_the_loop if is_async else fail})

    async def main() -> None:
        with pytest.raises(raised, match=said):
            await pool.credentials()

    asyncio.run(main())
    assert world.counts() == {}


def test_a_login_function_that_is_cancelled_in_its_thread(world: World) -> None:
    """What was cancelled there is an error to the tasks that wait: none of them was cancelled itself."""

    def cancelled() -> str:
        raise asyncio.CancelledError

    pool = async_pool(world, logins={PROVIDER: cancelled})

    async def main() -> None:
        for one in await outcomes([asyncio.ensure_future(pool.credentials()) for _ in range(3)]):
            assert isinstance(one, ServiceError)
            assert str(one).startswith("a login function was cancelled in its thread")

    asyncio.run(main())


def test_a_login_function_that_asks_its_own_pool(world: World) -> None:
    """It would wait for itself: an error at once, sync or async. What it begins may ask the pool later."""
    later: list[asyncio.Task[Any]] = []
    has_token = asyncio.Event()

    async def own() -> str:
        with pytest.raises(ConfigurationError, match="asked the same identity pool for credentials"):
            await pool.credentials()
        with pytest.raises(ConfigurationError, match="asked the same identity pool for credentials"):
            await pool.refresh()
        later.append(asyncio.ensure_future(ask_later()))
        return world.token()

    async def ask_later() -> None:
        await asyncio.sleep(0)
        await has_token.wait()
        await pool.credentials()

    pool = async_pool(world, logins={PROVIDER: own})

    async def main() -> None:
        await pool.credentials()
        has_token.set()
        await later[0]

    asyncio.run(main())


def test_all_methods_are_coroutines(world: World) -> None:
    """Each method of IdentityPool is there with the same arguments; three are no coroutines, and say so."""
    for name, method in inspect.getmembers(IdentityPool, callable):
        if name.startswith("_"):
            continue
        ours = getattr(AsyncIdentityPool, name)
        assert [*inspect.signature(ours).parameters] == [*inspect.signature(method).parameters], name
        if name not in ("for_user", "current", "on_identity_changed"):
            assert inspect.iscoroutinefunction(ours), name
    assert inspect.signature(AsyncIdentityPool) == inspect.signature(IdentityPool)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lgoins'"):
        AsyncIdentityPool(world.pool_id, lgoins={})  # type: ignore[call-arg]


def test_rejected_credentials_of_an_ended_sign_in_ask_for_a_sign_in(world: World) -> None:
    """On a loop, too: what a service has rejected is not used on where only the person can get more."""
    calls: list[int] = []

    def login() -> str:
        calls.append(1)
        if len(calls) > 1:
            raise LoginRequiredError("the sign-in has ended")
        return world.token()

    async def main() -> None:
        async with async_pool(world, logins={PROVIDER: login}, user="ann") as pool:
            await pool.invalidate((await pool.credentials()).access_key_id)
            with pytest.raises(LoginRequiredError, match="the sign-in has ended"):
                await pool.credentials()

    asyncio.run(main())


def test_the_whole_api(world: World) -> None:
    """What IdentityPool does, AsyncIdentityPool does: each method once, from guest to user and back."""

    async def main() -> None:
        async with async_pool(world) as pool:
            identity = await pool.identity_id()
            credentials = await pool.credentials()
            assert (await pool.status()).identity_id == identity
            assert (await pool.open_id_token()).reveal()
            assert await pool.refresh() != credentials
            await pool.invalidate((await pool.credentials()).access_key_id)
            assert pool.current() is None
            assert (await pool.credentials()).access_key_id
            assert (await pool.settings()).identity_pool_id == world.pool_id
            assert await pool.link({PROVIDER: world.token()}) == identity
            await pool.unlink(PROVIDER)
            with pytest.raises(ConfigurationError, match="nothing to sign in to"):
                await pool.sign_in()
            assert (await pool.sign_out("identity")).scope == "identity"
            assert await pool.clear(identities=True) == 0

    asyncio.run(main())


@pytest.mark.parametrize("is_built", [True, False])
def test_users(world: World, is_built: bool) -> None:
    """`for_user` reads no file, and gives each user an identity; the first use of the pool may be theirs."""
    pool = async_pool(world)

    async def main() -> None:
        if is_built:
            await pool.status()
        users = [pool.for_user(f"user {number}") for number in range(3)]
        identities = {await user.identity_id() for user in users}
        assert len({*identities, await pool.identity_id()}) == 4
        assert await pool.for_user("user 1").identity_id() == await users[1].identity_id()
        signed_in = pool.for_user("ann", logins={PROVIDER: login_functions(world)["async"]})
        assert await signed_in.credentials() == await signed_in.credentials()
        with pytest.raises(ConfigurationError, match="user from argument"):
            pool.for_user("")

    asyncio.run(main())


def test_a_user_whose_logins_are_left_out(world: World) -> None:
    """Where the pool has logins, a user without any is an error, at the latest in its first coroutine."""
    pool = async_pool(world, logins={PROVIDER: world.token()})

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="this pool's logins cannot be those of another user"):
            await pool.for_user("ann").credentials()
        with pytest.raises(ConfigurationError, match="this pool's logins cannot be those of another user"):
            pool.for_user("ann")

    asyncio.run(main())


@pytest.mark.thorough
def test_more_users_than_threads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred users cold at once get credentials by few threads."""
    monkeypatch.setattr(flights, "MOST_THREADS", 4)
    most = 0
    pool = async_pool(world, cache="memory")

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sum(one.name == "cognito-credentials-async" for one in threading.enumerate()))
            await asyncio.sleep(0.001)

    async def main() -> None:
        watching = asyncio.ensure_future(watch())
        users = [pool.for_user(f"user {number}") for number in range(300)]
        found = await asyncio.gather(*(user.credentials() for user in users))
        assert len({one.access_key_id for one in found}) == 300
        watching.cancel()

    asyncio.run(main())
    assert 4 <= most <= 8  # one that ends may still be there when the next one has begun


def test_threads_and_tasks_hold_the_same(world: World) -> None:
    """`pool` is the same pool for threads, `of` makes the asynchronous side of one: one refresh for both."""
    sync = world.pool()
    pool = AsyncIdentityPool.of(sync)

    async def main() -> None:
        tasks = [asyncio.ensure_future(pool.credentials()) for _ in range(5)]
        in_threads = [asyncio.to_thread(sync.credentials) for _ in range(5)]
        assert len({one.access_key_id for one in await asyncio.gather(*tasks, *in_threads)}) == 1

    asyncio.run(main())
    assert pool.pool is sync
    assert pool.current() is sync.current() is sync.credentials()
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}
    with pytest.raises(ConfigurationError, match="of got AsyncIdentityPool, not an IdentityPool"):
        AsyncIdentityPool.of(pool)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_async", [True, False])
def test_callbacks_run_on_the_loop(world: World, is_async: bool) -> None:
    """A callback, sync or async, runs on the loop; a sync one before the call that noticed returns."""
    seen: list[Any] = []
    called = asyncio.Event()

    def changed(old: str | None, new: str, reason: str) -> None:
        seen.append((old, new, reason, asyncio.get_running_loop()))

    async def changed_slowly(old: str | None, new: str, reason: str) -> None:
        assert await pool.identity_id() == new  # it may use the pool
        changed(old, new, reason)
        called.set()

    pool = async_pool(world)

    async def main() -> None:
        pool.on_identity_changed(changed_slowly if is_async else changed)
        identity = await pool.identity_id()
        if is_async:
            await called.wait()
        assert seen == [(None, identity, "created", asyncio.get_running_loop())]

    asyncio.run(main())


@pytest.mark.parametrize("given", [None, "changed"])
def test_what_is_no_callback(world: World, given: object) -> None:
    """What cannot be called is refused at once, and not logged at the first change."""
    pool = async_pool(world)
    for refuses in (pool, pool.pool):
        with pytest.raises(ConfigurationError, match=r"^on_identity_changed got \w+, which cannot be called"):
            refuses.on_identity_changed(given)  # type: ignore[arg-type]


def test_a_callback_that_is_registered_before_the_loop(world: World) -> None:
    """It runs on the loop of the call that notices; registering may be awaited, and errors are logged."""
    seen: list[asyncio.AbstractEventLoop] = []

    def changed(*_: str | None) -> None:
        seen.append(asyncio.get_running_loop())

    async def fail(*_: str | None) -> None:
        raise KeyError

    pool = async_pool(world)
    pool.on_identity_changed(changed)

    async def main() -> None:
        assert await pool.on_identity_changed(fail) is None  # type: ignore[func-returns-value]
        await pool.credentials()
        assert seen == [asyncio.get_running_loop()]
        await asyncio.sleep(0.01)

    asyncio.run(main())


def test_it_is_no_pool_for_threads(world: World) -> None:
    """Where an IdentityPool is wanted, an AsyncIdentityPool is an error that names its `pool`."""
    pool = async_pool(world)

    with pytest.raises(ConfigurationError, match=r"pool of Session is .*AsyncIdentityPool.*`pool`"):
        Session(pool=pool)
    assert Session(pool=pool.pool).identity_pool is pool.pool
    with pytest.raises((TypeError, AttributeError)), pool:  # type: ignore[attr-defined]
        pass


def test_it_is_pickled_as_its_pool_is(world: World) -> None:
    """A pickle makes the same pool, without its threads and credentials; tokens refuse."""
    pool = AsyncIdentityPool(world.pool_id, endpoint_url=world.emulator.url)

    async def main() -> None:
        ann = pickle.loads(pickle.dumps(pool.for_user("ann")))
        assert ann.current() is None
        assert await ann.identity_id() == await pool.for_user("ann").identity_id()

    asyncio.run(main())
    assert repr(pickle.loads(pickle.dumps(pool))) == "AsyncIdentityPool(…)"
    with pytest.raises(TypeError):
        pickle.dumps(AsyncIdentityPool(world.pool_id, logins={PROVIDER: Secret("CANARY")}))


def test_what_is_refused_is_raised(world: World) -> None:
    """A refusal of the service comes out of the coroutine as it comes out of the method."""

    async def main() -> None:
        world.pool_id = world.pool_id[:-1] + ("0" if world.pool_id[-1] != "0" else "1")
        with pytest.raises(RefusedError):
            await async_pool(world).credentials()

    asyncio.run(main())


@pytest.mark.thorough
def test_no_asyncio_for_threads_and_no_botocore_for_tasks() -> None:
    """The synchronous side never loads asyncio, and the asynchronous one never loads botocore."""
    for name, unwanted in (("IdentityPool", "asyncio"), ("AsyncIdentityPool", "botocore")):
        code = (
            f"import filelock, sys; before = {unwanted!r} in sys.modules\n"  # an older one brings asyncio
            f"from cognito_credentials import {name}; {name}('us-east-1:' + 'a' * 36)\n"
            f"print({unwanted!r} in sys.modules and not before)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout == "False\n", ran.stderr
