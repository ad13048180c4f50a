"""
From guest to user and back: whose identity it is, and that nobody gets another's.

The rows of `TRUTH_TABLE` are those of aws-amplify/amplify-js#14207.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from cognito_credentials import (
    CognitoCredentialsError,
    ConfigurationError,
    IdentityPool,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.logins import Source
from cognito_credentials.logins.signed_out import SignedOut
from tests.world import World

__all__ = ["emulator", "emulator_keys"]

LOGIN = "login.example.com"
GOOGLE = "accounts.google.com"
OIDC_ARN = f"arn:aws:iam::123456789012:oidc-provider/{LOGIN}"


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    """A pool for guests and for users of two providers."""
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(
        OpenIdConnectProviderARNs=[OIDC_ARN], SupportedLoginProviders={GOOGLE: "app"}
    )
    return made


@pytest.fixture
def guest(world: World) -> IdentityPool:
    """A guest of the pool that has credentials."""
    pool = world.pool()
    pool.credentials()
    return pool


def heard(pool: IdentityPool) -> list[tuple[str | None, str, str]]:
    """The changes that `on_identity_changed` announces from now on."""
    news: list[tuple[str | None, str, str]] = []
    pool.on_identity_changed(lambda *change: news.append(change))
    return news


def login(world: World, subject: str, provider: str = LOGIN) -> dict[str, str]:
    """A login of a user."""
    return {provider: world.token(subject, provider)}


def kept(world: World) -> str:
    """Everything in the cache directory, as one text."""
    directory = Path(world.environ["HOME"], ".aws", "cognito", "cache")
    # Not by a pattern: PyPy's matches none of these names.
    return "".join(path.read_text() for path in directory.iterdir() if path.name.endswith(".txt"))


TRUTH_TABLE = (
    # What is done, and whose identity it is then.
    ("before sign-in", None, "ID1"),
    ("sign in NEW user U1", "U1", "ID1"),
    ("sign out", "out", "ID2"),
    ("sign in EXISTING user U1", "U1", "ID1"),
    ("2nd sign-out", "out", "ID3"),
    ("sign in NEW user U2", "U2", "ID3"),
    ("sign in EXISTING user U1", "U1", "ID1"),
    ("sign out", "out", "ID4"),
)


@pytest.mark.parametrize("in_new_processes", [False, True], ids=["one process", "a new process each"])
def test_the_truth_table(world: World, in_new_processes: bool) -> None:
    """Same identity through the first sign-in, the user's own later, a new guest after each sign-out."""
    ids: dict[str, str] = {}
    pool = world.pool()
    for action, who, expected in TRUTH_TABLE:
        if who == "out":
            pool.sign_out()
        elif who is not None:
            if in_new_processes:
                pool = world.pool()
            pool.link(login(world, who), user=who)
        found = pool.identity_id()
        assert pool.credentials().access_key_id.startswith("ASIA")
        assert ids.setdefault(expected, found) == found, f"after {action}"

    assert len(set(ids.values())) == len(ids)


def test_the_first_sign_in_keeps_the_identity_and_says_nothing(world: World, guest: IdentityPool) -> None:
    """A guest who signs in keeps the identity, so no change is announced."""
    before, news = guest.identity_id(), heard(guest)

    assert guest.link(login(world, "ann")) == before

    assert news == []
    assert "GetId" in world.counts()
    assert world.counts()["GetId"] == 1


def test_a_user_with_an_identity_of_his_own_is_announced(world: World, guest: IdentityPool) -> None:
    """On a second machine the user's own identity is adopted, and both identities are announced."""
    own = world.pool(logins=login(world, "ann"), cache="memory").identity_id()
    before, news = guest.identity_id(), heard(guest)

    assert guest.link(login(world, "ann")) == own

    assert news == [(before, own, "adopted")]


def test_the_identity_of_the_user_is_found_by_the_next_process(world: World, guest: IdentityPool) -> None:
    """An identity that a guest handed over is on disk as the user's."""
    before = guest.link(login(world, "ann"), user="ann")
    asked = world.counts()

    assert world.pool(logins=login(world, "ann"), user="ann").identity_id() == before
    assert world.counts() == asked


def test_nothing_of_the_guest_stays(world: World, guest: IdentityPool) -> None:
    """The guest's credentials would act within the user's identity, so they and the way back are gone."""
    key, before = guest.credentials().access_key_id, guest.identity_id()
    guest.link(login(world, "ann"), user="ann")
    assert key not in kept(world)

    later = world.pool()

    assert later.credentials().access_key_id != key
    assert later.identity_id() != before


def test_a_guest_who_runs_meanwhile_becomes_another_one(world: World, guest: IdentityPool) -> None:
    """Another process of the same guest is refused by the service, and becomes a new guest."""
    other = world.pool()
    before = other.identity_id()
    other.credentials()
    guest.link(login(world, "ann"), user="ann")

    world.move(3590)

    assert other.credentials().access_key_id.startswith("ASIA")
    assert other.identity_id() != before


def test_two_users_of_one_machine_never_meet(world: World, guest: IdentityPool) -> None:
    """The second user to sign in gets neither the identity nor the credentials of the first."""
    anns = guest.link(login(world, "ann"), user="ann")
    ann = guest.credentials().access_key_id
    guest.sign_out()

    bobs = guest.link(login(world, "bob"), user="bob")

    assert bobs != anns
    assert guest.credentials().access_key_id != ann
    assert world.pool(logins=login(world, "ann"), user="ann").identity_id() == anns


def test_two_users_who_link_one_guest_at_once(world: World, guest: IdentityPool) -> None:
    """One of them gets the guest's identity, the other a new one; neither fails."""
    pools = [world.pool(), world.pool()]
    found: dict[str, str] = {}

    def run(pool: IdentityPool, name: str) -> None:
        found[name] = pool.link(tokens[name], user=name)

    tokens = {name: login(world, name) for name in ("ann", "bob")}
    threads = [
        threading.Thread(target=run, args=(pool, name)) for pool, name in zip(pools, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found.values())) == 2


def test_an_outage_leaves_the_guest_a_guest(world: World, guest: IdentityPool) -> None:
    """When the service does not answer nothing changes: the guest stays, and linking works later."""
    before, key = guest.identity_id(), guest.credentials().access_key_id
    tokens = login(world, "ann")
    world.outage()
    with pytest.raises(ServiceError):
        guest.link(tokens, user="ann")
    world.recover()

    assert (guest.identity_id(), guest.credentials().access_key_id) == (before, key)
    assert guest.link(tokens, user="ann") == before


def test_a_failed_link_does_not_give_the_guests_identity_to_the_user(
    world: World, guest: IdentityPool
) -> None:
    """An identity that the service did not confirm is not remembered as the user's."""
    tokens = login(world, "ann")
    user = world.pool(logins=tokens, user="ann")
    world.outage()
    with pytest.raises(ServiceError):
        guest.link(tokens, user="ann")
    world.recover()

    assert user.identity_id() != guest.identity_id()


def test_a_refused_login_leaves_the_guest_a_guest(world: World, guest: IdentityPool) -> None:
    """A forged token links nothing and costs the guest nothing."""
    before = guest.identity_id()
    head, claims, signature = world.token("ann").split(".")

    with pytest.raises(CognitoCredentialsError):
        guest.link({LOGIN: f"{head}.{claims}.{'A' * len(signature)}"}, user="ann")

    assert guest.identity_id() == before
    assert guest.credentials().access_key_id.startswith("ASIA")


def test_a_guest_that_is_gone_does_not_keep_a_user_out(world: World, guest: IdentityPool) -> None:
    """A deleted guest's identity cannot be handed over; the user is signed in without it."""
    before = guest.identity_id()
    world.delete_identity(before)

    assert guest.link(login(world, "ann"), user="ann") != before


def test_a_lost_answer_costs_nobody_an_identity(world: World, guest: IdentityPool) -> None:
    """When the service linked and its answer was lost, the next try gets the linked identity."""
    before, tokens = guest.identity_id(), login(world, "ann")
    world.faults({"operation": "GetCredentialsForIdentity", "times": -1, "drop": "after"})
    with pytest.raises(CognitoCredentialsError):
        guest.link(tokens, user="ann")
    world.recover()

    assert guest.link(tokens, user="ann") == before


def test_a_guest_without_an_identity_signs_in(world: World) -> None:
    """Where there is no guest, linking is signing in."""
    pool = world.pool()

    assert pool.link(login(world, "ann")) == pool.identity_id()


def test_a_user_gets_a_second_login(world: World) -> None:
    """A signed-in user links one more login: both lead to the one identity from then on."""
    pool = world.pool(logins=login(world, "ann"), user="ann")
    before = pool.identity_id()

    assert pool.link(login(world, "ann@google", GOOGLE)) == before

    alone = world.pool(logins=login(world, "ann@google", GOOGLE), cache="memory")
    assert alone.identity_id() == before


def test_unlinking_one_of_two(world: World) -> None:
    """A login that is taken off leads to another identity; the one that is left goes on."""
    pool = world.pool(logins=login(world, "ann"), user="ann")
    before = pool.link(login(world, "ann@google", GOOGLE))

    pool.unlink("google")

    assert pool.identity_id() == before
    assert world.pool(logins=login(world, "ann"), cache="memory").identity_id() == before
    assert world.pool(logins=login(world, "ann@google", GOOGLE), cache="memory").identity_id() != before


def test_unlinking_the_last_login_loses_the_identity(world: World) -> None:
    """Without its last login the identity is lost, here as at the service: the user gets another one."""
    pool = world.pool(logins=login(world, "ann"), user="ann")
    before, key = pool.identity_id(), pool.credentials().access_key_id

    pool.unlink(LOGIN)

    assert key not in kept(world)
    assert pool.identity_id() != before


def test_a_guest_has_nothing_to_unlink(guest: IdentityPool) -> None:
    """The error says so, and no request is made."""
    with pytest.raises(LoginRequiredError, match="no logins to take off"):
        guest.unlink(LOGIN)


def test_a_fixed_identity_is_not_linked(world: World, guest: IdentityPool) -> None:
    """Where the identity is a setting, linking could end at another one: it is refused before it happens."""
    fixed = world.pool(identity_id=guest.identity_id())

    with pytest.raises(ConfigurationError, match="fixed by identity_id"):
        fixed.link(login(world, "ann"))


@pytest.mark.parametrize("logins", [None, {}])
def test_linking_nothing_is_refused(guest: IdentityPool, logins: Any) -> None:
    """Linking without a login is an error."""
    with pytest.raises(ConfigurationError, match="no login to link"):
        guest.link(logins)


def test_signing_out_by_scope(world: World) -> None:
    """`credentials` and `login` keep the identity; `identity` forgets it, and returns which it was."""
    pool = world.pool()
    before, key = pool.identity_id(), pool.credentials().access_key_id

    done = pool.sign_out("credentials")
    assert (done.had_credentials, done.identity_id, pool.identity_id()) == (True, None, before)
    assert key not in kept(world)
    assert pool.credentials().access_key_id != key

    done = pool.sign_out("identity")
    assert (done.had_credentials, done.identity_id) == (True, before)
    assert before not in kept(world)
    assert pool.identity_id() != before


def test_signing_out_of_what_is_not_ours_says_so(world: World) -> None:
    """A login from elsewhere cannot be ended here; the credentials made with it are forgotten."""
    pool = world.pool(logins=login(world, "ann"), user="ann")
    pool.credentials()

    done = pool.sign_out()

    assert done.had_credentials
    assert done.others == ("(a token given)",)
    assert done.users == ()


def test_there_is_no_other_scope(guest: IdentityPool) -> None:
    """A mistyped scope is refused before anything is removed."""
    key = guest.credentials().access_key_id

    with pytest.raises(ConfigurationError, match="credentials, login or identity"):
        guest.sign_out("everything")

    assert guest.credentials().access_key_id == key


def test_a_pool_without_anything_to_sign_in_to(world: World, guest: IdentityPool) -> None:
    """Signing in needs a login that a person can sign in to; the error names the pool's logins."""
    with pytest.raises(ConfigurationError, match="names nothing to sign in to; it is a guest's"):
        guest.sign_in()
    with pytest.raises(ConfigurationError, match="its login comes from"):
        world.pool(logins=login(world, "ann")).sign_in()


def test_a_callback_may_use_the_pool(world: World, guest: IdentityPool) -> None:
    """A callback may ask for the new identity: no lock is held then."""
    world.pool(logins=login(world, "ann"), cache="memory").identity_id()
    seen: list[str] = []
    guest.on_identity_changed(lambda *_: seen.append(guest.identity_id()))

    own = guest.link(login(world, "ann"), user="ann")

    assert seen == [own]


def test_the_guests_login_is_on_the_identity(world: World, guest: IdentityPool) -> None:
    """The service itself lists the login on what was the guest's identity."""
    identity_id = guest.link(login(world, "ann"))
    client = boto3.client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=world.emulator.url,
        aws_access_key_id="AKIAOWNEROWNEROWNER1",
        aws_secret_access_key="owner",
    )

    assert client.describe_identity(IdentityId=identity_id)["Logins"] == [LOGIN]
    client.close()


class SignIn(Source):
    """A login that a person signs in to, as `UserPool` is one."""

    is_sign_in = True
    provider = LOGIN
    description = "sign-in:test"

    def __init__(self, world: World) -> None:
        self._world = world
        self.user: str | None = None
        self.next = "ann"

    def token(self) -> str:
        if self.user is None:
            raise LoginRequiredError("nobody is signed in", hint="run the login")
        return self._world.token(self.user)

    def principal(self) -> str | None:
        return self.user

    def account(self) -> Any:
        return None if self.user is None else SimpleNamespace(shown=self.user, store="file")

    def sign_in(self, **options: Any) -> Any:
        self.user = self.next
        return self.account()

    def sign_out(self, *, revoke: bool) -> Any:
        user, self.user = self.user, None
        return SignedOut(users=(user,), revoked=revoke) if user else SignedOut()


def test_signing_in_with_the_guest(world: World, guest: IdentityPool) -> None:
    """`sign_in(link_guest=True)` makes this machine's guest the user; later guests are others."""
    before = guest.identity_id()
    pool = world.pool(logins={LOGIN: SignIn(world)})

    assert pool.sign_in(link_guest=True) == "ann"

    assert pool.identity_id() == before
    assert world.pool().identity_id() != before


def test_signing_in_without_the_guest(world: World, guest: IdentityPool) -> None:
    """By default guest and user are two identities, and the guest goes on."""
    before = guest.identity_id()
    pool = world.pool(logins={LOGIN: SignIn(world)})
    pool.sign_in()

    assert pool.identity_id() != before
    assert world.pool().identity_id() == before


def test_an_outage_while_the_guest_is_carried_over(world: World, guest: IdentityPool) -> None:
    """The user is signed in, and does not get the guest's identity, which the service has not linked."""
    before = guest.identity_id()
    pool = world.pool(logins={LOGIN: SignIn(world)})
    world.faults({"operation": "GetCredentialsForIdentity", "times": -1, "status": 503})
    with pytest.raises(ServiceError):
        pool.sign_in(link_guest=True)
    world.recover()

    assert pool.identity_id() != before
    assert world.pool().identity_id() == before


def test_signing_in_over_somebody_else(world: World) -> None:
    """A pool in use follows the sign-in: the second user does not get the first user's credentials."""
    source = SignIn(world)
    pool = world.pool(logins={LOGIN: source})
    pool.sign_in()
    anns, ann = pool.identity_id(), pool.credentials().access_key_id
    news = heard(pool)
    source.next = "bob"

    pool.sign_in()

    assert pool.credentials().access_key_id != ann
    assert pool.identity_id() != anns
    assert [new for _, new, _ in news] == [pool.identity_id()]


def test_signing_in_to_what_only_a_token_can_tell(world: World) -> None:
    """A sign-in whose user only the token names leaves nothing of the user before."""
    source = SignIn(world)
    pool = world.pool(logins={LOGIN: source})
    pool.sign_in()
    ann = pool.credentials().access_key_id
    source.next = "bob"
    source.principal = lambda: None  # type: ignore[method-assign]

    pool.sign_in()

    assert pool.credentials().access_key_id != ann


def test_signing_in_again_after_it_had_ended(world: World) -> None:
    """A back-off that began for want of a login ends with the sign-in."""
    source = SignIn(world)
    pool = world.pool(logins={LOGIN: source}, user="ann")
    with pytest.raises(LoginRequiredError):
        pool.credentials()

    pool.sign_in()

    assert pool.credentials().access_key_id.startswith("ASIA")


def test_signing_out_of_a_sign_in(world: World) -> None:
    """The login is ended, and everything that was stored for it is removed; then nobody is signed in."""
    pool = world.pool(logins={LOGIN: SignIn(world)})
    pool.sign_in()
    key = pool.credentials().access_key_id

    done = pool.sign_out()

    assert (done.users, done.revoked, done.had_credentials) == (("ann",), True, True)
    assert key not in kept(world)
    with pytest.raises(LoginRequiredError):
        pool.credentials()


@pytest.mark.parametrize("is_ended", [False, True])
def test_signing_out_that_is_interrupted(world: World, is_ended: bool) -> None:
    """Ctrl-C leaves a sign-out whole or not begun: the credentials are kept as long as the sign-in is."""

    class Interrupted(SignIn):
        def sign_out(self, *, revoke: bool) -> Any:
            if is_ended:
                super().sign_out(revoke=revoke)
            raise KeyboardInterrupt

    pool = world.pool(logins={LOGIN: Interrupted(world)})
    pool.sign_in()
    key = pool.credentials().access_key_id

    with pytest.raises(KeyboardInterrupt):
        pool.sign_out()

    assert (key in kept(world)) is not is_ended
