"""An identity pool whose user signs in: credentials, their end, and what a sign-out removes."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import AsyncIdentityPool, IdentityPool
from cognito_credentials.clock import Clock
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import LoginRequiredError
from cognito_credentials.importing import PROGRAM
from cognito_credentials.pool.pool import parts_of
from cognito_credentials.pool.signing_in import source_to_sign_in
from cognito_credentials.sign_in.kept import account
from cognito_credentials.sign_in.kept.account import account_at, mark_of_this_program
from cognito_credentials.sign_in.sources import OidcLogin
from tests.cache.children import in_child, needs_fork
from tests.conftest import ManualClock

from .hostile_issuer import CLIENT, HostileIssuer
from .test_attacks import Visit

__all__ = ["emulator", "emulator_keys"]
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def well_behaved() -> Iterator[HostileIssuer]:
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def pool_id(emulator: Any, well_behaved: HostileIssuer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An identity pool that accepts this issuer's tokens."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{well_behaved.url.partition('://')[2]}"
    return str(emulator.create_pool(OpenIdConnectProviderARNs=[arn]))


def _source(issuer: HostileIssuer) -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, store="file")


class Later(Clock):
    """A clock that is some seconds ahead of this machine's."""

    ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self.ahead

    def elapsed(self) -> float:
        return super().elapsed() + self.ahead


def _sign_in(issuer: HostileIssuer, subject: str, pool: IdentityPool | None = None) -> None:
    source = _source(issuer) if pool is None else source_to_sign_in(parts_of(pool))
    assert isinstance(source, OidcLogin)
    visit = Visit(source, issuer)
    issuer.claims = {"sub": subject}
    assert visit.finish().subject == subject
    issuer.nonce = None


def _refreshes(issuer: HostileIssuer) -> int:
    return sum(form.get("grant_type") == "refresh_token" for _, _, form in issuer.requests)


def test_credentials_of_who_signed_in(pool_id: str, well_behaved: HostileIssuer, emulator: Any) -> None:
    """The first credentials take one refresh; another process needs no issuer."""
    _sign_in(well_behaved, "ann")

    first = IdentityPool(pool_id, logins=_source(well_behaved)).credentials()
    asked = len(well_behaved.requests)
    again = IdentityPool(pool_id, logins=_source(well_behaved)).credentials()

    assert first.access_key_id == again.access_key_id
    assert _refreshes(well_behaved) == 1
    assert len(well_behaved.requests) == asked
    assert emulator.requests()["GetCredentialsForIdentity"] == 1


def test_valid_credentials_outlive_the_sign_in(pool_id: str, well_behaved: HostileIssuer) -> None:
    """After the sign-in has ended, valid credentials are still used; only new ones need a sign-in."""
    _sign_in(well_behaved, "ann")
    held = IdentityPool(pool_id, logins=_source(well_behaved)).credentials()
    well_behaved.refresh_tokens.append("CANARY-elsewhere")

    later = IdentityPool(pool_id, logins=_source(well_behaved))

    assert later.credentials().access_key_id == held.access_key_id
    with pytest.raises(LoginRequiredError, match="the sign-in of ann has ended"):
        later.refresh()
    assert later.credentials().access_key_id == held.access_key_id


def test_two_users_of_one_machine(pool_id: str, well_behaved: HostileIssuer) -> None:
    """Each user has an identity, comes back to it, and never gets the other's credentials."""
    pool = IdentityPool(pool_id, logins=_source(well_behaved))
    _sign_in(well_behaved, "ann")
    anns, anns_key = pool.identity_id(), pool.credentials().access_key_id

    _sign_in(well_behaved, "bob")
    bobs, bobs_key = pool.identity_id(), pool.credentials().access_key_id
    _sign_in(well_behaved, "ann")

    assert anns != bobs
    assert anns_key != bobs_key
    assert pool.identity_id() == anns


def test_a_running_program_hands_out_nothing_of_who_was_there_before(
    pool_id: str, well_behaved: HostileIssuer
) -> None:
    """Within a second of another user's sign-in, it has that user's credentials and says so."""
    clock = Later()
    pool = IdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    news: list[tuple[str | None, str, str]] = []
    pool.on_identity_changed(lambda *told: news.append(told))
    _sign_in(well_behaved, "ann")
    anns = pool.credentials().access_key_id

    _sign_in(well_behaved, "bob")
    clock.ahead = 1
    status = pool.status()
    bobs = pool.credentials().access_key_id
    _sign_in(well_behaved, "ann")
    clock.ahead = 2

    assert bobs != anns == pool.credentials().access_key_id
    assert (status.signed_in_as, status.access_key_id_last4) == ("bob", None)
    anns_id, bobs_id = news[0][1], news[1][1]
    assert news == [
        (None, anns_id, "created"),
        (anns_id, bobs_id, "switched"),
        (bobs_id, anns_id, "switched"),
    ]


def test_nor_does_an_event_loop(pool_id: str, well_behaved: HostileIssuer) -> None:
    """On a loop it is the same, though no file is read there: the look at who is signed in is a thread's."""
    clock = Later()
    pool = AsyncIdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    reads: list[str] = []
    here = threading.get_ident()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if is_watching and event == "open" and threading.get_ident() == here:
            reads.append(str(arguments[0]))

    is_watching = False
    sys.addaudithook(note)

    async def key() -> str:
        nonlocal is_watching
        is_watching = True
        try:
            return (await pool.credentials()).access_key_id
        finally:
            is_watching = False

    async def main() -> None:
        await asyncio.to_thread(_sign_in, well_behaved, "ann")
        anns = await key()
        clock.ahead += 2
        assert await key() == anns
        await asyncio.to_thread(_sign_in, well_behaved, "bob")
        clock.ahead += 2
        bobs = await key()
        assert bobs != anns
        await asyncio.to_thread(_source(well_behaved).sign_out)
        clock.ahead += 2
        with pytest.raises(LoginRequiredError, match="nobody is signed in"):
            await key()

    asyncio.run(main())
    assert reads == []


def test_a_running_program_hands_out_nothing_after_a_sign_out(
    pool_id: str, well_behaved: HostileIssuer
) -> None:
    """After another process signs out, this one has no credentials within a second."""
    clock = Later()
    pool = IdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    _sign_in(well_behaved, "ann")
    pool.credentials()

    _source(well_behaved).sign_out(revoke=False)
    clock.ahead = 1

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        pool.credentials()


def test_a_sign_in_that_cannot_be_read_for_a_moment_takes_nothing_away(
    pool_id: str, well_behaved: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A momentary error of the directory does not mean that nobody is signed in."""
    clock = Later()
    pool = IdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    _sign_in(well_behaved, "ann")
    held = pool.credentials().access_key_id

    def fails(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    clock.ahead = 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        assert pool.credentials().access_key_id == held
    clock.ahead = 2
    assert pool.credentials().access_key_id == held


def test_two_users_of_one_program_have_a_sign_in_each(pool_id: str, well_behaved: HostileIssuer) -> None:
    """Two values of `user` never share a sign-in."""
    anns, bobs, third = (
        IdentityPool(pool_id, logins=_source(well_behaved), user=name) for name in ("ann", "bob", "third")
    )

    _sign_in(well_behaved, "ann", anns)
    _sign_in(well_behaved, "bob", bobs)

    assert anns.status().signed_in_as == "ann"
    assert bobs.status().signed_in_as == "bob"
    assert anns.identity_id() != bobs.identity_id()
    assert anns.credentials().access_key_id != bobs.credentials().access_key_id
    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        third.credentials()
    bobs.sign_out(revoke=False)
    assert anns.refresh()


@pytest.mark.parametrize("shares", ["nothing", "the source"])
@pytest.mark.parametrize("cache", ["file", "memory"])
def test_two_pools_never_take_each_other_over(
    pool_id: str, well_behaved: HostileIssuer, cache: str, shares: str
) -> None:
    """
    A pool on which somebody signed in stops when another person signs in on another pool, to the same files.

    It goes on when its own person signs in again, and does not end the other's sign-in. A pool on which
    nobody signed in follows whoever is signed in.
    """
    clock, source = Later(), _source(well_behaved)
    anns, bobs, third = (
        IdentityPool(
            pool_id,
            logins=source if shares == "the source" else _source(well_behaved),
            cache=cache,
            clock=clock,
        )
        for _ in range(3)
    )
    _sign_in(well_behaved, "ann", anns)
    anns_id = anns.identity_id()
    assert anns.credentials()
    assert third.identity_id() == anns_id

    _sign_in(well_behaved, "bob", bobs)
    clock.ahead = 1
    for ask in (anns.credentials, anns.identity_id, anns.open_id_token, anns.refresh):
        with pytest.raises(LoginRequiredError, match="bob has signed in meanwhile, in place of") as caught:
            ask()
        assert "(user)" in caught.value.hint
    assert anns.status().signed_in_as is None
    bobs_id = bobs.identity_id()
    assert anns_id != bobs_id == third.identity_id()

    assert anns.sign_out(revoke=False).users == ()
    with pytest.raises(LoginRequiredError):
        anns.credentials()
    assert bobs.credentials()

    _sign_in(well_behaved, "ann", third)
    clock.ahead = 2
    assert anns.credentials()
    assert anns.identity_id() == anns_id
    with pytest.raises(LoginRequiredError, match="ann has signed in meanwhile"):
        bobs.credentials()


def test_a_pools_person_is_kept_when_its_source_is_pickled(pool_id: str, well_behaved: HostileIssuer) -> None:
    """The source of a pool on which somebody signed in is that person's after it was pickled, too."""
    anns, bobs = (IdentityPool(pool_id, logins=_source(well_behaved)) for _ in range(2))
    _sign_in(well_behaved, "ann", anns)
    copied = pickle.loads(pickle.dumps(source_to_sign_in(parts_of(anns))))
    assert copied.token()

    _sign_in(well_behaved, "bob", bobs)

    with pytest.raises(LoginRequiredError, match="bob has signed in"):
        copied.token()


def test_signing_in_again_counts_at_once(pool_id: str, well_behaved: HostileIssuer) -> None:
    """After a failure, a new sign-in of the same user is tried at once, in a process that backs off."""
    pool = IdentityPool(pool_id, logins=_source(well_behaved), clock=ManualClock(time.time()))
    _sign_in(well_behaved, "ann")
    source_to_sign_in(parts_of(pool))._place().remove("secret")
    for _ in range(2):
        with pytest.raises(LoginRequiredError, match="the sign-in of ann is gone"):
            pool.credentials()

    again = OidcLogin(well_behaved.url, CLIENT, store="file", clock=ManualClock(time.time() + 2))
    visit = Visit(again, well_behaved)
    well_behaved.claims = {"sub": "ann"}
    visit.finish()
    well_behaved.nonce = None

    assert pool.credentials()


@needs_fork
@pytest.mark.parametrize("signs_bob_in", ["the parent", "a fork"])
def test_forks_are_one_program(pool_id: str, well_behaved: HostileIssuer, signs_bob_in: str) -> None:
    """Workers that fork from one server never take over the person of another worker's pool."""
    clock = Later()
    anns = IdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    _sign_in(well_behaved, "ann", anns)
    anns_id = anns.identity_id()

    def is_stopped() -> bool:
        clock.ahead = 1
        with pytest.raises(LoginRequiredError, match="bob has signed in meanwhile"):
            anns.identity_id()
        return anns.status().signed_in_as is None

    if signs_bob_in == "a fork":
        place = source_to_sign_in(parts_of(anns))._place()  # type: ignore[attr-defined]
        bob = dataclasses.replace(account_at(place), subject="bob", name="bob")

        def keep_bob() -> None:  # the issuer's thread is in the parent
            place.write("process", mark_of_this_program(bob))
            place.write("sign-in", bob.encode())

        in_child(keep_bob)
        assert is_stopped()
        _sign_in(well_behaved, "ann", anns)
        clock.ahead = 2
        assert anns.identity_id() == anns_id
    else:
        go, went = os.pipe()

        def wait_and_look() -> bool:
            os.read(go, 1)
            return is_stopped()

        with ThreadPoolExecutor(1) as threads:
            child = threads.submit(in_child, wait_and_look)
            _sign_in(well_behaved, "bob")
            os.write(went, b"x")
            assert child.result()


def test_another_program_has_another_name() -> None:
    """A program that was started by itself, or by this one, is not taken for this one."""
    ask = [sys.executable, "-c", "from cognito_credentials.importing import PROGRAM; print(PROGRAM)"]
    named = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()

    assert len(named) == len(PROGRAM) == 32
    assert named != PROGRAM


def test_a_pool_follows_another_program(
    pool_id: str, well_behaved: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in by another program, such as a second window, is followed."""
    clock = Later()
    pool = IdentityPool(pool_id, logins=_source(well_behaved), clock=clock)
    _sign_in(well_behaved, "ann", pool)
    anns = pool.identity_id()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(account, "PROGRAM", "0" * 32)
        _sign_in(well_behaved, "bob")
    clock.ahead = 1

    assert pool.identity_id() != anns
    assert pool.status().signed_in_as == "bob"


def test_a_sign_in_that_is_linked_is_of_the_user(pool_id: str, well_behaved: HostileIssuer) -> None:
    """A source that is passed to `link` signs in the pool's user, and no other."""
    anns, bobs = (IdentityPool(pool_id, user=name) for name in ("ann", "bob"))
    own = IdentityPool(pool_id, logins=_source(well_behaved), user="ann")
    _sign_in(well_behaved, "ann", own)

    anns.link(_source(well_behaved))

    assert anns.status().signed_in_as == "ann"
    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        bobs.link(_source(well_behaved))


def test_after_signing_out_nothing_is_served(
    pool_id: str, well_behaved: HostileIssuer, isolation: Path
) -> None:
    """Valid credentials that are still on disk are not used when nobody is signed in."""
    _sign_in(well_behaved, "ann")
    IdentityPool(pool_id, logins=_source(well_behaved)).credentials()

    _source(well_behaved).sign_out(revoke=False)

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        IdentityPool(pool_id, logins=_source(well_behaved)).credentials()
    left = [path for path in isolation.rglob("*") if path.is_file() and "sign-in" in str(path.parent)]
    assert [path.name.partition("-v1-")[0] for path in left if path.stat().st_size] in ([], ["CACHEDIR.TAG"])
