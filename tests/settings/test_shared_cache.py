"""The settings of a cache in Redis: its URL, the key that seals, and the requests a second."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.errors import CacheError, CognitoCredentialsError, ConfigurationError
from cognito_credentials.secret import Secret
from cognito_credentials.settings.load import configured_cache
from cognito_credentials.settings.shared_cache import (
    OPERATIONS,
    cache_key,
    redis_url,
)
from tests.conftest import CANARY
from tests.settings.loading import POOL, load_guest

KEYS = [bytes([number]) * 32 for number in (1, 2, 3)]
ONE, TWO, THREE = (base64.b64encode(key).decode() for key in KEYS)

GOOD_URLS = [
    ("redis://127.0.0.1", "redis://127.0.0.1:6379", True),
    ("redis://localhost:7000/3", "redis://localhost:7000/3", True),
    ("redis://[::1]:7000/0", "redis://[::1]:7000", True),
    (f"rediss://app:{CANARY}@redis.example.com/1", "rediss://redis.example.com:6379/1", False),
    (f"rediss://:{CANARY}%40%2F@h?ca_certs=/a.pem", "rediss://h:6379", False),
    (f"unix://app:{CANARY}@/run/redis.sock?db=2", "unix:///run/redis.sock?db=2", True),
    ("redis-cluster://10.0.0.1:7000", "redis-cluster://10.0.0.1:7000", False),
    ("rediss-cluster://h?ca_certs=/a&certfile=/b&keyfile=/c", "rediss-cluster://h:6379", False),
    ("REDIS://Host", "redis://host:6379", False),
]


@pytest.mark.parametrize(("text", "shown", "is_local"), GOOD_URLS)
def test_urls(text: str, shown: str, is_local: bool) -> None:
    """A URL is shown without user name, password and options; hosts other than loopback are elsewhere."""
    url = redis_url(Secret(text), "cache from argument")

    assert url.shown == shown
    assert url.is_of_this_machine is is_local
    assert CANARY not in repr(url)


def test_what_a_url_says() -> None:
    """User name, password, database and the files of TLS are read; %40 and the like are decoded."""
    url = redis_url(Secret("rediss://ann%40home:p%3Aw%2F@h:7000/3?ca_certs=/a.pem"), "cache from argument")

    assert (url.username, url.host, url.port, url.database) == ("ann@home", "h", 7000, 3)
    assert url.password == Secret("p:w/")
    assert (url.tls, url.has_tls, url.is_cluster) == ({"ca_certs": "/a.pem"}, True, False)


BAD_URLS = [
    ("redis://", "names no host"),
    ("redis:", "'://' must follow"),
    ("redis:/h", "'://' must follow"),
    ("redis:///0", "names no host"),
    (f"redis://u:{CANARY}@", "names no host"),
    (f"redis://u:{CANARY}@h:99999", "host or port is malformed"),
    (f"redis://u:{CANARY}@[::1", "host or port is malformed"),
    (f"redis://u:{CANARY}#x@h", "host or port is malformed"),
    (f"redis://u:{CANARY}@h/1#x", "has a '#'"),
    (f"redis://u:12/{CANARY}@h/1", "has an '@' behind its host"),
    (f"redis://u:12?{CANARY}@h/1", "has an '@' behind its host"),
    ("redis://h/x", "a database that is not a number"),
    (f"redis://h/{CANARY}", "a database that is not a number"),
    ("redis://h/-1", "a database that is not a number"),
    ("redis://h/0/1", "a database that is not a number"),
    ("redis://h?password=x", "has the option 'password'"),
    ("rediss://h?ca_certs=a.pem", "no absolute path for ca_certs"),
    ("rediss://h?certfile=/a.pem", "only one of certfile and keyfile"),
    ("redis-cluster://h/1", "a cluster has only one"),
    ("unix://", "no socket file"),
    ("unix://run/redis.sock", "no socket file"),
    ("unix:///run/redis.sock?db=x", "a database that is not a number"),
]


@pytest.mark.parametrize(("text", "said"), BAD_URLS)
def test_bad_urls(text: str, said: str) -> None:
    """A URL that is none is a CacheError in one line that says where it was set, and shows no password."""
    environ = {"HOME": "/nowhere", "AWS_COGNITO_CACHE": text}
    for use, where in (
        (lambda: IdentityPool(POOL, cache=text), "cache from argument"),
        (lambda: IdentityPool(POOL, environ=environ).settings, "cache from AWS_COGNITO_CACHE"),
    ):
        with pytest.raises(CacheError) as caught:
            use()
        line = str(caught.value)
        assert where in line
        assert said in line
        assert "redis://HOST:PORT" in line
        assert CANARY not in line


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (KEYS[0], ONE),
        (bytearray(KEYS[0]), ONE),
        (ONE, ONE),
        (f" {ONE}\n", ONE),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode(), base64.b64encode(b"\xff" * 32).decode()),
        (f"{ONE},{TWO}", f"{ONE},{TWO}"),
        ((KEYS[0], TWO), f"{ONE},{TWO}"),
        ([ONE, KEYS[1]], f"{ONE},{TWO}"),
    ],
)
def test_keys(given: object, keys: str) -> None:
    """A key is 32 bytes, as bytes or in base64; two of them are the new and the old one."""
    assert cache_key(given, "cache_key from argument") == Secret(keys)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (CANARY, "is not base64"),
        ("YWJj", "has 3 bytes, not 32"),
        (b"CANARY", "has 6 bytes, not 32"),
        (b"", "has 0 bytes, not 32"),
        (f"{ONE},", "has 0 bytes, not 32"),
        (f"{ONE},{ONE}", "the same key twice"),
        (f"{ONE},{TWO},{THREE}", "has 3 keys"),
        ([], "has 0 keys"),
        (7, "int, neither bytes nor text"),
        ([None], "NoneType, neither bytes nor text"),
    ],
)
def test_bad_keys(given: object, said: str) -> None:
    """A key that is none is an error in one line, which does not show it, also where no Redis is used."""
    with pytest.raises(CognitoCredentialsError, match=said) as caught:
        IdentityPool(POOL, cache_key=given)  # type: ignore[arg-type]
    assert isinstance(caught.value, (CacheError, ConfigurationError))
    assert caught.value.hint
    assert CANARY not in str(caught.value)
    assert ONE not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ("GetId=20,GetCredentialsForIdentity=150", {"GetId": 20.0, "GetCredentialsForIdentity": 150.0}),
        (" GetId = 0.5 , ", {"GetId": 0.5}),
        ({"GetId": 20, "UnlinkIdentity": "3"}, {"GetId": 20.0, "UnlinkIdentity": 3.0}),
        (dict.fromkeys(OPERATIONS, 1), dict.fromkeys(OPERATIONS, 1.0)),
    ],
)
def test_requests_per_second(given: Any, rates: dict[str, float]) -> None:
    """Requests a second are a mapping or text, of operations of this package to numbers above 0."""
    settings = load_guest({"cache": "redis://127.0.0.1", "requests_per_second": given})
    assert settings.shared_cache is not None
    assert settings.shared_cache.requests_per_second == rates


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("GetID=20", "no operation 'GetID'. Did you mean GetId?"),
        ("ListUsers=20", "It is one of GetId"),
        ("GetId", "'GetId' has no '='"),
        ("GetId=20,GetId=30", "has GetId twice"),
        (",", "is empty"),
        ({}, "is empty"),
        (20, "int, neither a mapping nor text"),
        *(
            (f"GetId={rate}", "not a number of requests a second above 0")
            for rate in ("0", "-1", "x", "inf", "nan")
        ),
        ({"GetId": math.inf}, "not a number"),
        ({"GetId": True}, "not a number"),
        ({"GetId": None}, "not a number"),
    ],
)
def test_bad_requests_per_second(given: Any, said: str) -> None:
    """What is wrong in the requests a second is a ConfigurationError in one line."""
    with pytest.raises(ConfigurationError) as caught:
        load_guest({"requests_per_second": given})
    assert said in str(caught.value)


def test_nothing_of_them_is_shown() -> None:
    """Neither the settings nor their origins show the URL, the key or the password."""
    environ = {"AWS_COGNITO_CACHE_PASSWORD": CANARY}
    settings = load_guest({"cache": f"redis://u:{CANARY}@127.0.0.1", "cache_key": ONE}, environ=environ)

    shown = repr(settings) + repr(settings.origins)
    assert CANARY not in shown
    assert ONE not in shown
    assert settings.origins["cache_key"] == "argument"


def test_the_cache_of_an_environment_needs_no_pool() -> None:
    """Commands on the whole cache find it though no pool is named."""
    environ = {"AWS_COGNITO_CACHE": "redis://127.0.0.1", "AWS_COGNITO_CACHE_KEY": ONE}
    found = configured_cache(environ=environ)

    assert found.kind == "redis"
    assert found.shared is not None
    assert found.shared.key == Secret(ONE)
