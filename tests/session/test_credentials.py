"""What botocore signs with, and what other programs read of it, beside botocore's own class."""

from __future__ import annotations

import copy
import datetime as dt
import inspect
import pickle
import threading
from typing import Any

import botocore.credentials
import botocore.exceptions
import pytest
from botocore.credentials import DeferredRefreshableCredentials, RefreshableCredentials

from cognito_credentials import IdentityPool, LoginRequiredError, ServiceError, Session
from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from tests.world import World

REPLACED = {
    "_access_key": "a part alone is of no use; `_frozen_credentials` has them all",
    "_secret_key": "the same",
    "_token": "the same",
    "_account_id": "the same",
    "_staged_expiry_time": "a step of botocore's refresh, which never runs",
    "_refresh_lock": "the pool has locks between threads and processes",
    "_normalize": "keys are text already",
    "_set_from_data": "botocore's refresh writes by it; ours never does",
    "_publish_refresh": "the same",
    "_advisory_refresh_timeout": "the pool chooses the moment of a refresh, and never blocks early",
    "_mandatory_refresh_timeout": "the same",
    "create_from_metadata": "makes credentials of parts; ours are made of a pool",
}
"""What botocore's class has and ours does without, and why."""
INHERITED = {
    "_seconds_remaining": "`_expiry_time` minus `_time_fetcher()`, which are ours",
    "_is_expired": "`refresh_needed(refresh_in=0)`, which is ours",
    "_expiry_datetime": "reads a text",
    "get_deferred_property": "reads an attribute",
}
"""What ours inherits, and why that is right. Every other name is ours."""


def parts_of_botocores() -> set[str]:
    """Name the attributes and methods of botocore's refreshable credentials, of this version."""
    made = RefreshableCredentials("key", "secret", "token", None, dict, "test")
    later = DeferredRefreshableCredentials(dict, "test")
    found = {*vars(made), *vars(later)}
    for kind in RefreshableCredentials.__mro__[:-1]:
        found |= {name for name, value in vars(kind).items() if not name.startswith("__")}
    return found | {name for name in vars(DeferredRefreshableCredentials) if not name.startswith("__")}


class TestContract:
    def test_every_part_of_botocores_class_is_accounted_for(self, world: World) -> None:
        """A part that a new botocore adds fails here, until it is ours or its reason is in a table."""
        credentials = IdentityPoolCredentials(world.pool())
        ours = {*vars(IdentityPoolCredentials), *vars(credentials)}

        unknown = parts_of_botocores() - ours - REPLACED.keys() - INHERITED.keys()

        assert not unknown
        assert not ours & (REPLACED.keys() | INHERITED.keys())

    def test_what_ours_replaces_is_called_as_botocores_is(self) -> None:
        """A method of ours takes what botocore's takes, by the same names."""
        for name, ours in vars(IdentityPoolCredentials).items():
            theirs = inspect.getattr_static(DeferredRefreshableCredentials, name, None)
            if inspect.isfunction(theirs) and not name.startswith("__"):
                expected = list(inspect.signature(theirs).parameters)
                assert list(inspect.signature(ours).parameters) == expected, name

    def test_the_private_source_of_the_refresh_reads_as_botocores(self, world: World) -> None:
        """botocore's own classes, given `_refresh_using`, renew from the pool."""
        ours = IdentityPoolCredentials(world.pool(account_id="123456789012"))

        theirs = DeferredRefreshableCredentials(ours._refresh_using, ours.method)

        assert theirs.get_frozen_credentials() == ours.get_frozen_credentials()
        assert theirs._expiry_time == ours._expiry_time
        made = RefreshableCredentials.create_from_metadata(
            ours._refresh_using(), ours._refresh_using, ours.method
        )
        assert made.account_id == "123456789012"


class TestReaders:
    """Each reads as a program does that was found in public."""

    def test_polars(self, world: World) -> None:
        """Polars takes the end from `_expiry_time` after the keys, and keeps the keys for ever without it."""
        # CredentialProviderAWS of polars 2.1
        creds = Session(identity_pool_id=world.pool_id).get_credentials()
        keys = (creds.access_key, creds.secret_key, creds.token)

        expiry = getattr(creds, "_expiry_time", None)

        assert isinstance(expiry, dt.datetime)
        assert int(expiry.timestamp()) == creds.pool.credentials().expires_at
        assert keys == tuple(creds.get_frozen_credentials()[:3])

    def test_the_aws_cli(self, world: World) -> None:
        """`aws configure export-credentials` freezes, and prints `_expiry_time.isoformat()`."""
        creds = Session(identity_pool_id=world.pool_id).get_credentials()
        creds.get_frozen_credentials()

        text = creds._expiry_time.isoformat()

        assert text.endswith("+00:00")
        assert dt.datetime.fromisoformat(text) == creds.pool.credentials().expiration

    def test_who_renews_a_copy_by_class(self, world: World) -> None:
        """Keys are copied, and again when the object is refreshable and says that a refresh is needed."""
        creds = IdentityPoolCredentials(world.pool())
        copied = creds.get_frozen_credentials()
        assert isinstance(creds, RefreshableCredentials)
        assert not creds.refresh_needed()
        left = creds._seconds_remaining()
        assert 3500 < left < 3660  # the emulator's clock goes on while the pool's stands
        assert not creds.refresh_needed(left - 1)
        assert creds.refresh_needed(left + 1)

        world.move(50 * 60)

        assert creds.refresh_needed()
        assert not creds._is_expired()
        assert creds._seconds_remaining() == pytest.approx(left - 50 * 60)
        assert creds.get_frozen_credentials() != copied
        assert not creds.refresh_needed()

    def test_who_looks_without_asking(self, world: World) -> None:
        """A look at the end, the need of a refresh or the last keys asks nobody; at first there is none."""
        pool = world.pool()
        creds = IdentityPoolCredentials(pool)

        assert creds._expiry_time is None
        assert creds._frozen_credentials is None
        assert creds.refresh_needed()
        assert creds.refresh_needed(0)
        assert creds._is_expired()
        assert creds.method == "cognito-identity-pool"
        assert abs(creds._time_fetcher().timestamp() - world.clock.wall()) < 1
        assert world.counts() == {}
        assert repr(pool) == "IdentityPool(…)", "no setting has been resolved"

    def test_who_looks_after_the_end(self, world: World) -> None:
        """In an outage the end stays what it was, and passes."""
        creds = IdentityPoolCredentials(world.pool())
        creds.get_frozen_credentials()
        end = creds._expiry_time
        world.outage()

        world.move(2 * 3600)

        assert creds._is_expired()
        assert creds._expiry_time == end
        assert creds._seconds_remaining() < 0

    def test_the_time_is_the_services(self, world: World) -> None:
        """On a machine whose clock is hours off, the seconds that remain are the true ones."""
        creds = IdentityPoolCredentials(world.pool())
        world.clock.set_wall(world.clock.wall() + 5 * 3600)

        creds.get_frozen_credentials()

        assert 3500 < creds._seconds_remaining() <= 3610
        assert not creds._is_expired()
        assert not creds.refresh_needed()

    def test_rejected_keys_need_a_refresh(self, world: World) -> None:
        """What the program has reported as rejected is not called fresh."""
        creds = IdentityPoolCredentials(world.pool())

        creds.pool.invalidate(creds.access_key)

        assert creds.refresh_needed()

    @pytest.mark.parametrize("force", ["_refresh", "_protected_refresh"])
    def test_who_forces_a_refresh(self, world: World, force: str) -> None:
        """`_protected_refresh` gets new keys, `_refresh` only when it is due, as botocore's do."""
        creds = IdentityPoolCredentials(world.pool())
        before = creds.get_frozen_credentials()

        if force == "_refresh":
            creds._refresh()
        else:
            creds._protected_refresh(is_mandatory=True)

        assert (creds.get_frozen_credentials() != before) == (force == "_protected_refresh")

    def test_nobody_writes_into_them(self, world: World) -> None:
        """What would be overwritten at the next refresh, or pass for it, is refused at once."""
        creds = IdentityPoolCredentials(world.pool())
        creds.get_frozen_credentials()

        for name in ("access_key", "secret_key", "token", "account_id", "_expiry_time"):
            with pytest.raises(AttributeError):
                setattr(creds, name, None)
        with pytest.raises(AttributeError):
            creds._set_from_data(creds._refresh_using())
        with pytest.raises(TypeError):
            IdentityPoolCredentials.create_from_metadata(creds._refresh_using(), dict, "test")

    def test_signing_libraries_freeze(self, world: World) -> None:
        """botocore's signer, as opensearch-py and requests-aws4auth use it, takes one generation."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        creds = IdentityPoolCredentials(world.pool())
        request = AWSRequest("GET", "https://search.example.com/")

        SigV4Auth(creds, "es", "us-east-1").add_auth(request)

        assert creds.access_key in request.headers["Authorization"]
        assert request.headers["X-Amz-Security-Token"] == creds.token

    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
    def test_a_copy_is_the_same_guest(self, world: World, way: Any) -> None:
        """A copy, of a session's credentials or within a config, uses the same pool."""
        creds = IdentityPoolCredentials(world.pool(cache="memory"))

        copied = way(creds)

        assert copied.get_frozen_credentials() == creds.get_frozen_credentials()
        assert world.counts()["GetId"] == 1


def test_errors_are_ours_and_botocores(world: World) -> None:
    """Callers catch BotoCoreError or our own class, and both carry the hint; the error pickles."""
    session = Session(identity_pool_id=world.pool_id, logins={"login.example.com": lambda: None})
    with pytest.raises(LoginRequiredError) as caught:
        session.client("sts").get_caller_identity()

    error = caught.value
    assert isinstance(error, botocore.exceptions.CredentialRetrievalError)
    assert isinstance(error, botocore.exceptions.BotoCoreError)
    assert error.hint
    assert error.hint[1:] in str(error)
    assert error.__context__ is None
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, LoginRequiredError)
    assert str(again) == str(error)


def test_nothing_is_raised_through_botocore_while_valid(world: World) -> None:
    """In an outage with 14 minutes left, a thousand signings raise nothing and do not storm."""
    pool = world.pool()
    credentials = IdentityPoolCredentials(pool)
    credentials.get_frozen_credentials()
    world.move(46 * 60)
    world.outage()
    before = sum(world.counts().values())
    for _ in range(1000):
        credentials.get_frozen_credentials()

    assert sum(world.counts().values()) - before <= 1


@pytest.mark.thorough
def test_a_triple_is_always_of_one_generation(world: World) -> None:
    """Threads that read while refreshes run never see half of two generations."""
    pool = world.pool()
    credentials = IdentityPoolCredentials(pool)
    known: dict[str, tuple[str, str]] = {}
    torn: list[Any] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            frozen = credentials.get_frozen_credentials()
            pair = (frozen.secret_key, frozen.token)
            if known.setdefault(frozen.access_key, pair) != pair:
                torn.append(frozen.access_key)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        pool.refresh()
    stop.set()
    for thread in threads:
        thread.join()

    assert len(known) >= 2
    assert not torn


def test_a_rejected_key_is_replaced_for_clients_that_exist(world: World) -> None:
    """Clients hold the credentials object, and use the key that replaces a rejected one."""
    session = Session(identity_pool_id=world.pool_id)
    client = session.client("sts")
    client.get_caller_identity()
    old = session.get_credentials().access_key
    assert session.identity_pool is not None

    session.identity_pool.invalidate(old)
    client.get_caller_identity()

    assert session.get_credentials().access_key != old


def test_a_client_says_that_the_person_must_sign_in(world: World, emulator: Any) -> None:
    """Keys that were rejected after the end of the sign-in do not sign on: the client raises what helps."""
    calls: list[int] = []

    def login() -> str:
        calls.append(1)
        if len(calls) > 1:
            raise LoginRequiredError("the sign-in has ended")
        return world.token()

    provider = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
    pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[provider])
    session = Session(identity_pool_id=pool_id, logins={"login.example.com": login}, user="ann")
    client = session.client("sts")
    client.get_caller_identity()
    assert session.identity_pool is not None

    session.identity_pool.invalidate(session.get_credentials().access_key)

    with pytest.raises(LoginRequiredError, match="the sign-in has ended"):
        client.get_caller_identity()


@pytest.mark.parametrize("where", ["argument", "environment"])
def test_the_pool_is_reached_through_the_credentials(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """`identity_pool` is None where the session finds the pool itself; the credentials have it always."""
    if where == "environment":
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
    session = Session(identity_pool_id=world.pool_id if where == "argument" else None)
    signed_with = session.get_credentials().get_frozen_credentials()

    session.get_credentials().pool.invalidate(signed_with.access_key)

    assert (session.identity_pool is None) == (where == "environment")
    assert session.get_credentials().access_key != signed_with.access_key


@pytest.mark.parametrize("where", ["argument", "environment", "profile"])
def test_credentials_pickle_wherever_the_pool_is_named(
    world: World, profile: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A guest's credentials pickle as what names their pool, and are found again in another process."""
    if where == "environment":
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", world.pool_id)
    profile("[profile app]\ncognito_identity_pool_id = POOL\n")
    session = Session(
        identity_pool_id=world.pool_id if where == "argument" else None,
        profile_name="app" if where == "profile" else None,
    )

    again = pickle.loads(pickle.dumps(session.get_credentials()))

    assert again.get_frozen_credentials() == session.get_credentials().get_frozen_credentials()


def test_a_pool_without_secrets_pickles(world: World) -> None:
    """Credentials of a guest pickle as their settings; with a login token they refuse to be pickled."""
    guest = pickle.loads(pickle.dumps(IdentityPoolCredentials(IdentityPool(world.pool_id))))

    assert guest.get_frozen_credentials().token
    user = IdentityPool(world.pool_id, logins={"login.example.com": world.token()})
    with pytest.raises(TypeError, match="refuses"):
        pickle.dumps(user)


def test_the_account_reaches_botocore(world: World) -> None:
    """botocore's account-based endpoints get the account."""
    credentials = IdentityPoolCredentials(world.pool(account_id="123456789012"))

    assert credentials.get_deferred_property("account_id")() == "123456789012"
    assert credentials.get_frozen_credentials().account_id == "123456789012"


def test_an_outage_at_the_start_is_a_typed_error(world: World) -> None:
    """With nothing in the cache and no service there is one clear, retryable error."""
    world.outage()

    with pytest.raises(ServiceError) as caught:
        IdentityPoolCredentials(world.pool()).get_frozen_credentials()

    assert caught.value.retryable
    assert isinstance(caught.value, botocore.exceptions.BotoCoreError)
