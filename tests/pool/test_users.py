"""Many users of one identity pool in one process: `for_user` and `close`, against the emulator."""

from __future__ import annotations

import inspect
import os
import pickle
import threading
from typing import Any

import pytest

from cognito_credentials import ConfigurationError, IdentityPool, ServiceError
from cognito_credentials.exchange import transport
from cognito_credentials.logins import EnvironmentSource
from cognito_credentials.settings.load import NAMES
from cognito_credentials.settings.settings import Arguments
from tests.world import World

PROVIDER = "accounts.google.com"


@pytest.fixture
def world(emulator: Any) -> World:
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
    return made


def logins(world: World, subject: str) -> dict[str, str]:
    return {PROVIDER: world.token(subject, PROVIDER)}


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_each_user_is_somebody_else(world: World, cache: str) -> None:
    """The pool's own guest and two users have three identities, each with credentials of its own."""
    pool = world.pool(cache=cache)
    ann, bob = pool.for_user("ann"), pool.for_user("bob")

    assert len({one.identity_id() for one in (pool, ann, bob)}) == 3
    assert len({one.credentials().access_key_id for one in (pool, ann, bob)}) == 3


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_two_objects_of_one_user_share_the_store(world: World, cache: str) -> None:
    """What one object of a user got, another one of the same pool finds, also with the cache in memory."""
    pool = world.pool(cache=cache)
    first = pool.for_user("ann").credentials()
    before = world.counts()
    again = pool.for_user("ann")

    assert again.credentials() == first
    assert world.counts() == before


def test_a_user_is_the_one_of_the_same_setting(world: World) -> None:
    """`for_user("ann")` is who ``user="ann"`` is: an app that changes to `for_user` keeps its identities."""
    assert world.pool().for_user("ann").identity_id() == world.pool(user="ann").identity_id()
    signed_in = world.pool().for_user("bob", logins=logins(world, "bob")).identity_id()
    assert signed_in == world.pool(user="bob", logins=logins(world, "bob")).identity_id()


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_whoever_names_a_user_is_that_user(world: World, cache: str) -> None:
    """The name is the key of what is kept, and no token is looked at; without a name the token is the key."""
    pool = world.pool(cache=cache)
    anns = pool.for_user("ann", logins=logins(world, "ann")).credentials()
    before = world.counts()

    assert pool.for_user("ann", logins=logins(world, "bob")).credentials() == anns
    assert world.counts() == before
    assert world.pool(cache=cache, logins=logins(world, "bob")).credentials() != anns
    assert "Verify the token first" in inspect.getdoc(IdentityPool.for_user)  # type: ignore[operator]


def test_without_logins_a_user_is_a_guest_of_that_name(world: World) -> None:
    """Of a guest's pool, a user without logins is a guest; with logins, the user is signed in."""
    pool = world.pool()

    assert pool.for_user("ann").status().principal == "user 'ann' (guest)"
    ann = pool.for_user("ann", logins=logins(world, "ann"))
    assert ann.status().principal == "user 'ann'"
    assert ann.credentials() != pool.for_user("ann").credentials()


@pytest.mark.parametrize("own", ["logins", "identity_id"])
def test_nobodys_logins_or_identity_become_another_users(world: World, own: str) -> None:
    """A pool with logins or an identity_id passes neither on: without logins, `for_user` is an error."""
    fixed = world.pool().identity_id()
    pool = world.pool(**({"logins": logins(world, "cat")} if own == "logins" else {"identity_id": fixed}))
    theirs = pool.identity_id()
    before = world.counts()

    with pytest.raises(ConfigurationError, match=f"this pool's {own} cannot be those of another user"):
        pool.for_user("ann")
    assert world.counts() == before
    ann, guest = pool.for_user("ann", logins=logins(world, "ann")), pool.for_user("ann", logins={})
    assert len({theirs, ann.identity_id(), guest.identity_id()}) == 3
    assert guest.status().principal == "user 'ann' (guest)"


def test_nor_do_logins_of_the_profile_or_linked_ones(world: World, tmp_path: Any) -> None:
    """The same holds for logins that a profile names, and for those that `link` has added."""
    config = tmp_path / "config"
    config.write_text(
        f"[default]\ncognito_identity_pool_id = {world.pool_id}\ncognito_logins =\n  {PROVIDER} = env:TOKEN\n"
    )
    world.environ.update(AWS_CONFIG_FILE=str(config), TOKEN=world.token("cat", PROVIDER))
    named = world.pool(cache="memory")
    linked = IdentityPool(world.pool_id, cache="memory", endpoint_url=world.emulator.url, environ={})
    linked.link(logins(world, "dan"))

    for pool in (named, linked):
        with pytest.raises(ConfigurationError, match="this pool's logins"):
            pool.for_user("ann")


def test_clearing_is_for_one_user_alone(world: World) -> None:
    """`clear` of one user leaves credentials and identity of the others, and of the pool, as they are."""
    pool = world.pool()
    ann, bob = pool.for_user("ann"), pool.for_user("bob")
    before = [one.credentials() for one in (pool, ann, bob)]
    identity = ann.identity_id()

    assert ann.clear(identities=True) == 2
    assert [pool.credentials(), bob.credentials()] == [before[0], before[2]]
    assert ann.credentials() != before[1]
    assert ann.identity_id() != identity


def test_callbacks_are_for_one_object_alone(world: World) -> None:
    """A callback hears of its own user's identity only, and only from the object that it was given to."""
    pool = world.pool()
    ann, bob = pool.for_user("ann"), pool.for_user("bob")
    heard: list[tuple[str, str]] = []
    for name, one in {"pool": pool, "ann": ann, "bob": bob, "again": pool.for_user("ann")}.items():
        one.on_identity_changed(lambda *change, name=name: heard.append((name, change[1])))
    identity = ann.identity_id()

    assert heard == [("ann", identity)]
    world.delete_identity(identity)
    world.move(3601)
    ann.credentials()
    assert heard[1:] == [("ann", ann.identity_id())]


def test_a_failure_is_for_one_user_alone(world: World) -> None:
    """While one user backs off after a failure, the others ask."""
    pool = world.pool()
    ann, bob = pool.for_user("ann"), pool.for_user("bob")
    world.faults({"operation": "GetId", "times": 1, "status": 400, "code": "InternalErrorException"})
    with pytest.raises(ServiceError):
        ann.credentials()

    assert bob.credentials()
    with pytest.raises(ServiceError):
        ann.credentials()


def test_the_other_settings_are_the_pools(world: World) -> None:
    """A user has every setting of the pool but its logins, identity and user; also a user of a user."""
    pool = world.pool(user="zoe", account_id="123456789012", cache="memory")
    ann = pool.for_user("ann").for_user("ben").for_user("ann")

    assert (ann.settings.user, ann.settings.identity_id) == ("ann", None)
    assert ann.settings.account_id == ann.credentials().account_id == "123456789012"
    assert (ann.settings.cache, ann.settings.endpoint_url) == ("memory", world.emulator.url)


@pytest.mark.parametrize("user", ["", " ", None, 5, "x" * 1025])
def test_a_malformed_user_is_refused_at_once(world: World, user: Any) -> None:
    """What cannot be a user's name is an error of `for_user`, which makes no request."""
    with pytest.raises(ConfigurationError, match="user from argument"):
        world.pool().for_user(user)
    assert not world.counts()


def test_a_malformed_login_is_refused_at_once(world: World) -> None:
    """So is what cannot be a login."""
    with pytest.raises(ConfigurationError, match="logins from argument"):
        world.pool().for_user("ann", logins={"nonsense": "token"})


def test_a_user_may_go_to_another_process(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickled user is the same user again, where the pool and the logins can be pickled."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
    pool = IdentityPool(emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"}))
    guest = pool.for_user("ann")
    signed_in = pool.for_user("bob", logins={PROVIDER: EnvironmentSource("TOKEN")})
    monkeypatch.setenv("TOKEN", emulator.login_token(PROVIDER, audience="app"))

    for one in (guest, signed_in):
        copy = pickle.loads(pickle.dumps(one))
        assert copy.identity_id() == one.identity_id()
        assert copy.settings.user == one.settings.user
    with pytest.raises(TypeError, match="refuses to be pickled"):
        pickle.dumps(pool.for_user("cat", logins={PROVIDER: "CANARY-token"}))


def test_a_pool_owns_no_thread_and_no_connection(world: World) -> None:
    """However many users and pools there are, the process keeps at most four idle connections, no thread."""
    before = {thread for thread in threading.enumerate() if thread.name.startswith("cognito-credentials")}
    pool = world.pool(cache="memory")
    users = [pool.for_user(f"user {number}") for number in range(10)]
    users += [world.pool(cache="memory") for _ in range(10)]
    for user in users:
        user.credentials()

    after = {thread for thread in threading.enumerate() if thread.name.startswith("cognito-credentials")}
    assert after <= before
    assert len(transport._shared._idle) <= transport.IDLE_LIMIT == 4


def test_a_closed_pool_may_be_used_again(world: World) -> None:
    """`close`, and the end of a ``with`` block, leave no idle connection; the next call opens one."""
    with world.pool(cache="memory") as pool:
        first = pool.credentials()
        assert transport._shared._idle
    assert not transport._shared._idle

    assert pool.credentials() == first
    assert pool.refresh() != first
    pool.close()
    pool.for_user("ann").close()
    assert not transport._shared._idle


def test_closing_an_unused_pool_does_nothing() -> None:
    """A pool that was never used, even one that names nothing, is closed without an error."""
    with IdentityPool(environ={}) as pool:
        pass
    pool.close()


def test_every_setting_is_a_keyword() -> None:
    """`IdentityPool`, `Session` and `install` have a keyword for each setting, and no other."""
    parameters = set(inspect.signature(IdentityPool).parameters)

    names = {*NAMES, "outage"}
    assert parameters - {"profile_name", "clock", "environ"} == names == set(Arguments.__annotations__)
    with pytest.raises(TypeError, match="lgoins"):
        IdentityPool(lgoins={})  # type: ignore[call-arg]


def test_all_users_share_one_quota_of_retries(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an outage, users and pools together repeat as many requests as one botocore client would."""
    monkeypatch.setattr("cognito_credentials.exchange.retries.time.sleep", lambda _: None)
    pool = world.pool(cache="memory")
    users = [pool.for_user(f"user {number}") for number in range(15)]
    users += [world.pool(cache="memory") for _ in range(15)]
    world.outage()
    for user in users:
        with pytest.raises(ServiceError):
            user.credentials()

    assert world.counts()["GetId"] == len(users) + 500 // 14
