"""`retry_after`: how long another try makes no sense, by the back-off and by what the service asked for."""

from __future__ import annotations

import os
import pickle
import re
from typing import Any

import pytest

from cognito_credentials import (
    CognitoCredentialsError,
    CredentialsExpiredError,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.botocore_credentials import as_botocore_error
from cognito_credentials.exchange.requests import seconds_to_wait
from tests.world import World


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


def failure(world: World, **fault: Any) -> ServiceError:
    world.faults({"operation": "*", "times": -1, "status": 503, **fault})
    with pytest.raises(ServiceError) as caught:
        world.pool().credentials()
    return caught.value


def test_a_failure_tells_when_the_next_try_is(world: World) -> None:
    """After a failure the error tells how long the back-off is, and each later one what is left of it."""
    world.outage()
    pool = world.pool()
    found = []
    for _ in range(2):
        with pytest.raises(ServiceError) as caught:
            pool.credentials()
        found.append(caught.value.retry_after)
        world.clock.advance(0.5)
    before = world.counts()

    assert 1 <= found[0] <= 6  # a shared back-off ends with a whole second
    assert found[1] == pytest.approx(found[0] - 0.5, abs=1)
    world.clock.advance(found[1] - 0.5 - 0.01)
    with pytest.raises(ServiceError):
        pool.credentials()
    assert world.counts() == before
    world.recover()
    world.clock.advance(0.02)
    assert pool.credentials()


def test_another_process_tells_the_same(world: World) -> None:
    """A back-off that is found in the store is told, too."""
    first = failure(world).retry_after
    world.clock.advance(0.5)
    later = failure(world).retry_after

    assert later is not None
    assert first is not None
    assert later == pytest.approx(first - 0.5, abs=1)  # a record has whole seconds


def test_what_the_service_asks_for(world: World) -> None:
    """The longer of both counts: the service's own wish, and our back-off."""
    assert failure(world, headers={"Retry-After": "120"}).retry_after == 120


def test_expired_credentials_tell_it(world: World) -> None:
    """Credentials that expire in an outage bring an error that tells it as well."""
    pool = world.pool()
    pool.credentials()
    world.outage()
    world.move(4000)
    with pytest.raises(CredentialsExpiredError) as caught:
        pool.credentials()

    assert 1 <= (caught.value.retry_after or 0) <= 6
    assert re.search(r"the next try is possible in [1-6] s$", caught.value.hint, re.IGNORECASE)


def test_a_back_off_ends_with_the_credentials(world: World) -> None:
    """A back-off of minutes was chosen while credentials were valid; a clock that is set ends both."""
    pool = world.pool()
    pool.credentials()
    world.move(2700)  # due
    world.outage()
    assert pool.credentials()  # the back-off begins
    before = sum(world.counts().values())
    world.clock.set_wall(world.clock.time + 7200)  # the elapsed clock stays

    with pytest.raises(CredentialsExpiredError) as caught:
        pool.credentials()
    after = sum(world.counts().values())
    with pytest.raises(CredentialsExpiredError):
        pool.credentials()

    assert after > before
    assert sum(world.counts().values()) == after  # a new back-off, of seconds
    assert (caught.value.retry_after or 0) <= 11
    world.recover()
    world.clock.advance(11)
    assert pool.credentials()


def test_what_a_person_must_mend_tells_none(world: World) -> None:
    """A login that gives no token is asked again when a person has done something; no seconds are told."""
    with pytest.raises(LoginRequiredError) as caught:
        world.pool(logins={"login.example.com": lambda: None}).credentials()

    assert caught.value.retry_after is None


def test_it_is_kept_by_pickle_and_by_botocores_kind() -> None:
    """An error that is pickled, or becomes one of botocore's, keeps it."""
    error = ServiceError("no", retry_after=7.5)
    for made in (pickle.loads(pickle.dumps(error)), as_botocore_error(error)):
        assert isinstance(made, CognitoCredentialsError)
        assert made.retry_after == 7.5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 30 "}, 30),
        ({"retry-after": "9" * 40}, 3600),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 -0000", "date": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({"x-amz-retry-after": "1500", "retry-after": "9"}, 1.5),
    ],
)
def test_the_header(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, beside the answer's own; an hour at most, and nothing of what is malformed."""
    assert seconds_to_wait(headers) == seconds
