"""What is under /_emulator/: counts, reset, login tokens, faults, settings."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import jwt
import pytest

from .conftest import GOOGLE, OIDC, SIGNED
from .test_identities import get_id

USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"


def plan(api, *faults):
    answer = api.control("PUT", "faults", list(faults))
    assert answer.status == 200, answer.body


def test_counts(api):
    """Requests are counted by operation, failed and faulted ones too, until a reset."""
    pool_id = api.emulator.create_pool()
    api.post("GetId", {"IdentityPoolId": pool_id})
    api.post("GetId", {})
    plan(api, {"operation": "GetId", "status": 503})
    api.post("GetId", {"IdentityPoolId": pool_id})
    api.raw(body="Action=GetCallerIdentity&Version=2011-06-15")

    assert api.control("GET", "requests").json == {"GetId": 3, "GetCallerIdentity": 1}
    assert api.control("POST", "reset").status == 200
    assert api.control("GET", "requests").json == {}


def test_reset(api, refused):
    """A reset forgets state, faults and settings; keys that were given out stay good."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    api.control("PUT", "settings", {"clock_offset": 100, "throttle": True, "delay": 0.01})
    plan(api, {"operation": "*", "times": -1, "status": 500})

    api.control("POST", "reset")

    assert refused(api.public.get_id, IdentityPoolId=pool_id)[0] == "ResourceNotFoundException"
    assert api.control("PUT", "settings", {}).json == {
        "credential_lifetime": None,
        "clock_offset": 0.0,
        "throttle": False,
        "delay": 0.0,
        "historic_jwks": False,
        "login_grace": 300,
    }
    assert api.client("sts", keys).get_caller_identity()["Account"] == "123456789012"


def test_login_token(api):
    """A login token has what was asked for, and verifies with the test issuer's keys."""
    answer = api.control(
        "POST",
        "login-token",
        {
            "provider": GOOGLE,
            "audience": "my-app",
            "subject": "ann",
            "expires_in": 60,
            "claims": {"email": "ann@example.com", "aud": ["a", "b"], "iat": None},
        },
    )

    token = answer.json["token"]
    keys = api.raw("GET", "/_emulator/.well-known/jwks_uri").json
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], options={"verify_aud": False})
    assert claims.pop("exp") == pytest.approx(time.time() + 60, abs=5)
    assert claims == {
        "iss": "https://accounts.google.com",
        "sub": "ann",
        "aud": ["a", "b"],
        "email": "ann@example.com",
        "marker": "CANARYlogin",
    }


@pytest.mark.parametrize(
    ("method", "path", "content", "error"),
    [
        ("POST", "login-token", {}, "provider: expected a text"),
        ("POST", "login-token", {"provider": "p", "x": 1}, "unknown member x"),
        ("POST", "login-token", [], "expected a JSON object"),
        ("PUT", "settings", {"throttle": 1}, "throttle: expected true, false, or requests a second"),
        ("PUT", "settings", {"clock_offset": "x"}, "clock_offset: expected a number"),
        ("PUT", "settings", {"colour": 1}, "unknown member colour"),
        ("PUT", "faults", {}, "faults: expected a list"),
        ("PUT", "faults", [{"operation": "*"}, {}], "faults[1]: operation is missing"),
        ("PUT", "faults", [{"operation": "*", "status": 99}], "faults[0].status: 99"),
        ("PUT", "faults", [{"operation": "*", "drop": "x"}], "faults[0].drop: expected"),
        ("PUT", "faults", [{"operation": "*", "wait": 1}], "faults[0]: unknown member wait"),
        ("PUT", "faults", [{"operation": "*", "delay": "1"}], "faults[0].delay: expected"),
    ],
)
def test_bad_control_calls(api, method, path, content, error):
    """A control call that is wrong says where, and changes nothing."""
    answer = api.control(method, path, content)

    assert answer.status == 400
    assert error in answer.json["error"]


def test_unknown_control_call(api):
    """A control call that does not exist lists those that do."""
    answer = api.control("GET", "status")

    assert answer.status == 404
    assert "PUT faults" in answer.json["error"]


def test_faults_in_order(api):
    """Faults are used up in order, each for its own operation and number of times."""
    pool_id = api.emulator.create_pool()
    plan(
        api,
        {"operation": "GetOpenIdToken", "status": 418},
        {"operation": "GetId", "times": 2, "code": "TooManyRequestsException", "message": "Rate"},
        {"operation": "*", "status": 503, "body": "<html>", "headers": {"Retry-After": "9"}},
    )

    answers = [api.post("GetId", {"IdentityPoolId": pool_id}) for _ in range(4)]

    assert [answer.status for answer in answers] == [400, 400, 503, 200]
    assert answers[0].json == {"__type": "TooManyRequestsException", "message": "Rate"}
    assert answers[2].body == b"<html>"
    assert answers[2].headers["retry-after"] == "9"
    assert api.post("GetOpenIdToken", {}).status == 418


def test_forever(api):
    """A fault with times -1 never ends."""
    plan(api, {"operation": "GetId", "times": -1, "code": "InternalErrorException"})

    assert {api.post("GetId", {}).status for _ in range(5)} == {500}


def test_faults_of_sts_are_xml(api):
    """An STS error that was planned is answered in STS's XML."""
    plan(api, {"operation": "AssumeRoleWithWebIdentity", "code": "IDPCommunicationError"})

    answer = api.raw(body="Action=AssumeRoleWithWebIdentity&Version=2011-06-15")

    assert answer.status == 400
    assert b"<Code>IDPCommunicationError</Code>" in answer.body


def test_drop_before_and_after(api):
    """A dropped request is not answered; dropped after, it was done."""
    pool_id = api.emulator.create_pool()

    for drop, done in ((True, 0), ("after", 1)):
        plan(api, {"operation": "GetId", "drop": drop})
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            api.post("GetId", {"IdentityPoolId": pool_id})
        assert len(api.emulator.service.state.rows("SELECT 1 FROM identities")) == done


def test_delay_does_not_block_others(api):
    """While one request is delayed others are answered."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "GetId", "delay": 600})

    def wait():
        with pytest.raises(OSError):  # noqa: PT011 - the end of the test cuts it, somehow
            api.post("GetId", {"IdentityPoolId": pool_id})

    slow = threading.Thread(target=wait)
    slow.start()
    while not api.control("GET", "requests").json:
        pass

    assert api.post("GetId", {"IdentityPoolId": pool_id}).status == 200
    assert slow.is_alive()
    api.emulator.stop()
    slow.join()
    api.emulator.start()


def test_slow_drip(api):
    """A dripping answer is the genuine one, a byte at a time."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "GetId", "drip": 0.01})
    started = time.monotonic()

    answer = api.post("GetId", {"IdentityPoolId": pool_id})

    assert time.monotonic() - started > 0.3
    assert answer.json["IdentityId"].startswith("us-east-1:")


def test_huge_body(api):
    """A body of filler has the size asked for, without a length announced."""
    plan(api, {"operation": "GetId", "body_size": 3_000_000})

    answer = api.post("GetId", {})

    assert answer.status == 200
    assert "content-length" not in answer.headers
    assert len(answer.body) == 3_000_000


def test_client_that_leaves_a_drip(api):
    """A client that leaves in the middle of a dripping answer leaves nothing behind."""
    plan(api, {"operation": "GetId", "drip": 5, "body": "xx"})
    parts = urlsplit(api.emulator.url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port)) as wire:
        wire.request("POST", "/", "{}", {"X-Amz-Target": "X.GetId"})

    assert api.control("GET", "requests").status == 200


def test_redirect(api):
    """A redirect can be planned by status and headers."""
    plan(api, {"operation": "GetId", "status": 307, "headers": {"Location": "http://a.example/"}})

    answer = api.post("GetId", {})

    assert (answer.status, answer.headers["location"]) == (307, "http://a.example/")


def test_headers_on_a_genuine_answer(api):
    """Extra headers alone leave the answer genuine."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "GetId", "headers": {"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}})

    answer = api.post("GetId", {"IdentityPoolId": pool_id})

    assert answer.headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert "IdentityId" in answer.json


def test_credential_lifetime(api):
    """The lifetime of credentials can be set, for both flows."""
    api.control("PUT", "settings", {"credential_lifetime": 120})
    identity_id = get_id(api, api.emulator.create_pool())
    token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]

    enhanced = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    basic = api.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::123456789012:role/unauthenticated",
        RoleSessionName="session",
        WebIdentityToken=token,
    )["Credentials"]

    for keys in (enhanced, basic):
        assert keys["Expiration"].timestamp() - time.time() == pytest.approx(120, abs=5)


@pytest.mark.parametrize("seconds", [0, -60])
def test_credentials_that_have_expired_already(api, refused, seconds):
    """A lifetime of nothing or less gives credentials whose expiration is over, for clients to meet."""
    api.control("PUT", "settings", {"credential_lifetime": seconds})
    identity_id = get_id(api, api.emulator.create_pool())
    token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]

    enhanced = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    basic = api.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::123456789012:role/unauthenticated",
        RoleSessionName="session",
        WebIdentityToken=token,
    )["Credentials"]

    for keys in (enhanced, basic):
        assert keys["Expiration"].timestamp() <= time.time() + seconds
        assert refused(api.client("sts", keys).get_caller_identity)[0] == "ExpiredToken"
    api.control("PUT", "settings", {"credential_lifetime": None})
    later = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    assert later["Expiration"].timestamp() > time.time() + 3000


def test_clock_offset(api):
    """The clock moves the Date header, tokens and expirations together."""
    api.control("PUT", "settings", {"clock_offset": -7200})
    pool_id = api.oidc_pool()
    answer = api.post("GetId", {"IdentityPoolId": pool_id})
    identity_id = answer.json["IdentityId"]

    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]
    login = jwt.decode(api.emulator.login_token(OIDC), options={"verify_signature": False})

    past = time.time() - 7200
    assert parsedate_to_datetime(answer.headers["date"]).timestamp() == pytest.approx(past, abs=5)
    assert keys["Expiration"].timestamp() == pytest.approx(past + 3600, abs=5)
    assert jwt.decode(token, options={"verify_signature": False})["iat"] == pytest.approx(past, abs=5)
    assert login["iat"] == pytest.approx(past, abs=5)


@pytest.mark.conforms("GetId", mark="observed", source="1.3, 11")
def test_throttle(api):
    """With throttling on, GetId is refused over its quota of 25 a second, in the exact text."""
    pool_id = api.emulator.create_pool()
    api.control("PUT", "settings", {"throttle": True})

    answers = (api.post("GetId", {"IdentityPoolId": pool_id}) for _ in range(2000))
    refusal = next(answer for answer in answers if answer.status != 200)

    assert refusal.json == {"__type": "TooManyRequestsException", "message": "Rate exceeded"}
    assert api.control("GET", "requests").json["GetId"] > 25


@pytest.mark.conforms("ListIdentities", mark="docs", source="11")
def test_throttle_of_ones_own(api):
    """Quotas can be set by operation; what is not named is not throttled."""
    pool_id = api.emulator.create_pool()
    assert api.control("PUT", "settings", {"throttle": {"GetId": 0.001}}).status == 200

    statuses = [api.post("GetId", {"IdentityPoolId": pool_id}).status for _ in range(3)]

    assert statuses == [200, 400, 400]
    assert api.post("DescribeIdentityPool", {"IdentityPoolId": pool_id}, **SIGNED).status == 200
    api.control("PUT", "settings", {"throttle": False})
    assert api.post("GetId", {"IdentityPoolId": pool_id}).status == 200


def test_users_while_it_runs(api, refused):
    """Users are signed out, and given opaque tokens, while the emulator runs; a mistake changes nothing."""
    pool_id = api.emulator.create_pool(
        SupportedLoginProviders={"graph.facebook.com": "app"},
        CognitoIdentityProviders=[
            {"ProviderName": USER_POOL, "ClientId": "app", "ServerSideTokenCheck": True}
        ],
    )
    logins = api.login("ann", USER_POOL)
    assert get_id(api, pool_id, logins)

    users = [
        {"provider": USER_POOL, "subject": "ann", "signed_out": True},
        {"provider": "graph.facebook.com", "subject": "fb", "token": "opaque"},
    ]
    wrong = api.control("PUT", "users", [*users, {"provider": "x"}])
    assert (wrong.status, wrong.json) == (400, {"error": "users[3]: subject is missing; it is a text"})
    assert get_id(api, pool_id, logins)

    assert api.control("PUT", "users", users).status == 200
    assert refused(api.public.get_id, IdentityPoolId=pool_id, Logins=logins)[1] == "Token is inactive"
    facebook = get_id(api, pool_id, {"graph.facebook.com": "opaque"})
    api.emulator.set_user(USER_POOL, "ann")
    api.emulator.set_user("graph.facebook.com", "fb", token="another")
    assert get_id(api, pool_id, logins)
    assert get_id(api, pool_id, {"graph.facebook.com": "another"}) == facebook


def test_login_grace(api, refused):
    """The time that login tokens outlive their exp can be set."""
    pool_id = api.oidc_pool()
    logins = api.login(expires_in=-1)
    assert get_id(api, pool_id, logins)

    api.control("PUT", "settings", {"login_grace": 0})

    assert "Token expired" in refused(api.public.get_id, IdentityPoolId=pool_id, Logins=logins)[1]


def test_throttle_refills():
    """A quota is refilled as time passes, and no deeper than one second of it."""
    from cognito_credentials.emulator.throttle import Throttle

    now = [0.0]
    throttle = Throttle(lambda: now[0])

    assert [throttle.admits("ListIdentities") for _ in range(6)] == [True] * 5 + [False]
    now[0] = 0.2
    assert [throttle.admits("ListIdentities") for _ in range(2)] == [True, False]
    now[0] = 100
    assert [throttle.admits("ListIdentities") for _ in range(6)] == [True] * 5 + [False]
    assert throttle.admits("CreateIdentityPool")


def test_minted_secrets(api):
    """Every secret that was minted is listed, and the keys carry their markers."""
    pool_id = api.oidc_pool()
    logins = api.login()
    identity_id = get_id(api, pool_id, logins)
    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=logins)["Token"]
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)
    keys = keys["Credentials"]

    minted = api.emulator.minted_secrets()

    assert set(minted) >= {*logins.values(), token, keys["SecretKey"], keys["SessionToken"]}
    assert "CANARYsecret" in keys["SecretKey"]
    assert "CANARYtoken" in keys["SessionToken"]


def test_no_list_without_marker():
    """Without markers no list is kept, and asking for it is an error rather than an empty list."""
    from cognito_credentials.emulator import Emulator

    with Emulator() as plain, pytest.raises(RuntimeError, match="marker=True"):
        plain.minted_secrets()


def test_responses_are_valid_json(api):
    """Control answers are JSON with their type."""
    answer = api.control("GET", "requests")

    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {}


def test_other_origins_cannot_read_controls(api):
    """A web page of another origin may use the service, but not read what controls the emulator."""
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "x"}

    simple = api.raw("POST", "/_emulator/login-token", '{"provider": "p.example"}', origin)
    preflight = api.raw("OPTIONS", "/_emulator/faults", headers=origin)

    assert simple.status == 200
    assert preflight.status == 404
    for answer in (simple, preflight):
        assert "access-control-allow-origin" not in answer.headers
