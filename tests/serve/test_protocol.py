"""What is answered to whom: over HTTP, and byte by byte."""

from __future__ import annotations

import hmac
from datetime import datetime, timezone

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.serve.protocol import Refused, read
from tests.serve.conftest import Client


def test_credentials_in_the_spelling_of_the_protocol(ask: Client, pool: IdentityPool) -> None:
    """Who has the token gets the pool's credentials, as SDKs read them, and no cache keeps them."""
    got = ask()

    held = pool.credentials()
    assert got.status == 200
    assert set(got.body) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert got.body["AccessKeyId"] == held.access_key_id
    assert got.body["SecretAccessKey"] == held.secret_access_key.reveal()
    assert got.body["Token"] == held.session_token.reveal()
    assert datetime.fromisoformat(got.body["Expiration"].replace("Z", "+00:00")) == held.expiration
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Cache-Control"] == "no-store"


def test_the_account_is_there_where_it_is_known(ask: Client, world: object, pool: IdentityPool) -> None:
    """The account id of the settings is part of the answer."""
    known = world.pool(account_id="210987654321").credentials()  # type: ignore[attr-defined]

    assert '"AccountId": "210987654321"' in known.to_container()
    assert "AccountId" not in ask().body


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": None}, 403, "Forbidden"),
        ({"Authorization": ""}, 403, "Forbidden"),
        ({"Authorization": "0" * 64}, 403, "Forbidden"),
        ({"Authorization": "\xe9" * 64}, 403, "Forbidden"),
        ({"Origin": "http://127.0.0.1"}, 403, "Forbidden"),
        ({"Origin": "null"}, 403, "Forbidden"),
        ({"X_Forwarded_For": "127.0.0.1"}, 403, "Forbidden"),
        ({"Host": "attacker.example"}, 421, "MisdirectedRequest"),
        ({"Host": "127.0.0.1"}, 421, "MisdirectedRequest"),
        ({"Host": "127.0.0.1:1"}, 421, "MisdirectedRequest"),
        ({"Host": None}, 421, "MisdirectedRequest"),
        ({"Transfer_Encoding": "chunked", "Host": "attacker.example"}, 421, "MisdirectedRequest"),
    ],
)
def test_a_stranger_gets_a_status_and_a_reason(
    ask: Client, headers: dict[str, str | None], status: int, code: str
) -> None:
    """A wrong token, another name, a page or a proxy: no credentials, but a code and a message."""
    got = ask(**headers)

    assert (got.status, got.body["code"]) == (status, code)
    assert set(got.body) == {"code", "message"}
    assert got.body["message"]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_it_has_two_names(ask: Client, name: str) -> None:
    """It is called by the loopback address or by localhost."""
    assert ask(Host=f"{name}:{ask.host.split(':')[1]}").status == 200


def test_unknown_paths_and_methods(ask: Client) -> None:
    """Another path is 404, another method 405 with what is allowed; both have the shape of all failures."""
    missing, posted = ask("/credentials/"), ask(method="POST", Content_Length="0")

    assert (missing.status, missing.body["code"]) == (404, "NotFound")
    assert (posted.status, posted.body["code"], posted.headers["Allow"]) == (405, "MethodNotAllowed", "GET")


def test_the_health_check_needs_no_token(ask: Client) -> None:
    """``/healthcheck`` says without a token that there are credentials, and shows none."""
    got = ask("/healthcheck", Authorization=None)

    assert (got.status, got.body) == (200, {})
    assert ask("/healthcheck", Authorization=None, Host="attacker.example").status == 421


def test_the_token_is_compared_in_constant_time(ask: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is `hmac.compare_digest`'s: its time tells nothing about the token."""
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, two: compared.append(one) or compare(one, two))

    ask(Authorization="guess")

    assert b"guess" in compared


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET",
        b"GET /credentials",
        b"GET /credentials HTTP/2",
        b"GET  /credentials HTTP/1.1",
        b"GET http://127.0.0.1/credentials HTTP/1.1",
        b" /credentials HTTP/1.1",
        b"GET /credentials HTTP/1.1\r\nHost",
        b"GET /credentials HTTP/1.1\r\n: value",
        b"GET /credentials HTTP/1.1\r\nHost : a",
        b"GET /credentials HTTP/1.1\r\n folded: a",
        b"GET /credentials HTTP/1.1\r\nHost: a\r\nhost: b",
        b"GET /credentials HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b",
        b"GET /credentials HTTP/1.1\r\nX: a\nOrigin: http://attacker.example",
        b"GET /credentials HTTP/1.1\r\nX: a\rOrigin: http://attacker.example",
        b"GET /credentials HTTP/1.1\r\nX: a\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # https
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    """A malformed request is 400: no header counts of which there could be two readings."""
    with pytest.raises(Refused) as refused:
        read(head)

    assert refused.value.answer.status == 400


@pytest.mark.parametrize(
    ("head", "may_stay"),
    [
        (b"GET / HTTP/1.1", True),
        (b"GET / HTTP/1.1\r\nContent-Length: 0", True),
        (b"GET / HTTP/1.0", False),
        (b"HEAD / HTTP/1.1", False),
        (b"POST / HTTP/1.1", False),
        (b"GET / HTTP/1.1\r\nConnection: Close", False),
        (b"GET / HTTP/1.1\r\nContent-Length: 5", False),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked", False),
    ],
)
def test_what_follows_a_body_is_never_read_as_a_request(head: bytes, may_stay: bool) -> None:
    """A connection stays open only where the next byte of both sides is that of a request and its answer."""
    assert read(head).may_stay is may_stay


def test_expiration_is_the_services(ask: Client) -> None:
    """The expiration is in UTC and in the future: SDKs refuse others."""
    end = datetime.fromisoformat(ask().body["Expiration"].replace("Z", "+00:00"))

    assert end > datetime.now(timezone.utc)
