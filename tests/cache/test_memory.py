"""The store in memory: the contract, and forks."""

from __future__ import annotations

import pytest

from cognito_credentials.cache.memory import CREDENTIALS_LIMIT, MemoryStore
from tests.cache.children import in_child, needs_fork
from tests.cache.contract import KEY, StoreContract


class TestMemoryStore(StoreContract):
    """The contract."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_stores_share_nothing() -> None:
    """Two stores are two places: neither data nor locks are shared."""
    first, second = MemoryStore(), MemoryStore()
    first.store("identity", KEY, b"x")

    assert second.load("identity", KEY) is None
    assert first.lock(KEY).acquire()
    assert second.lock(KEY).acquire()


def test_states_go_when_they_are_a_day_old() -> None:
    """Users who failed and never came back leave nothing for ever, also where nobody has success."""
    now = 0.0
    store = MemoryStore(lambda: now)
    keys = [f"{number:040x}" for number in range(30)]
    for key in keys:
        now += 3600
        store.store("state", key, b"x")
        store.store("identity", key, b"x")
        store.store("state", keys[0], b"x")  # this one comes back each time
    store.delete("state", keys[-1])

    assert store.keys("state") == [keys[0], *keys[5:-1]]
    assert store.keys("identity") == keys


@needs_fork
def test_child_has_data_and_locks_of_its_own() -> None:
    """A forked child keeps what was stored, and a lock held in the parent is free in it."""
    store = MemoryStore()
    store.store("identity", KEY, b"x")
    held = store.lock(KEY)
    held.acquire()

    def child() -> tuple[bytes | None, bool, bool, bool]:
        mine = store.lock(KEY)
        got = mine.acquire()
        held.release()  # what the parent holds is not the child's to release
        return store.load("identity", KEY), got, store.lock(KEY).acquire(), held.acquire()

    assert in_child(child) == (b"x", True, False, False)
    assert store.lock(KEY).acquire() is False


@needs_fork
@pytest.mark.timeout(10)
def test_fork_while_another_thread_is_inside() -> None:
    """A child forked while a thread of the parent is inside the store is not stuck, whatever it calls."""
    store = MemoryStore()
    held = store.lock(KEY)
    held.acquire()

    def child() -> bytes | None:
        held.release()
        store.store("state", KEY, b"x")
        return store.load("state", KEY)

    with store._here().guard:
        assert in_child(child) == b"x"


def test_credentials_beyond_the_limit_go_the_oldest_first() -> None:
    """Of many users' credentials, those that were stored last stay; identities all stay."""
    store = MemoryStore()
    keys = [f"{number:040x}" for number in range(CREDENTIALS_LIMIT + 5)]
    for key in keys:
        store.store("credentials", key, b"x")
        store.store("identity", key, b"x")
        store.store("credentials", keys[0], b"y")

    assert store.keys("credentials") == [keys[0], *keys[6:]]
    assert store.keys("identity") == keys
