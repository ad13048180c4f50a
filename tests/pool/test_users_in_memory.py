"""What a process holds of the users of `for_user`, whose objects a back end makes anew with each request."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import (
    AsyncIdentityPool,
    ConfigurationError,
    IdentityPool,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
    TemporaryCredentials,
)
from cognito_credentials.pool.pool import parts_of
from tests.cache.children import in_child, needs_fork
from tests.world import World

PROVIDER = "accounts.google.com"


@pytest.fixture
def world(emulator: Any) -> World:
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
    return made


@pytest.fixture
def forget_disk(isolation: Path) -> Any:
    """Remove the cache, so that only what this process holds is left."""
    return lambda: shutil.rmtree(isolation / ".aws" / "cognito" / "cache")


def asked(world: World) -> int:
    return world.counts().get("GetCredentialsForIdentity", 0)


def test_a_user_is_found_again_without_a_look_at_the_store(world: World, forget_disk: Any) -> None:
    """The next object of a user, made when the first one is gone, finds all that the first one had."""
    pool = world.pool()
    first, identity = pool.for_user("ann").credentials(), pool.for_user("ann").identity_id()
    forget_disk()
    before = world.counts()

    assert pool.for_user("ann").credentials() == first
    assert pool.for_user("ann").current() == first
    assert pool.for_user("ann").identity_id() == identity
    assert world.counts() == before


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_as_many_users_are_held_as_the_setting_says(world: World, forget_disk: Any, cache: str) -> None:
    """Of more users than ``users_in_memory`` those stay who were asked for last; nobody's identity goes."""
    pool = world.pool(cache=cache, users_in_memory=2)
    first = {name: pool.for_user(name).credentials() for name in ("ann", "bob")}
    pool.for_user("ann")  # so that bob is who was asked for the longest time ago
    first["cat"] = pool.for_user("cat").credentials()
    if cache == "file":
        forget_disk()

    assert [pool.for_user(name).current() for name in ("ann", "cat")] == [first["ann"], first["cat"]]
    assert pool.for_user("bob").current() is None


def test_what_is_in_use_stays(world: World, forget_disk: Any) -> None:
    """An object has its user's credentials however many others are asked for; so has the next object."""
    pool = world.pool(users_in_memory=1)
    ann = pool.for_user("ann")
    first = ann.credentials()
    for number in range(5):
        pool.for_user(f"user {number}").credentials()
    forget_disk()

    assert ann.current() == first
    assert pool.for_user("ann").current() == first
    pool.for_user("bob")
    del ann
    assert pool.for_user("ann").current() is None


def test_memory_is_given_back(world: World) -> None:
    """Of users beyond the setting nothing is left, whether they failed or never asked."""
    pool = world.pool(cache="memory", users_in_memory=3)
    memories = parts_of(pool)._memories
    world.outage()
    for number in range(20):
        user = pool.for_user(f"user {number}")
        if number % 2:
            with pytest.raises(ServiceError):
                user.credentials()
    del user
    gc.collect()  # errors and the frames that they passed through refer to each other

    assert len(memories._alive) == len(memories._recent) == 3


def test_the_user_of_the_pool_itself_is_one_of_them(world: World) -> None:
    """What an object of the user clears whom the pool names itself is gone for the pool, too."""
    pool = world.pool(cache="memory", user="ann")
    first = pool.credentials()

    assert pool.for_user("ann").current() == first
    pool.for_user("ann").clear()
    assert pool.current() is None


@pytest.mark.parametrize("how", ["clear", "sign_out"])
def test_what_one_object_clears_is_gone_for_all(world: World, how: str) -> None:
    """`clear` and `sign_out` by an object made anew reach the objects of that user that are in use."""
    pool = world.pool()
    ann, bob = pool.for_user("ann"), pool.for_user("bob")
    first, identity, others = ann.credentials(), ann.identity_id(), bob.credentials()
    if how == "clear":
        pool.for_user("ann").clear(identities=True)
    else:
        pool.for_user("ann").sign_out("identity")

    assert ann.current() is None
    assert ann.credentials() != first
    assert ann.identity_id() != identity
    assert bob.current() == others


def test_what_one_object_rejects_is_replaced_for_all(world: World) -> None:
    """`invalidate` by an object made anew, such as after a refusal by S3, has all of them ask again."""
    pool = world.pool(cache="memory")
    ann = pool.for_user("ann")
    first = ann.credentials()
    pool.for_user("ann").invalidate(first.access_key_id)

    assert ann.current() is None
    assert ann.credentials() != first
    assert pool.for_user("ann").current() == ann.current()


def test_other_logins_are_another_memory(world: World) -> None:
    """A guest called ann never gets what the signed-in ann has, nor the other way round."""
    pool = world.pool(cache="memory")
    guest = pool.for_user("ann").credentials()
    signed_in = pool.for_user("ann", logins={PROVIDER: world.token("ann", PROVIDER)})

    assert signed_in.current() is None
    assert signed_in.credentials() != guest
    assert pool.for_user("ann").current() == guest


def test_a_token_made_anew_finds_the_same_credentials(world: World) -> None:
    """Each request brings its own token; it is asked for only when new credentials are due."""
    pool = world.pool(cache="memory")
    tokens = [
        world.token("ann", PROVIDER, claims={"request": number}, expires_in=9000) for number in range(3)
    ]
    given = []

    def request(token: str) -> TemporaryCredentials:
        def get() -> str:
            given.append(token)
            return token

        return pool.for_user("ann", logins={PROVIDER: get}).credentials()

    first = request(tokens[0])
    assert request(tokens[1]) == first
    world.move(3601)
    assert request(tokens[2]) != first
    assert given == [tokens[0], tokens[2]]


def test_only_who_is_asked_for_is_renewed(world: World) -> None:
    """Past the refresh moment, one request is made for the user who is asked for, and none for others."""
    pool = world.pool(cache="memory")
    for number in range(10):
        pool.for_user(f"user {number}").credentials()
    before = asked(world)
    world.move(3000)
    for _ in range(3):
        pool.for_user("user 3").credentials()

    assert asked(world) == before + 1


def test_a_callback_hears_what_another_object_found_out(world: World) -> None:
    """Each object announces a change of identity once, whichever object of the user noticed it first."""
    pool = world.pool()
    heard: list[tuple[str, str | None, str, str]] = []
    users = {name: pool.for_user("ann") for name in ("one", "other")}
    for name, user in users.items():
        user.on_identity_changed(lambda *change, name=name: heard.append((name, *change)))
        user.credentials()
    old = users["one"].identity_id()
    heard.clear()
    world.delete_identity(old)
    world.move(3601)
    for user in (*users.values(), *users.values()):
        user.credentials()

    new = users["one"].identity_id()
    assert heard == [("one", old, new, "recovered"), ("other", old, new, "adopted")]


def test_a_failure_is_told_to_the_next_object(world: World) -> None:
    """In an outage, a user's requests make one attempt together, not one each."""
    pool = world.pool(cache="memory")
    first = pool.for_user("ann").credentials()
    world.move(3000)
    world.outage()
    before = asked(world)

    assert {pool.for_user("ann").credentials() for _ in range(20)} == {first}
    assert asked(world) == before + 1


def test_a_failure_keeps_nothing_of_the_request(world: World) -> None:
    """What is held of a failure has none of the frames of who asked, in which a request and its token are."""

    class Request:
        pass

    pool = world.pool(cache="memory")
    world.outage()
    requests = []
    for _ in range(3):
        request = Request()
        requests.append(weakref.ref(request))
        with contextlib.suppress(ServiceError):
            pool.for_user("ann", logins={PROVIDER: lambda request=request: str(request)}).credentials()
        del request
    gc.collect()

    assert [each() for each in requests] == [None, None, None]


def test_so_is_a_failure_of_this_process_alone(world: World) -> None:
    """Also where the failure is no answer of the service, which no other process is told."""
    calls = []

    def get() -> str:
        calls.append(1)
        raise ConnectionError("the issuer is down")

    pool = world.pool(cache="memory")
    for _ in range(5):
        with pytest.raises(ServiceError):
            pool.for_user("ann", logins={PROVIDER: get}).credentials()

    assert len(calls) == 1


def _refused(world: World) -> str:
    return world.token("ann", PROVIDER, audience="another app")


def _missing(_: World) -> str:
    raise LoginRequiredError("there is no login in this request")


@pytest.mark.parametrize("bad", [_refused, _missing])
def test_a_refused_login_is_no_other_objects(world: World, bad: Any) -> None:
    """A login function that gives no good token does not keep that of the next request from being asked."""
    pool = world.pool(cache="memory")
    calls = []

    def get() -> str:
        calls.append(1)
        return str(bad(world))

    refused = pool.for_user("ann", logins={PROVIDER: get})
    asked_for = []
    for _ in range(3):
        with pytest.raises((LoginRejectedError, LoginRequiredError)):
            refused.credentials()
        asked_for.append(len(calls))
    assert len(set(asked_for)) == 1, "the object that was refused backs off"
    good = {PROVIDER: lambda: world.token("ann", PROVIDER, expires_in=9000)}

    assert pool.for_user("ann", logins=good).credentials() is not None
    refused.credentials()
    world.move(3000)
    assert refused.credentials() == pool.for_user("ann", logins=good).current()
    held = refused.current()
    for _ in range(5):
        assert pool.for_user("ann", logins={PROVIDER: get}).credentials() == held, "at most one try a second"
    world.move(1)
    assert pool.for_user("ann", logins=good).credentials() != held
    assert len(calls) == asked_for[0] + 1


def test_a_guest_who_became_a_user_is_held_no_more(world: World) -> None:
    """After `link`, no object of the guest has the credentials of what is now the user's identity."""
    pool = world.pool()
    ann, other = pool.for_user("ann"), pool.for_user("ann")
    guest, identity = ann.credentials(), other.identity_id()
    ann.link({PROVIDER: world.token("ann", PROVIDER)})

    assert ann.identity_id() == identity
    assert other.current() is None
    assert other.credentials() != guest
    assert pool.for_user("ann").identity_id() != identity


def test_threads_with_objects_of_their_own_make_one_request(world: World) -> None:
    """Of the threads that ask for one user, each by an object made anew, one makes the request."""
    pool = world.pool(cache="memory")
    barrier = threading.Barrier(8)

    def request(_: int) -> TemporaryCredentials:
        barrier.wait()
        return pool.for_user("ann").credentials()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(request, range(8)))) == 1
    assert asked(world) == 1


@needs_fork
def test_a_forked_child_has_what_its_parent_held(world: World, forget_disk: Any) -> None:
    """A child finds its parent's users, also where a thread of the parent had the turn or the table."""
    pool = world.pool()
    first = pool.for_user("ann").credentials()
    forget_disk()
    parts = parts_of(pool)
    memory = parts.for_user("ann", None).refresher._memory
    may_end, has_both = threading.Event(), threading.Event()

    def work() -> None:
        with parts._memories._guards[os.getpid()], memory.flight.turn(5):
            has_both.set()
            may_end.wait()

    working = threading.Thread(target=work)
    working.start()
    has_both.wait()

    def child() -> tuple[bool, bool]:
        held = pool.for_user("ann").credentials() == first
        world.clock.advance(3601)
        return held, pool.for_user("ann").refresh() != first

    try:
        assert in_child(child) == (True, True)
    finally:
        may_end.set()
        working.join()


def test_a_task_gets_what_is_held_at_once(world: World) -> None:
    """An `AsyncIdentityPool` made anew for a user answers on the loop: no thread is asked."""

    async def main() -> None:
        async with AsyncIdentityPool.of(world.pool(cache="memory")) as pool:
            first = await pool.for_user("ann").credentials()
            coroutine = pool.for_user("ann").credentials()
            with pytest.raises(StopIteration) as stopped:
                coroutine.send(None)
            assert stopped.value.value == first
            assert pool.for_user("ann").current() == first

    asyncio.run(main())


def test_tasks_with_objects_of_their_own_make_one_request(world: World) -> None:
    """At the refresh moment, tasks go on with what is held, and one of them has it renewed."""

    async def main() -> None:
        async with AsyncIdentityPool.of(world.pool(cache="memory")) as pool:
            await pool.for_user("ann").credentials()
            world.move(3000)
            await asyncio.gather(*(pool.for_user("ann").credentials() for _ in range(50)))

    asyncio.run(main())
    assert asked(world) == 2


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "many", 10_000_001])
def test_a_malformed_number_is_refused(value: Any) -> None:
    """What is no number of users is one clear error at once."""
    with pytest.raises(ConfigurationError, match="users_in_memory from argument"):
        IdentityPool(users_in_memory=value)
