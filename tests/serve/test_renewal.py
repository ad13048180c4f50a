"""Credentials are renewed before anybody asks, and a failure is a status and never empty credentials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from cognito_credentials import IdentityPool, ServiceError
from cognito_credentials.serve.renewal import Renewal
from tests.serve.conftest import Client
from tests.world import World


@pytest.fixture
def renewal(pool: IdentityPool) -> Renewal:
    """Of a pool that has credentials; its thread does not run, so that tests say when it asks."""
    pool.credentials()
    return Renewal(pool)


def key(renewal: Renewal) -> str:
    answer = renewal.answer()
    assert answer.status == 200, answer
    return answer.body.decode().split('"')[3]


def test_the_pools_policy_says_when(renewal: Renewal, world: World) -> None:
    """Until the pool finds that new credentials are due, nothing is asked; then one request renews them."""
    first = key(renewal)
    world.move(2000)
    renewal.renew()
    assert (key(renewal), world.counts()["GetCredentialsForIdentity"]) == (first, 1)

    world.move(700)
    renewal.renew()
    assert key(renewal) != first
    assert world.counts()["GetCredentialsForIdentity"] == 2


def test_an_answer_has_more_than_15_minutes_of_life(renewal: Renewal, world: World) -> None:
    """Over two generations, no answer has 15 minutes or less: botocore would ask once a request then."""
    for _ in range(240):
        world.clock.advance(30)
        world._passed += 30
        if not renewal._pool.current() or world.clock.wall() % 60 < 30:
            world.settings(clock_offset=world._passed)
        renewal.renew()
        held = renewal._pool.current()
        assert held is not None
        assert held.expires_at - world.clock.wall() > 15 * 60

    assert world.counts()["GetCredentialsForIdentity"] in (3, 4)


def test_who_asks_while_the_service_is_slow_has_an_answer(renewal: Renewal, world: World) -> None:
    """An answer never asks the service: with credentials that are due and valid, it makes no request."""
    first = key(renewal)
    world.move(3000)
    before = world.counts()

    assert key(renewal) == first
    assert world.counts() == before


def test_an_outage_takes_nothing_valid_away(renewal: Renewal, world: World) -> None:
    """In an outage the old credentials are answered until they end, and then the reason, with a status."""
    first = key(renewal)
    world.outage()
    world.move(3500)
    renewal.renew()
    assert key(renewal) == first

    world.move(200)
    renewal.renew()
    answer = renewal.answer()
    assert answer.status == 503
    assert b"AccessKeyId" not in answer.body
    assert b"cognito-credentials: credentials expired at " in answer.body
    assert b'"code": "CredentialsExpiredError"' in answer.body

    world.recover()
    world.move(60)
    renewal.renew()
    assert key(renewal) != first


def test_after_a_suspend_nothing_expired_is_answered(renewal: Renewal, world: World) -> None:
    """Credentials that have ended unnoticed, as during a suspend, are not answered; clients try again."""
    world.move(7200)

    answer = renewal.answer()

    assert answer.status == 503
    assert b"are being renewed" in answer.body


def test_what_only_a_person_can_mend_is_said(world: World) -> None:
    """Where a login is missing, the answer says so, with a status that SDKs do not repeat in vain."""
    pool = world.pool(logins={"login.example.com": lambda: ""}, user="ann")
    renewal = Renewal(pool)
    renewal.renew()

    answer = renewal.answer()

    assert answer.status == 424
    assert b'"code": "LoginRequiredError"' in answer.body


def test_the_log_says_once_that_clients_get_nothing(renewal: Renewal, world: World, caplog: Any) -> None:
    """A failure is logged when it begins, since not every SDK shows what it is answered."""
    world.outage()
    world.move(3700)
    for _ in range(3):
        renewal.renew()

    said = [each.getMessage() for each in caplog.records if each.name.endswith("renewal")]
    assert len(said) == 1
    assert said[0].startswith("clients get no credentials: credentials expired at ")


def test_an_outage_is_one_line_of_the_log(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The text of a failure tells when the next try is; a long outage is one line all the same."""
    seconds = iter(range(100))

    def fail(_: object) -> None:
        raise ServiceError(f"no answer (next try in {next(seconds)} s)")

    monkeypatch.setattr(IdentityPool, "credentials", fail)
    for _ in range(10):
        renewal.renew()

    assert [each.getMessage() for each in caplog.records if each.name.endswith("renewal")] == [
        "clients get no credentials: no answer (next try in 0 s) (see E-SERVICE)"
    ]


def test_a_bug_ends_neither_thread_nor_answers(
    renewal: Renewal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody expects is a failure, too; its text, which may hold a secret, is not shown."""

    def fail(_: object) -> None:
        raise RuntimeError("CANARY")

    world.move(7200)
    monkeypatch.setattr(IdentityPool, "credentials", fail)
    renewal.renew()

    answer = renewal.answer()
    assert answer.status == 503
    assert b"unexpected RuntimeError" in answer.body
    assert b"CANARY" not in answer.body


def test_the_health_check_fails_without_credentials(ask: Client, world: World) -> None:
    """``/healthcheck`` is 503 where there are no valid credentials, and tells strangers no more."""
    world.outage()
    world.move(7200)

    got = ask("/healthcheck", Authorization=None)

    assert (got.status, got.body["message"]) == (503, "there are no valid credentials")


def test_the_thread_renews(ask: Client, world: World) -> None:
    """A running server renews by itself: nobody has to ask."""
    first = ask().body
    world.move(2700)

    while (now := ask().body) == first:  # for a second at most
        pass

    assert datetime.fromisoformat(now["Expiration"][:-1]) > datetime.fromisoformat(first["Expiration"][:-1])
