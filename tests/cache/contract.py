"""
The contract of every store, on disk, in memory or elsewhere.

The tests of a store subclass `StoreContract` and provide the fixture `store`, and the fixture `peer` when a
second handle on the same place is another object.
"""

from __future__ import annotations

import threading

import pytest

from cognito_credentials.cache import KINDS
from cognito_credentials.cache.records import RECORD_LIMIT
from cognito_credentials.cache.store import Store

KEY = "0123456789abcdef" * 2 + "01234567"
OTHER_KEY = "f" * 40

HOSTILE = [
    "",
    "a" * 39,
    "a" * 41,
    "A" * 40,
    "../" + "a" * 37,
    "..\\" + "a" * 37,
    "/" + "a" * 39,
    "CON",
    "NUL.json",
    "a" * 39 + "\0",
    "a" * 39 + "\n",
    "a" * 300,
    "a" * 38 + ":$",
    "\u202e" + "a" * 39,
    "\u0660" * 40,
    "eyJCANARY",
]


class StoreContract:
    """One test for each rule."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def peer(self, store: Store) -> Store:
        return store

    def let_a_day_pass(self, store: Store) -> None:
        """Make what is stored a day older, where the store looks at the age of files."""

    def test_loads_what_was_stored(self, store: Store, peer: Store) -> None:
        """What is stored under a kind and key is loaded, byte for byte, by every handle on the place."""
        data = bytes(range(256))
        store.store("identity", KEY, data)

        assert store.load("identity", KEY) == data
        assert peer.load("identity", KEY) == data

    def test_missing_is_none(self, store: Store) -> None:
        """What was never stored is a miss, for loading, listing and deleting."""
        assert store.load("credentials", KEY) is None
        assert store.keys("credentials") == []
        assert store.delete("credentials", KEY) is False

    def test_what_is_damaged_is_set_aside_once(self, store: Store, peer: Store) -> None:
        """Only the very data that somebody found damaged is taken out of use."""
        store.store("identity", KEY, b"damaged")
        peer.set_aside("identity", KEY, b"other")
        assert store.load("identity", KEY) == b"damaged"

        peer.set_aside("identity", KEY, b"damaged")
        assert store.load("identity", KEY) is None
        store.set_aside("identity", KEY, b"damaged")
        assert store.keys("identity") == []

    def test_last_one_stays(self, store: Store, peer: Store) -> None:
        """Storing again replaces, whatever the lengths."""
        for data in (b"first, and long", b"second", b"the third"):
            store.store("state", KEY, data)

            assert peer.load("state", KEY) == data

    def test_kinds_and_keys_are_apart(self, store: Store) -> None:
        """One key holds a record of each kind, and two keys share nothing."""
        store.store("identity", KEY, b"identity")
        store.store("credentials", KEY, b"credentials")
        store.store("credentials", OTHER_KEY, b"other")

        assert store.load("identity", KEY) == b"identity"
        assert store.load("credentials", KEY) == b"credentials"
        assert store.load("credentials", OTHER_KEY) == b"other"
        assert store.load("identity", OTHER_KEY) is None

    def test_delete_forgets(self, store: Store, peer: Store) -> None:
        """Deleting says whether something was there, and takes one kind of one key."""
        store.store("identity", KEY, b"identity")
        store.store("credentials", KEY, b"credentials")

        assert store.delete("credentials", KEY) is True
        assert peer.delete("credentials", KEY) is False
        assert peer.load("credentials", KEY) is None
        assert peer.load("identity", KEY) == b"identity"

    def test_keys_are_sorted_and_of_one_kind(self, store: Store) -> None:
        """Listing names the keys of one kind, sorted, and neither locks nor other kinds."""
        keys = ["9" * 40, "1" * 40, "5" * 40]
        for key in keys:
            store.store("identity", key, b"x")
        store.store("state", KEY, b"x")
        handle = store.lock(KEY)
        handle.acquire()

        assert store.keys("identity") == sorted(keys)
        assert store.keys("state") == [KEY]
        handle.release()

    @pytest.mark.parametrize("key", HOSTILE)
    def test_refuses_hostile_keys(self, store: Store, key: str) -> None:
        """A key that is not 40 hexadecimal characters is refused, and the error does not repeat it."""
        for call in (
            lambda: store.load("identity", key),
            lambda: store.set_aside("identity", key, b"x"),
            lambda: store.store("identity", key, b"x"),
            lambda: store.delete("identity", key),
            lambda: store.lock(key),
            lambda: store.sweep(key),
        ):
            with pytest.raises(ValueError, match="40 lower-case hexadecimal") as caught:
                call()
            assert not key or key not in str(caught.value)

    @pytest.mark.parametrize("kind", ["", "login", "../identity", "Identity", "lock"])
    def test_refuses_unknown_kinds(self, store: Store, kind: str) -> None:
        """A kind is one of `KINDS` or `FORMER_KINDS`."""
        for call in (lambda: store.load(kind, KEY), lambda: store.keys(kind)):
            with pytest.raises(ValueError, match="identity, credentials, state"):
                call()

    def test_size_limit(self, store: Store) -> None:
        """A record of 65,536 bytes is kept; a larger one is not, and the earlier record stays."""
        largest = b"x" * RECORD_LIMIT
        store.store("state", KEY, largest)
        store.store("state", KEY, largest + b"x")

        assert store.load("state", KEY) == largest

    def test_lock_is_exclusive(self, store: Store, peer: Store) -> None:
        """One handle of a key holds its lock; another gets it when the first has let go."""
        first, second = store.lock(KEY), peer.lock(KEY)

        assert first.acquire() is True
        assert second.acquire() is False
        first.release()
        assert second.acquire() is True
        assert first.acquire() is False
        second.release()
        assert not first.degraded
        assert not second.degraded

    def test_lock_is_not_reentrant(self, store: Store) -> None:
        """A handle that holds the lock does not get it again, and one release frees it."""
        first = store.lock(KEY)

        assert first.acquire() is True
        assert first.acquire() is False
        first.release()
        assert store.lock(KEY).acquire() is True

    def test_release_is_idempotent(self, store: Store) -> None:
        """Releasing twice, or without holding, does nothing, least of all to another's hold."""
        first, second = store.lock(KEY), store.lock(KEY)
        first.release()
        assert first.acquire() is True
        second.release()
        assert second.acquire() is False
        first.release()
        first.release()

        assert second.acquire() is True
        second.release()

    def test_locks_of_keys_are_apart(self, store: Store) -> None:
        """Holding one key's lock leaves all others free."""
        first, second = store.lock(KEY), store.lock(OTHER_KEY)

        assert first.acquire() is True
        assert second.acquire() is True
        first.release()
        second.release()

    def test_lock_is_released_by_another_thread(self, store: Store) -> None:
        """A refresh may end in another thread than the one that began it."""
        handle = store.lock(KEY)
        thread = threading.Thread(target=handle.acquire)
        thread.start()
        thread.join()

        assert store.lock(KEY).acquire() is False
        handle.release()
        assert handle.acquire() is True
        handle.release()

    def test_threads_never_overlap(self, store: Store, peer: Store) -> None:
        """Of many threads that try, at most one holds the lock at any moment."""
        inside: list[int] = []
        overlaps: list[int] = []
        holds: list[int] = []

        def work(place: Store) -> None:
            handle = place.lock(KEY)
            for _ in range(100):
                if handle.acquire():
                    inside.append(1)
                    if len(inside) > 1:
                        overlaps.append(1)
                    holds.append(1)
                    inside.pop()
                    handle.release()

        threads = [threading.Thread(target=work, args=(place,)) for place in (store, peer) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert not overlaps
        assert holds
        assert store.lock(KEY).acquire() is True

    def test_readers_see_whole_records(self, store: Store, peer: Store) -> None:
        """While one thread replaces a record, every load is one of the versions: no mixture, no miss."""
        versions = {bytes([letter]) * 3000 for letter in b"abcdefgh"}
        store.store("state", KEY, min(versions))
        seen: list[bytes | None] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append(peer.load("state", KEY))

        reader = threading.Thread(target=read)
        reader.start()
        for version in sorted(versions) * 10:
            store.store("state", KEY, version)
        done.set()
        reader.join()

        assert set(seen) <= versions

    def test_sweep_keeps_records(self, store: Store) -> None:
        """Sweeping takes no record."""
        for kind in ("identity", "credentials", "state"):
            store.store(kind, KEY, b"x")
        store.sweep(KEY)

        assert all(store.load(kind, KEY) == b"x" for kind in ("identity", "credentials", "state"))

    def test_prune_drops_what_expired(self, store: Store) -> None:
        """Pruning drops credentials that the caller calls expired, says how many, and takes no identity."""
        store.store("identity", KEY, b"expired")
        store.store("credentials", KEY, b"expired")
        store.store("credentials", OTHER_KEY, b"valid")
        self.let_a_day_pass(store)

        assert store.prune(lambda data: data == b"expired") == 1
        assert store.load("credentials", KEY) is None
        assert store.load("credentials", OTHER_KEY) == b"valid"
        assert store.load("identity", KEY) == b"expired"
        assert store.prune(lambda data: data == b"expired") == 0

    def test_prune_leaves_what_was_renewed(self, store: Store, peer: Store) -> None:
        """A record that is renewed between the check and its removal stays."""
        store.store("credentials", KEY, b"expired")
        self.let_a_day_pass(store)

        def is_expired(data: bytes) -> bool:
            peer.store("credentials", KEY, b"renewed")
            return data == b"expired"

        assert store.prune(is_expired) == 0
        assert store.load("credentials", KEY) == b"renewed"

    def test_prune_does_not_count(self, store: Store) -> None:
        """However many valid records there are, of however many users, none is dropped."""
        keys = [f"{number:040x}" for number in range(300)]
        for kind in KINDS:
            for key in keys:
                store.store(kind, key, b"valid")

        assert store.prune(lambda _: False) == 0
        assert all(store.keys(kind) == keys for kind in KINDS)

    def test_prune_of_nothing(self, store: Store) -> None:
        """Pruning an empty store drops nothing."""
        assert store.prune(lambda _: True) == 0

    def test_shows_no_data(self, store: Store) -> None:
        """Neither its representation nor its attributes show data; it has a name and a location."""
        store.store("credentials", KEY, b"CANARY-secret")

        assert "CANARY" not in repr(store)
        assert not hasattr(store, "__dict__")
        assert store.name
        assert store.location
