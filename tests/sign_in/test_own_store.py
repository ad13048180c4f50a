"""A sign-in in an app's own place: kept, renewed, replaced, ended; and what fails there."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.digest import digest
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import (
    CacheError,
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.sign_in import OidcLogin, SignedIn, UserPool
from cognito_credentials.sign_in.kept import own_store
from cognito_credentials.sign_in.kept.own_place import OwnPlace
from tests.conftest import ManualClock

from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .own_stores import AsyncEntry, Entry

__all__ = ["emulator", "emulator_keys"]


def _pool(pool_id: str, issuer: HostileIssuer, store: object, **options: Any) -> IdentityPool:
    clock = options.get("clock")
    login = OidcLogin(issuer.url, CLIENT, store=store, clock=clock)  # type: ignore[arg-type]
    return IdentityPool(pool_id, logins=login, **options)


def _bring_along(pool: IdentityPool, issuer: HostileIssuer, subject: str = "ann") -> SignedIn:
    issuer.claims = {"sub": subject}
    return pool.sign_in_with_refresh_token(issuer.refresh_tokens[-1])


def _refreshes(issuer: HostileIssuer) -> list[str]:
    return [form["refresh_token"] for _, _, form in issuer.requests if "refresh_token" in form]


def _due(*pools: IdentityPool) -> None:
    """Have the next call ask the issuer: the ID token that is held was refused."""
    for pool in pools:
        for _, source in pool._built().logins.sources:
            source._sign_in()._held = None  # type: ignore[attr-defined]


def _files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


@pytest.mark.quick
def test_a_sign_in_lives_in_the_apps_store_alone(
    pool_id: str, rotating: HostileIssuer, isolation: Path
) -> None:
    """All of it is in one text, no file of ours is made, and the next start goes on with it."""
    store = Entry()
    with _pool(pool_id, rotating, store, cache="memory") as pool:
        assert str(_bring_along(pool, rotating)) == "ann"
        held = pool.credentials()
    before = _files(isolation)

    again = _pool(pool_id, rotating, Entry(store.text), cache="memory")

    assert again.status().signed_in_as == "ann"
    assert again.status().login_store == "app"
    assert again.credentials().access_key_id != held.access_key_id
    assert _files(isolation) == before
    assert not [name for name in before if "sign-in" in name or "cache" in name]
    assert store.text is not None
    assert "CANARY-refresh-1" in store.text
    assert "access" not in store.text
    assert _refreshes(rotating) == ["CANARY-refresh-0", "CANARY-refresh-1"]


def test_cached_credentials_are_found_by_who_is_in_the_store(pool_id: str, rotating: HostileIssuer) -> None:
    """A start with valid credentials on disk asks neither the issuer nor Cognito."""
    store = Entry()
    pool = _pool(pool_id, rotating, store)
    _bring_along(pool, rotating)
    held, asked = pool.credentials(), len(rotating.requests)

    again = _pool(pool_id, rotating, Entry(store.text)).credentials()

    assert again.access_key_id == held.access_key_id
    assert len(rotating.requests) == asked


@pytest.mark.quick
def test_a_rotated_token_is_saved_before_it_counts(pool_id: str, rotating: HostileIssuer) -> None:
    """If the issuer's keys cannot be had after the rotation, the new token is in the store already."""
    store = Entry()
    pool = _pool(pool_id, rotating, store)
    _bring_along(pool, rotating)
    _due(pool)
    rotating.answers["/jwks"] = lambda: answer({}, 503)

    with pytest.raises(ServiceError):
        pool.credentials()

    assert rotating.refresh_tokens[-1] == "CANARY-refresh-2"
    assert "CANARY-refresh-2" in (store.text or "")


def test_threads_and_pools_of_one_store_use_no_refresh_token_twice(
    pool_id: str, rotating: HostileIssuer
) -> None:
    """Whoever shares the object takes turns, also two logins that know nothing of each other."""
    store = Entry()
    pools = [_pool(pool_id, rotating, store, cache="memory") for _ in range(4)]
    _bring_along(pools[0], rotating)

    for _ in range(3):
        _due(*pools)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda pool: pool.refresh(), pools * 2))

    used = _refreshes(rotating)
    assert len(used) == len(set(used)) == 1 + 3 * 4
    assert pools[0].status().sign_in_has_ended is False


def test_another_object_of_the_store_was_faster(pool_id: str, rotating: HostileIssuer) -> None:
    """An app that reloads a part of itself makes a second store object; the sign-in does not end by that."""
    entry = Entry()
    old = _pool(pool_id, rotating, entry, cache="memory")
    _bring_along(old, rotating)
    # What it loads at first is what was there before the old part of the app saved.
    new_store = Stale(entry)
    new = _pool(pool_id, rotating, new_store, cache="memory")
    assert new.tokens()
    _due(old, new)
    new_store.stale = entry.text
    old.tokens()

    assert new.tokens()
    assert new.status().sign_in_has_ended is False
    assert rotating.refresh_tokens[-1] in (entry.text or "")


class Stale:
    """Another object of the same store, which gives an older text once."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.stale: str | None = None

    def load(self) -> str | None:
        text, self.stale = self.stale or self._entry.text, None
        return text

    def save(self, text: str) -> None:
        self._entry.save(text)

    def delete(self) -> None:
        self._entry.delete()


@pytest.mark.quick
def test_a_save_that_fails_loses_nothing(
    pool_id: str, rotating: HostileIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    """The rotated token serves from memory, and is saved as soon as the store works again."""
    store = Entry()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    kept = store.text
    store.fails["save"] = OSError("disk full: CANARY")

    for _ in range(3):
        _due(pool)
        pool.refresh()

    assert store.text == kept
    assert "save() of Entry failed with OSError at own_stores.py:" in caplog.text
    del store.fails["save"]
    _due(pool)
    pool.refresh()
    assert rotating.refresh_tokens[-1] in (store.text or "")
    used = _refreshes(rotating)
    assert len(used) == len(set(used)) == 5
    assert _pool(pool_id, rotating, Entry(store.text), cache="memory").credentials()


def test_what_was_not_saved_gives_way_to_a_change(pool_id: str, rotating: HostileIssuer) -> None:
    """A token that could not be saved is not saved over what the app has put there meanwhile."""
    store = Entry()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    store.fails["save"] = OSError()
    _due(pool)
    pool.refresh()
    del store.fails["save"]

    store.text = None
    _due(pool)

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        pool.refresh()
    assert store.text is None


@pytest.mark.parametrize("error", [OSError("CANARY"), SystemExit(3), KeyError("CANARY")])
def test_an_error_is_in_doubt(pool_id: str, rotating: HostileIssuer, error: BaseException) -> None:
    """A store that cannot be read is not empty: no request is made, and nothing is written or deleted."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    kept, asked = store.text, len(rotating.requests)
    store = Entry(kept)
    store.fails["load"] = error
    pool = _pool(pool_id, rotating, store, cache="memory")

    for act in (pool.credentials, pool.sign_out, pool.tokens, lambda: _bring_along(pool, rotating)):
        with pytest.raises(CacheError, match=rf"^load\(\) of Entry failed with {type(error).__name__} at"):
            act()

    assert pool.status().signed_in_as is None
    assert store.text == kept
    assert set(store.done) == {"load"}
    assert len(rotating.requests) == asked


def test_valid_credentials_outlive_a_broken_store(pool_id: str, rotating: HostileIssuer) -> None:
    """A store that fails takes no credentials away, neither from memory nor from the disk."""
    store = Entry()
    clock = ManualClock(time.time())
    pool = _pool(pool_id, rotating, store, clock=clock)
    _bring_along(pool, rotating)
    held = pool.credentials()
    store.fails["load"] = OSError()
    _due(pool)

    with pytest.raises(CacheError):
        pool.refresh()

    assert pool.credentials().access_key_id == held.access_key_id


def _other_version(text: str, version: int) -> str:
    return text.replace('"version":1', f'"version":{version}')


WRONG: dict[str, tuple[Callable[[str], object], str]] = {
    "another program's text": (lambda _: "CANARY of another program", "is no sign-in of cognito-cred"),
    "another program's JSON": (lambda _: '{"v": 1}', "is no sign-in of cognito-cred"),
    "an earlier version": (lambda text: _other_version(text, 0), "an earlier version of cognito-credentials"),
    "a later version": (lambda text: _other_version(text, 2), "a later version of cognito-credentials"),
    "cut": (lambda text: text[:-2], "is no sign-in of"),
    "changed": (lambda text: text.replace("CANARY-refresh-1", "CANARY-refresh-9"), "changed or cut since"),
    "written anew": (lambda text: json.dumps(json.loads(text)), "changed or cut since save"),
    "empty": (lambda _: "", r"load\(\) of Entry gave an empty text"),
    "bytes": (lambda text: text.encode(), r"load\(\) of Entry gave bytes"),
    "a dictionary": (json.loads, r"load\(\) of Entry gave dict"),
}


@pytest.mark.parametrize("how", WRONG)
def test_another_text_is_one_clear_error(pool_id: str, rotating: HostileIssuer, how: str) -> None:
    """What is not this login's sign-in is an error, and stays, whatever is called but a sign-in."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    change, message = WRONG[how]
    wrong = change(store.text or "")
    store = Entry(wrong)  # type: ignore[arg-type]
    asked = len(rotating.requests)
    pool = _pool(pool_id, rotating, store, cache="memory")

    for act in (pool.credentials, pool.sign_out, pool.tokens):
        with pytest.raises(CacheError, match=message) as caught:
            act()
        assert "\n" not in str(caught.value)
        assert caught.value.hint

    assert store.text == wrong
    assert set(store.done) == {"load"}
    assert len(rotating.requests) == asked


@pytest.mark.parametrize("how", sorted(WRONG.keys() - {"empty", "bytes", "a dictionary"}))
def test_signing_in_replaces_another_text(pool_id: str, rotating: HostileIssuer, how: str) -> None:
    """The app's sign-in is what may overwrite a text that this package does not take."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    store = Entry(str(WRONG[how][0](store.text or "")))
    pool = _pool(pool_id, rotating, store, cache="memory")
    assert pool.status().signed_in_as is None

    _bring_along(pool, rotating, "bob")

    assert pool.status().signed_in_as == "bob"
    assert pool.credentials()


def test_a_sign_in_that_is_given_up_leaves_another_text(pool_id: str, rotating: HostileIssuer) -> None:
    """Beginning to sign in overwrites nothing."""
    store = Entry("CANARY of another program")
    pool = _pool(pool_id, rotating, store, cache="memory")

    with pytest.raises(LoginRejectedError, match="does not take this refresh token"):
        pool.sign_in_with_refresh_token("CANARY-unknown")

    assert store.text == "CANARY of another program"
    with pytest.raises(CacheError, match="is no sign-in"):
        pool.credentials()


@pytest.mark.parametrize("other", ["client", "issuer", "user"])
def test_another_logins_text(pool_id: str, rotating: HostileIssuer, other: str) -> None:
    """A refresh token never goes to another issuer or client, nor to another user's pool."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    kept = store.text
    elsewhere = HostileIssuer()
    with contextlib.closing(elsewhere):
        issuer = elsewhere if other == "issuer" else rotating
        client = "another-client" if other == "client" else CLIENT
        user = "bob" if other == "user" else None
        login = OidcLogin(issuer.url, client, store=Entry(store.text))
        pool = IdentityPool(pool_id, logins=login, cache="memory", user=user)
        asked = len(rotating.requests)

        for act in (pool.credentials, pool.sign_out):
            with pytest.raises(CacheError, match="gave the sign-in of another login: client desktop at http"):
                act()

        assert len(rotating.requests) == asked
        assert not elsewhere.requests
    assert store.text == kept


def test_no_mutation_of_the_text_is_accepted(pool_id: str, rotating: HostileIssuer) -> None:
    """A text with any one character changed, left out or doubled is refused."""
    store = Entry()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    from cognito_credentials.secret import Secret
    from cognito_credentials.sign_in.kept.own_text import decode

    text = store.text or ""
    (_, source), *_ = pool._built().logins.sources
    belonging = source._place()._belonging  # type: ignore[attr-defined]
    assert decode(Secret(text), belonging, "load()")
    for at in range(len(text)):
        for wrong in (
            text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + " " + text[at:],
        ):
            if wrong == text:
                continue
            with pytest.raises(CacheError):
                decode(Secret(wrong), belonging, "load()")


def test_a_text_whose_parts_contradict_each_other(pool_id: str, rotating: HostileIssuer) -> None:
    """Even with a right checksum, another user's token beside an account is refused."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    tokens = json.loads(store.text or "")["tokens"]
    of_bob = {**tokens, "principal": "subject:" + "0" * 64}
    for part, value in (
        ("tokens", of_bob),
        ("tokens", {"v": 1}),
        ("account", None),
        ("account", {"v": 1}),
    ):
        values = json.loads(store.text or "")
        del values["sha256"]
        values[part] = value
        line = json.dumps(values, sort_keys=True, separators=(",", ":"))
        values["sha256"] = digest(line)
        wrong = json.dumps(values, sort_keys=True, separators=(",", ":"))

        with pytest.raises(CacheError, match="makes no sense"):
            _pool(pool_id, rotating, Entry(wrong), cache="memory").credentials()


@pytest.mark.parametrize("method", ["load", "save", "delete"])
def test_an_answer_that_never_comes(
    pool_id: str, rotating: HostileIssuer, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call has a time limit; a later one waits for the one that is left behind."""
    for name in ("STORE_SECONDS", "_LEAST_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(own_store, name, 0.3)
    store, goes_on = Entry(), threading.Event()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    store.fails[method] = lambda: goes_on.wait(20)
    act: Callable[[], object] = {
        "load": pool.credentials,
        "save": lambda: _bring_along(pool, rotating, "bob"),
        "delete": pool.sign_out,
    }[method]
    _due(pool)

    with pytest.raises(CacheError, match=rf"^{method}\(\) of Entry does not answer"):
        act()

    del store.fails[method]
    threading.Timer(0.05, goes_on.set).start()
    if method == "delete":
        with pytest.raises(LoginRequiredError, match="nobody is signed in"):
            pool.tokens()
        return
    assert pool.tokens().id_token  # waits until the store is free
    assert pool.status().signed_in_as == ("bob" if method == "save" else "ann")


@pytest.mark.quick
@pytest.mark.parametrize("given", [OSError(5, "locked"), "garbage", 5])
@pytest.mark.parametrize("user", [None, "ann"])
def test_a_store_that_fails_is_not_taken_for_an_empty_one(
    pool_id: str, rotating: HostileIssuer, given: Any, user: str | None
) -> None:
    """Nobody opens a sign-in because a database is locked: `status` says why it cannot tell who is there."""
    empty = _pool(pool_id, rotating, Entry(), cache="memory").status()
    assert (empty.unknown_because, empty.store_problem) == ("nobody is signed in", None)
    store = Entry(given)
    if isinstance(given, OSError):
        store.fails["load"] = given
    pool = _pool(pool_id, rotating, store, cache="memory", user=user)

    with pytest.raises(CacheError) as raised:
        pool.credentials()
    with pytest.raises(CacheError):
        pool.identity_id()
    found = pool.status()

    assert found.signed_in_as is None
    assert found.unknown_because == found.store_problem == raised.value.message
    assert "load() of Entry" in raised.value.message
    assert pool.current() is None


def test_a_directory_of_sign_ins_that_fails_is_not_taken_for_an_empty_one(
    pool_id: str, rotating: HostileIssuer, tmp_path: Path
) -> None:
    """The same where this package keeps the sign-in: a path that is no directory is a reason, not nobody."""
    pool = _pool(pool_id, rotating, None, directory=tmp_path / "own", cache="memory")
    assert pool.status().store_problem is None
    (tmp_path / "own").mkdir(mode=0o700, exist_ok=True)
    (tmp_path / "own" / "sign-in").write_text("no directory")

    with pytest.raises(CacheError) as raised:
        pool.credentials()

    found = pool.status()
    assert found.unknown_because == found.store_problem == raised.value.message


def test_a_store_that_hangs_is_told_soon(
    pool_id: str, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often one call looks at the store, the first time limit ends it; the error says where."""
    for name in ("STORE_SECONDS", "_LEAST_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(own_store, name, 0.5)
    store, goes_on = Entry(), threading.Event()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    store = Entry(store.text)
    store.fails["load"] = lambda: goes_on.wait(20)
    pool = _pool(pool_id, rotating, store, cache="memory")
    took = []
    acts: tuple[Callable[[], object], ...] = (
        *(pool.credentials, pool.credentials, pool.identity_id, pool.tokens, pool.sign_out),
        lambda: _bring_along(pool, rotating),
    )

    for act in acts:
        began = time.monotonic()
        with pytest.raises(CacheError, match=r"^load\(\) of Entry does not answer") as raised:
            act()
        took.append(time.monotonic() - began)
        assert type(raised.value) is CacheError  # in a traceback, too
    assert pool.status().store_problem == "load() of Entry does not answer"

    assert max(took) < 1.9  # once limit and grace
    assert store.done == ["load"]
    goes_on.set()


def test_a_start_announces_the_first_identity_alone(pool_id: str, rotating: HostileIssuer) -> None:
    """Loading who is signed in is no change of the person: one request each, and one announcement."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    clock = ManualClock(time.time())
    pool = _pool(pool_id, rotating, Entry(store.text), cache="memory", clock=clock)
    told: list[str] = []
    pool.on_identity_changed(lambda *news: told.append(news[2]))

    keys = set()
    for _ in range(5):
        keys.add(pool.credentials().access_key_id)
        clock.advance(2)

    assert told == ["created"]
    assert len(keys) == 1
    assert len(_refreshes(rotating)) == 2


@pytest.mark.parametrize(
    "keeps",
    [lambda _: None, lambda text: text[:255], lambda text: text.upper(), lambda _: "another's"],
    ids=["nothing", "the beginning", "capitals", "another's"],
)
def test_a_store_that_does_not_keep_what_it_was_given(
    pool_id: str, rotating: HostileIssuer, keeps: Callable[[str], str | None]
) -> None:
    """It is found when the person signs in, and not when the tokens are due for the first time."""

    class Loses(Entry):
        def save(self, text: str) -> None:
            super().save(text)
            self.text = keeps(text)

    pool = _pool(pool_id, rotating, Loses(), cache="memory")

    with pytest.raises(CacheError, match=r"^load\(\) of .*Loses does not give what save\(\) was given"):
        _bring_along(pool, rotating)

    assert pool.status().signed_in_as is None
    with pytest.raises(CognitoCredentialsError):
        pool.credentials()


def test_signing_out_has_the_text_deleted(pool_id: str, rotating: HostileIssuer) -> None:
    """The refresh token is revoked, the text deleted, and nobody is signed in."""
    store = Entry()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    pool.credentials()

    done = pool.sign_out()

    assert done.users == ("ann",)
    assert store.text is None
    assert store.done[-1] == "delete"
    assert [form["token"] for _, path, form in rotating.requests if path == "/revoke"] == ["CANARY-refresh-1"]
    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        pool.credentials()


def test_a_delete_that_fails(pool_id: str, rotating: HostileIssuer) -> None:
    """The error says that the sign-in is still there, and so does the status."""
    store = Entry()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    store.fails["delete"] = OSError()

    with pytest.raises(CacheError, match=r"delete\(\) of Entry failed with OSError"):
        pool.sign_out(revoke=False)

    assert pool.status().signed_in_as == "ann"


def test_another_person_signs_in(pool_id: str, rotating: HostileIssuer) -> None:
    """The person before is revoked, and a pool that held that person's credentials drops them."""
    store = Entry()
    clock = ManualClock(time.time())
    pool = _pool(pool_id, rotating, store, cache="memory", clock=clock)
    _bring_along(pool, rotating)
    anns = pool.identity_id()

    _bring_along(pool, rotating, "bob")

    assert pool.identity_id() != anns
    assert [form["token"] for _, path, form in rotating.requests if path == "/revoke"] == ["CANARY-refresh-1"]


def test_two_pools_of_one_store_never_take_each_other_over(pool_id: str, rotating: HostileIssuer) -> None:
    """A pool on which somebody signed in stops; one that never signed anybody in follows, within a second."""
    store = Entry()
    clock = ManualClock(time.time())
    first, second, third = (_pool(pool_id, rotating, store, cache="memory", clock=clock) for _ in range(3))
    _bring_along(first, rotating)
    anns = first.credentials().access_key_id
    assert third.status().signed_in_as == "ann"
    third.credentials()

    _bring_along(second, rotating, "bob")
    clock.advance(2)

    with pytest.raises(LoginRequiredError, match="bob has signed in meanwhile, in place of"):
        first.refresh()
    assert third.status().signed_in_as == second.status().signed_in_as == "bob"
    assert third.credentials().access_key_id != anns


def test_looking_who_is_signed_in_asks_the_store_once(pool_id: str, rotating: HostileIssuer) -> None:
    """From then on it is known from memory, since an event loop may ask at every signature."""
    store = Entry()
    clock = ManualClock(time.time())
    _bring_along(_pool(pool_id, rotating, store, cache="memory", clock=clock), rotating)
    again = Entry(store.text)
    pool = _pool(pool_id, rotating, again, cache="memory", clock=clock)
    pool.credentials()
    done = len(again.done)

    for _ in range(5):
        clock.advance(2)
        pool.credentials()
        pool.status()

    assert len(again.done) == done
    assert threading.get_ident() not in again.threads


def test_a_sign_in_in_memory(pool_id: str, rotating: HostileIssuer, isolation: Path) -> None:
    """`memory` keeps it for the objects that share a login, for each user apart, and nowhere else."""
    login = OidcLogin(rotating.url, CLIENT, store="memory")
    first, second = (IdentityPool(pool_id, logins=login, cache="memory") for _ in range(2))
    anns = IdentityPool(pool_id, logins=login, cache="memory", user="ann")
    _bring_along(first, rotating)

    assert second.status().signed_in_as == "ann"
    assert second.status().login_store == "memory"
    assert login.tokens().id_token
    assert anns.status().signed_in_as is None
    assert OidcLogin(rotating.url, CLIENT, store="memory").account() is None
    assert pickle.loads(pickle.dumps(login)).account() is None
    assert not [name for name in _files(isolation) if "sign-in" in name]


def test_a_password_and_a_user_pool(user_pool: EmulatedPool) -> None:
    """Every way to sign in ends in the app's store; a device that the pool remembers is in the text, too."""
    user_pool.change(rotate_refresh_tokens=True, devices="always")
    store = Entry()
    login = UserPool(POOL, APP_CLIENT, sign_in="password", store=store)

    login.sign_in(Person(PASSWORD), username="ann")
    again = UserPool(POOL, APP_CLIENT, store=Entry(store.text))

    assert again.token()
    assert again.account().subject == "sub-ann"  # type: ignore[union-attr]
    done = again.sign_out()
    assert done.revoked
    assert [name for name, _ in user_pool.requests][-2:] == ["ForgetDevice", "RevokeToken"]


def test_the_store_of_a_login_is_its_only_one(pool_id: str, rotating: HostileIssuer) -> None:
    """A sign-in cannot be sent to the keyring of a login that has its own place."""
    pool = _pool(pool_id, rotating, Entry(), cache="memory")

    with pytest.raises(ConfigurationError, match="this login has a store of its own"):
        pool.sign_in(store="keyring")


class Half:
    """What lacks two methods."""

    def load(self) -> None: ...


class OddLock(Entry):
    """A lock that is no method."""

    lock = 5


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ("disk", "store is 'disk'. Use keyring, or file"),
        (5, "store is int, which has no method load"),
        ({}, "store is dict, which has no method load"),
        (Half(), "store is Half, which has no method save"),
        (Entry, "store is the class Entry"),
        (OddLock(), "store is OddLock, whose lock is no method"),
    ],
)
def test_what_is_no_store(store: object, message: str) -> None:
    """Something else is an error when the login is made, and not when a person has signed in."""
    with pytest.raises(ConfigurationError, match=message):
        UserPool(POOL, APP_CLIENT, store=store)  # type: ignore[arg-type]


def test_watching_while_a_sign_in_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is signed in was at hand a moment ago: now it is not known, which is no error of a signature."""
    login = OidcLogin("https://login.example.com", CLIENT, store=AsyncEntry())
    monkeypatch.setattr(OwnPlace, "is_at_hand", True)

    assert login.owner() is None


def test_an_object_without_weak_references(pool_id: str, rotating: HostileIssuer) -> None:
    """A store may be any object with the methods: unhashable, with slots, equal to others."""

    class Slots:
        __slots__ = ("text",)
        __hash__ = None  # type: ignore[assignment]

        def __init__(self) -> None:
            self.text: str | None = None

        def __eq__(self, other: object) -> bool:
            return True

        def load(self) -> str | None:
            return self.text

        def save(self, text: str) -> None:
            self.text = text

        def delete(self) -> None:
            self.text = None

    one, other = (_pool(pool_id, rotating, Slots(), cache="memory") for _ in range(2))
    _bring_along(one, rotating)

    assert one.credentials()
    assert other.status().signed_in_as is None


class Locked(Entry):
    """A store with a lock, which is held by whoever writes, in one thread from its beginning to its end."""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text)
        self.holder: int | None = None
        self.before: str | None = None
        self.inside = 0
        self.exit_fails = False

    def lock(self) -> Locked:
        return self

    def __enter__(self) -> None:
        self._do("lock")
        self.holder, self.before = threading.get_ident(), self.text
        self.inside += 1

    def __exit__(self, *_: object) -> None:
        assert self.holder == threading.get_ident()
        self.holder = None
        self.inside -= 1
        if self.exit_fails:
            self.text = self.before
            raise OSError("rolled back")

    def save(self, text: str) -> None:
        assert self.holder == threading.get_ident()
        super().save(text)

    def delete(self) -> None:
        assert self.holder == threading.get_ident()
        super().delete()


def test_a_lock_is_held_by_one_thread(pool_id: str, rotating: HostileIssuer) -> None:
    """Locks and transactions may belong to the thread that began them."""
    store = Locked()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    _due(pool)
    pool.credentials()
    pool.sign_out()

    assert store.holder is None
    assert store.text is None


def test_a_signal_while_a_visit_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that was just started ends, although nobody has the visit."""
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        own_store.Visit(Entry(), "Entry")

    started[0].join(20)
    assert not started[0].is_alive()


@pytest.mark.parametrize("given", [None, 3, "a lock"])
def test_a_lock_that_is_no_context_manager(pool_id: str, rotating: HostileIssuer, given: object) -> None:
    """The error says what lock() gave, and nothing is redeemed."""

    class Store(Entry):
        def lock(self) -> object:
            return given

    with pytest.raises(CacheError, match=rf"Store gave {type(given).__name__}, which is no context manager"):
        _bring_along(_pool(pool_id, rotating, Store(), cache="memory"), rotating)
    assert not _refreshes(rotating)


def test_with_a_lock_others_may_change_the_sign_in(pool_id: str, rotating: HostileIssuer) -> None:
    """Another process's sign-out is seen when a token is asked for, though the ID token held is valid."""
    store, clock = Locked(), ManualClock(time.time())
    pool = _pool(pool_id, rotating, store, cache="memory", clock=clock)
    (_, source), *_ = pool._built().logins.sources
    _bring_along(pool, rotating)
    pool.credentials()
    loads = store.done.count("load")
    for _ in range(5):
        source.token()
    assert store.done.count("load") <= loads + 1  # at most once a second

    store.text = None  # by another process
    clock.advance(1)

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        pool.refresh()


def test_a_transaction_that_is_rolled_back(pool_id: str, rotating: HostileIssuer) -> None:
    """A lock that fails at its end may have undone the saving: the rotated token is saved again."""
    store = Locked()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    _due(pool)
    store.exit_fails = True
    with pytest.raises(CacheError, match=r"lock\(\) of Locked failed with OSError"):
        pool.refresh()
    assert "CANARY-refresh-1" in (store.text or "")

    store.exit_fails = False
    pool.refresh()

    used = _refreshes(rotating)
    assert len(used) == len(set(used)) == 3
    assert rotating.refresh_tokens[-1] in (store.text or "")


def test_a_sign_in_that_is_rolled_back(pool_id: str, rotating: HostileIssuer) -> None:
    """The error says that it was not kept; then nobody is signed in, and nothing of it is saved later."""
    store = Locked()
    pool = _pool(pool_id, rotating, store, cache="memory")
    store.exit_fails = True
    with pytest.raises(CacheError, match=r"lock\(\) of Locked failed"):
        _bring_along(pool, rotating)

    store.exit_fails = False

    assert pool.status().signed_in_as is None
    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        pool.credentials()
    assert store.text is None


def test_a_visit_that_was_left_behind_calls_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a call that was not answered, the next ones of the same visit fail at once."""
    for name in ("STORE_SECONDS", "_LEAST_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(own_store, name, 0.1)
    store, goes_on = Entry(), threading.Event()
    store.fails["load"] = lambda: goes_on.wait(20)
    visit = own_store.Visit(store, "Entry")

    for act in (visit.load, visit.delete, visit.delete):
        with pytest.raises(CacheError, match="does not answer"):
            act()
    goes_on.set()
    visit.close()
    visit.end_within(20)

    assert store.done == ["load"]


def test_a_lock_that_is_not_free(
    pool_id: str, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that has it for long is an error that says so, and nothing is redeemed."""
    monkeypatch.setattr("cognito_credentials.sign_in.kept.own_store._GRACE_SECONDS", 0.1)
    store = Locked()
    pool = _pool(pool_id, rotating, store, cache="memory")
    _bring_along(pool, rotating)
    (_, source), *_ = pool._built().logins.sources
    place, asked = source._place(), len(rotating.requests)  # type: ignore[attr-defined]
    goes_on = threading.Event()
    store.fails["lock"] = lambda: goes_on.wait(20)

    with pytest.raises(ServiceError, match="another process has been using"), place.lock(0.1):
        raise AssertionError

    goes_on.set()
    del store.fails["lock"]
    with place.lock():
        assert len(rotating.requests) == asked
    assert store.inside == 0  # the one that was left behind has been left, too


@pytest.mark.quick
@pytest.mark.parametrize("is_ours", [False, True])
def test_errors_of_the_store_hold_no_text(pool_id: str, rotating: HostileIssuer, is_ours: bool) -> None:
    """What an app's store raises may hold the text; the error that comes out holds its type and place."""
    store = Entry()

    def leaks() -> None:
        error = ValueError(f"cannot write {rotating.refresh_tokens}")
        raise (CacheError("the vault is closed") if is_ours else error) from error

    store.fails["save"] = leaks
    with pytest.raises(CognitoCredentialsError) as caught:
        _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)

    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert ("the vault is closed" if is_ours else os.path.basename(__file__)) in str(caught.value)


def test_watching_who_is_signed_in_never_asks_the_store(pool_id: str, rotating: HostileIssuer) -> None:
    """It is done at every signature, perhaps on an event loop: what is not loaded is not known."""
    store = Entry()
    _bring_along(_pool(pool_id, rotating, store, cache="memory"), rotating)
    again = Entry(store.text)
    login = OidcLogin(rotating.url, CLIENT, store=again)

    assert login.owner() is None
    assert not again.done
    assert login.principal() == login.owner()
    assert again.done == ["load"]
