"""Arguments that stand in another one's place: one error at once, which says what to write."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
import botocore.session
import pytest

from cognito_credentials import (
    CognitoCredentialsError,
    ConfigurationError,
    IdentityPool,
    IdentityPoolProvider,
    Session,
    install,
)
from tests.world import World

POOL = "us-east-1:00000000-0000-4000-8000-000000000001"
KEY = "AKIAEXAMPLEEXAMPLE12"
WRITE = rf"Write Session\(identity_pool_id='{POOL}'\)"


class AioSession(botocore.session.Session):  # type: ignore[misc]  # botocore has no types
    """As aiobotocore's: a botocore session whose methods are coroutines."""

    __module__ = "aiobotocore.session"

    async def get_credentials(self) -> None:
        """Return nothing."""


class Aioboto3Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """As aioboto3's: a boto3 session around an aiobotocore session."""

    __module__ = "aioboto3.session"

    def __init__(self) -> None:
        super().__init__(botocore_session=AioSession())


SESSION = [
    ((POOL,), {}, WRITE),
    ((POOL,), {"logins": {"login.example.com": "token"}}, WRITE),
    ((None, None, None, POOL), {}, "the first argument|region_name"),
    ((), {"aws_access_key_id": POOL}, rf"aws_access_key_id is the id of an identity pool.*{WRITE}"),
    ((), {"profile_name": POOL}, rf"profile_name is the id of an identity pool.*{WRITE}"),
    ((), {"region_name": POOL}, rf"region_name is the id of an identity pool.*{WRITE}"),
    (("us-east-1_AbCdEf123",), {}, "not a whole access key.*identity_pool_id="),
    (("arn:aws:iam::123456789012:role/guest",), {}, "not a whole access key"),
    (("app",), {}, "not a whole access key.*profile_name= for a profile"),
    ((), {"aws_secret_access_key": "s"}, "aws_secret_access_key of Session is not a whole access key"),
    ((), {"aws_session_token": "t", "aws_access_key_id": KEY}, "aws_access_key_id and aws_session_token"),
    ((KEY, "s"), {"identity_pool_id": POOL}, "both access keys and identity pool settings"),
    ((), {"aws_session_token": "t", "identity_pool_id": POOL}, "both access keys and identity pool settings"),
    ((KEY, "s"), {"user": "ann"}, "both access keys and identity pool settings"),
    ((), {"aws_account_id": "123456789012", "identity_pool_id": POOL}, "Write account_id="),
    ((IdentityPool(POOL),), {}, r"is an IdentityPool.*Session\(pool="),
    ((), {"identity_pool": IdentityPool(POOL)}, r"identity_pool of Session is an IdentityPool.*\(pool="),
    ((), {"pool": POOL}, r"pool of Session is str, not an IdentityPool.*IdentityPool\('us-east-1:…'\)"),
    ((), {"pool": IdentityPool(POOL), "user": "ann"}, r"both a pool and user.*for_user\("),
    ((KEY, "s"), {"pool": IdentityPool(POOL)}, "both access keys and identity pool settings"),
    ((), {"botocore_session": IdentityPool(POOL)}, "is an IdentityPool"),
    ((), {"botocore_session": boto3.Session()}, "takes a botocore session, and got boto3's"),
    ((), {"botocore_session": AioSession(), "identity_pool_id": POOL}, r"a blocking.*aioboto3\.Session\("),
]


@pytest.mark.parametrize(("args", "kwargs", "says"), SESSION)
def test_session(args: tuple[Any, ...], kwargs: dict[str, Any], says: str) -> None:
    """What Session takes for one of boto3's arguments, but can be none, is refused when it is made."""
    with pytest.raises(ConfigurationError, match=says):
        Session(*args, **kwargs)


ASYNCHRONOUS = (
    AioSession(),
    r"takes a blocking.*an asynchronous one, aiobotocore's AioSession.*Write install\(",
)
NO_SESSION = [
    (boto3.Session(), r"got boto3's.*cognito_credentials\.Session\(identity_pool_id=…\)"),
    (Aioboto3Session(), r"got aioboto3's.*Give the aiobotocore\.session\.AioSession\(\)"),
    (POOL, r"got str.*install\(botocore\.session\.Session\(\), identity_pool_id="),
    (None, "got NoneType"),
    (botocore.session.Session, "got the class Session"),
    (boto3, "got module"),
]


@pytest.mark.parametrize(("session", "says"), NO_SESSION)
@pytest.mark.parametrize("settings", [{}, {"identity_pool_id": POOL}], ids=["chain", "pool"])
def test_install(session: Any, says: str, settings: dict[str, Any]) -> None:
    """install() refuses what is no botocore session before it touches it; no value is shown."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        install(session, **settings)

    assert POOL not in str(caught.value)


def test_a_pool_of_install() -> None:
    """install() refuses what is no pool in the pool's place, and settings beside a pool."""
    with pytest.raises(ConfigurationError, match=r"pool of install\(\) is str.*=IdentityPool\(") as caught:
        install(botocore.session.Session(), POOL)  # type: ignore[arg-type]
    assert POOL not in str(caught.value)
    with pytest.raises(ConfigurationError, match="both a pool and cache, user"):
        install(botocore.session.Session(), IdentityPool(POOL), user="ann", cache="memory")
    with pytest.raises(ConfigurationError, match="IdentityPoolProvider got both a pool and outage"):
        IdentityPoolProvider(pool=IdentityPool(POOL), outage=KeyError)


@pytest.mark.parametrize(("session", "says"), [*NO_SESSION, ASYNCHRONOUS])
def test_provider(session: Any, says: str) -> None:
    """So does the provider, of which a session is optional."""
    if session is None:
        assert IdentityPoolProvider(session).load() is None
        return
    with pytest.raises(ConfigurationError, match=says):
        IdentityPoolProvider(session)


def test_a_pool_in_the_wrong_place_of_the_provider() -> None:
    """A pool where the session belongs, or an id where the pool does, is refused."""
    with pytest.raises(ConfigurationError, match=r"Write IdentityPoolProvider\(pool=pool\)"):
        IdentityPoolProvider(IdentityPool(POOL))
    with pytest.raises(ConfigurationError, match=r"pool of IdentityPoolProvider is str.*=IdentityPool\('us-"):
        IdentityPoolProvider(pool=POOL)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["install", "Session"])
def test_a_session_in_use(world: World, way: str) -> None:
    """A botocore session that has credentials already would go on with those: it is refused."""
    session = botocore.session.Session()
    session.set_credentials(KEY, "s")
    use = {"install": partial(install, session), "Session": partial(Session, botocore_session=session)}

    with pytest.raises(ConfigurationError, match="has credentials already, from 'explicit'"):
        use[way](identity_pool_id=world.pool_id)


def test_a_session_in_use_without_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings, keys that the program gave stand; keys that the session found are refused."""
    given = botocore.session.Session()
    given.set_credentials(KEY, "s")
    install(given)
    assert given.get_credentials().access_key == KEY
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    found = botocore.session.Session()
    found.get_credentials()

    with pytest.raises(ConfigurationError, match="from 'env'"):
        install(found)


POOLS = [
    ("guest", r"not REGION:GUID.*profile_name='guest'"),
    (f"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{POOL}", rf"is an ARN.*'{POOL}'"),
    ("arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbC", "is the ARN of a user pool"),
    ("arn:aws:iam::123456789012:role/guest", "is the ARN of a role.*role_arn"),
    ("us-east-1_AbC", "is the id of a user pool"),
    ("cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", "names a user pool"),
    ("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", "names a user pool"),
    (POOL.partition(":")[2], "Write its region before it"),
    (POOL.upper(), "all in lower case"),
    (f" {POOL}", "white space"),
    (b"us-east-1:x", "bytes, not text"),
    (IdentityPool(POOL), "IdentityPool, not text"),
]


@pytest.mark.parametrize(("given", "says"), POOLS)
def test_identity_pool(given: Any, says: str) -> None:
    """What is taken for an identity pool's id, but is something else, is called what it is."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        IdentityPool(given)

    assert str(caught.value).startswith("identity_pool_id from argument")


def test_an_identity_id_in_place_of_a_pool_id(world: World) -> None:
    """It looks alike, and only the service can tell: its answer names both readings."""
    identity_id = world.pool().identity_id()

    with pytest.raises(CognitoCredentialsError, match="or this is the id of an identity"):
        IdentityPool(identity_id, environ=world.environ).credentials()


def test_a_pool_id_as_profile() -> None:
    """IdentityPool(profile_name=…) says the same, when the profile is looked for."""
    with pytest.raises(ConfigurationError, match=r"does not exist.*identity_pool_id"):
        IdentityPool(profile_name=POOL).credentials()


LOGINS = [
    (["token"], "list"),
    ([("accounts.google.com", "token")], "list"),
    ({"accounts.google.com"}, "set"),
    (5, "int"),
    (IdentityPool(POOL), "IdentityPool"),
    ({"us-east-1_AbCdEf123": "token"}, "For a user pool write"),
    ({"accounts.google.com": None}, "NoneType"),
]


@pytest.mark.parametrize(("given", "says"), LOGINS)
def test_logins(given: Any, says: str) -> None:
    """What can be no login is refused when the pool is made."""
    with pytest.raises(ConfigurationError, match=says):
        IdentityPool(POOL, logins=given)


@pytest.mark.parametrize("given", ["accounts.google.com", "us-east-1_AbCdEf123", "app"])
def test_a_login_that_is_only_a_name(world: World, given: str) -> None:
    """A name where a token belongs is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"does not say which login provider.*Name the provider"):
        world.pool(logins=given).credentials()

    assert world.counts() == {}
