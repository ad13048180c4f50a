"""The calls under /_emulator/: counts, reset, login tokens, faults, settings."""

from __future__ import annotations

import datetime as dt
import functools
import http.client
import json
import logging
import threading
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import jwt
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.model.members import ControlError

from ..conftest import GOOGLE, OIDC, ROLE, SIGNED, get_id

USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"


def plan(api, *faults):
    answer = api.control("PUT", "faults", list(faults))
    assert answer.status == 200, answer.body


def test_counts(api):
    """Requests are counted by operation, with failed and faulted ones, until a reset."""
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
    """A reset removes state, faults and settings. Issued credentials stay valid."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    api.control("PUT", "settings", {"clock_offset": 100, "time_passed": 5, "throttle": True, "delay": 0.01})
    plan(api, {"operation": "*", "times": -1, "status": 500})

    api.control("POST", "reset")

    assert refused(api.public.get_id, IdentityPoolId=pool_id)[0] == "ResourceNotFoundException"
    assert api.control("PUT", "settings", {}).json == {
        "credential_lifetime": None,
        "clock_offset": 0.0,
        "time_passed": 0.0,
        "throttle": False,
        "delay": 0.0,
        "login_grace": 300,
        "token_issuer": None,
    }
    assert api.client("sts", keys).get_caller_identity()["Account"] == "123456789012"


def test_login_token(api):
    """A login token has the given members, and verifies with the test issuer's keys."""
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


SAML_ARN = "arn:aws:iam::123456789012:saml-provider/corp"
TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}'
MISTAKES = {
    ("POST", "login-token"): [
        ("{}", "provider is missing; it is a key of Logins"),
        ('{"provider": "p", "x": 1}', "unknown member x; there are: provider, audience, subject, "),
        ("[]", "expected a JSON object; there are: provider, "),
        ("null", "expected a JSON object; there are: provider, "),
        ('{"provider": null}', "provider: expected a key of Logins, e.g. accounts.google.com, not null"),
        ('{"provider": "p", "subject": ""}', "subject: expected a text that is not empty"),
        ('{"provider": "p", "audience": {}}', "audience: expected a text, a list of texts, or null, not {}"),
        ('{"provider": "p", "expires_in": NaN}', "expires_in: expected a finite number, not nan"),
        ('{"provider": "p", "expires_in": 1e400}', "expires_in: expected a finite number, not inf"),
        (
            '{"provider": "p", "expires_in": -1e10}',
            "expires_in: expected a number of seconds, -1000000000 to 1000000000",
        ),
        ('{"provider": "p", "claims": []}', "claims: expected an object, or null, not []"),
        ('{"provider": "p", "claims": {"a": [1, Infinity]}}', "claims.a[1]: expected a finite number"),
        ('{"provider": "p", "claims": {"a": "\\ud800"}}', "claims.a: expected whole characters"),
        ('{"provider": "p", "claims": {"\\ud800": 1}}', "claims: a name in it has a lone surrogate"),
        (
            '{"provider": "p", "claims": {"a": ' + "[" * 900 + "]" * 900 + "}}",
            "nested deeper than 100 levels",
        ),
        ("[" * 100_000, "nest"),
        ("{", "the body is not JSON: "),
        ("\udcff", "the body is not UTF-8"),
        ('{"provider": 1' + "0" * 5000 + "}", "the body is not JSON: "),
    ],
    ("POST", "saml-response"): [
        ("{}", "provider is missing; it is the ARN of a SAML provider"),
        ('{"provider": "login.example.com"}', "provider: expected the ARN of a SAML provider"),
        (
            f'{{"provider": "{SAML_ARN}", "subject": "\\u0000"}}',
            "subject: expected a text that is not empty, of",
        ),
        (f'{{"provider": "{SAML_ARN}", "roles": "r"}}', "roles: expected a list of role ARNs"),
        (
            f'{{"provider": "{SAML_ARN}", "attributes": {{"a": "b"}}}}',
            "attributes: expected an object of lists",
        ),
        (f'{{"provider": "{SAML_ARN}", "expires_in": true}}', "expires_in: expected a number of seconds"),
    ],
    ("POST", "allowed"): [
        ("{}", "access_key_id is missing"),
        ('{"access_key_id": "A", "action": ["x"]}', "action: expected an action, e.g. s3:GetObject"),
        ('{"access_key_id": "A", "action": "x"}', "access_key_id: expected one that was given out since"),
        ('{"access_key_id": "A", "action": "x", "resource": 5}', "resource: expected an ARN, or *, not 5"),
    ],
    ("POST", "whose-key"): [
        ("{}", "access_key_id is missing; it is a text that is not empty"),
        (
            '{"access_key_id": "A"}',
            "access_key_id: expected one that was given out since the start, and lately",
        ),
        ('{"access_key_id": "A", "session_token": "B"}', "session_token: expected the one that came with"),
        ('{"access_key_id": "A", "x": 1}', "unknown member x; there are: access_key_id, session_token"),
    ],
    ("PUT", "roles"): [
        ("{}", "roles: expected a list"),
        ('[{"arn": "x", "trust_policy": {}}]', "roles[0].arn: 'x' is not the ARN of a role"),
        (f'[{{"arn": "{ROLE}r"}}]', "roles[0].trust_policy: expected a policy with a Statement"),
        (
            f'[{{"arn": "{ROLE}r", "trust_policy": {TRUST}, "max_session_seconds": 60}}]',
            "roles[0].max_session_seconds: expected 3600 to 43200",
        ),
        (f'[{{"arn": "{ROLE}r", "trust_policy": {TRUST}}}, 5]', "roles[1]: expected a table"),
        (
            f'[{{"arn": "{ROLE}r", "trust_policy": {TRUST}, "x": 1}}]',
            "roles[0].x: unknown member; there are: arn",
        ),
    ],
    ("POST", "reset"): [
        ("[1]", "expected a JSON object"),
        ('{"all": 1}', "unknown member all; there are: none"),
    ],
    ("GET", "requests"): [
        ("x", "the body is not JSON"),
        ('{"all": 1}', "unknown member all; there are: none"),
    ],
    ("PUT", "users"): [
        ("{}", "users: expected a list"),
        ("[5]", "users[0]: expected "),
        (
            '[{"provider": "p", "subject": "s", "claims": {"a": NaN}}]',
            "[0].claims.a: expected a finite number",
        ),
        ('[{"provider": "p", "subject": "\\ud800"}]', "[0].subject: expected whole characters"),
    ],
    ("PUT", "settings"): [
        ('{"delay": "1h"}', 'delay: expected a number of seconds, 0 to 1000000000, not "1h"'),
        ('{"throttle": 1}', "throttle: expected true, false, or requests a second by operation, not 1"),
        ('{"throttle": {"GetIdd": 1}}', "throttle: no operation GetIdd; did you mean GetId?"),
        ('{"throttle": {"GetId": 0}}', "throttle.GetId: expected requests a second, 0.001 to 1000000, not 0"),
        ('{"clock_offset": "x"}', "clock_offset: expected a number of seconds, -1000000000 to 1000000000"),
        ('{"clock_offset": 1e300}', "clock_offset: expected a number of seconds, -1000000000 to 1000000000"),
        ('{"delay": -1}', "delay: expected a number of seconds, 0 to 1000000000, not -1"),
        ('{"delay": true}', "delay: expected a number of seconds, 0 to 1000000000, not true"),
        ('{"login_grace": -1}', "login_grace: expected a number of seconds, 0 to "),
        ('{"credential_lifetime": 0.5}', "credential_lifetime: expected null, or whole seconds"),
        ('{"token_issuer": "a.example"}', "token_issuer: expected null, or an address like http://"),
        ('{"token_issuer": "https://a b"}', "token_issuer: expected null, or an address like http://"),
        ('{"colour": 1}', "unknown member colour; there are: credential_lifetime, "),
    ],
    ("PUT", "faults"): [
        ("{}", "faults: expected a list"),
        ('[{"operation": "*"}, {}]', "faults[1]: operation is missing"),
        ("[null]", "faults[0]: expected a JSON object; there are: operation, "),
        ('[{"operation": "GetIdd"}]', "faults[0].operation: no operation GetIdd; did you mean GetId?"),
        ('[{"operation": "GETID"}]', "faults[0].operation: no operation GETID; did you mean GetId?"),
        (
            '[{"operation": "Fly"}]',
            "faults[0].operation: no operation Fly; GET /_emulator/operations lists them",
        ),
    ],
}
FAULT_MISTAKES = [
    ('"status": 99', "faults[0].status: expected an HTTP status, 200 to 599, not 99"),
    ('"status": true', "faults[0].status: expected an HTTP status"),
    ('"status": 204, "body": "x"', "faults[0].body: an answer with status 204 has no body"),
    ('"drop": "x"', 'faults[0].drop: expected true, false or "after"'),
    ('"wait": 1', "faults[0]: unknown member wait; there are: operation, times, "),
    ('"delay": "1"', "faults[0].delay: expected a number of seconds"),
    ('"delay": -1', "faults[0].delay: expected a number of seconds, 0 to 1000000000, not -1"),
    ('"drip": -1', "faults[0].drip: expected a number of seconds, 0 to 1000000000, not -1"),
    ('"times": null', "faults[0].times: expected a whole number of 0 or more, or -1 for ever, not null"),
    ('"code": null, "message": "x"', "faults[0].message: it needs a code beside it"),
    ('"times": -2', "faults[0].times: expected a whole number of 0 or more, or -1 for ever"),
    ('"body_size": -1', "faults[0].body_size: expected bytes, 0 to 1073741824, not -1"),
    ('"code": "a\\nb"', "faults[0].code: expected an error code in ASCII, without spaces"),
    ('"code": "\u20ac"', "faults[0].code: expected an error code in ASCII, without spaces"),
    ('"message": "x"', "faults[0].message: it needs a code beside it"),
    ('"code": "X", "body": "x"', "faults[0]: code and body exclude each other"),
    ('"headers": {"a": 5}', "faults[0].headers: expected header names with a line of Latin-1 text each"),
    ('"headers": {"a b": "c"}', "faults[0].headers: expected header names"),
    ('"headers": {"a": "b\\r\\nc: d"}', "faults[0].headers: expected header names"),
    ('"headers": {"a": "\u20ac"}', "faults[0].headers: expected header names"),
    ('"headers": {"content-length": "5"}', "but not Content-Length or Transfer-Encoding"),
    ('"headers": {"Transfer-Encoding": "chunked"}', "but not Content-Length or Transfer-Encoding"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [(*call, *mistake) for call, mistakes in MISTAKES.items() for mistake in mistakes]
    + [("PUT", "faults", f'[{{"operation": "*", {body}}}]', error) for body, error in FAULT_MISTAKES],
)
def test_bad_control_calls(api, method, path, body, error):
    """The error for a wrong control call names the member and its valid values. Nothing is changed."""
    pool_id = api.emulator.create_pool()
    before = api.control("PUT", "settings", {}).json

    answer = api.raw(method, f"/_emulator/{path}", body.encode(errors="surrogateescape"))

    assert (answer.status, list(answer.json)) == (400, ["error"])
    assert error in answer.json["error"]
    assert len(answer.json["error"]) < 2000
    assert api.control("PUT", "settings", {}).json == before
    assert api.post("GetId", {"IdentityPoolId": pool_id}).status == 200


def test_huge_control_calls(api):
    """A control call over a megabyte is refused in the emulator's own JSON."""
    answer = api.raw("PUT", "/_emulator/faults", b" " * 1_100_000)

    assert (answer.status, list(answer.json)) == (413, ["error"])


@pytest.mark.parametrize("path", ["/status", "", "/", "/requests/", "/../requests"])
def test_unknown_control_call(api, path):
    """The error for a control call that does not exist lists all calls."""
    answer = api.raw("GET", f"/_emulator{path}")

    assert answer.status == 404
    assert "PUT faults" in answer.json["error"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_control_calls_by_another_method(api, method):
    """The error for a control call with a wrong method names the right one."""
    for path in {path for _, path in MISTAKES}:
        both = path in ("faults", "settings", "users", "roles")
        methods = ["GET", "PUT"] if both else [w for w, p in MISTAKES if p == path]
        if method in methods:
            continue
        answer = api.raw(method, f"/_emulator/{path}")

        assert (answer.status, answer.headers["allow"]) == (405, ", ".join(methods))
        assert answer.json == {"error": f"{path}: the method is {' or '.join(methods)}"}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 204},
        {"status": 304},
        {"status": 599, "headers": {"content-type": "text/plain", "DATE": "x", "X-Empty": ""}},
        {"code": "com.example#Odd:Code", "message": "\n\x00\x1b é \u20ac"},
        {"body": "é", "headers": {"Connection": "close", "X-Latin": "é"}},
        {"body_size": 0},
        {"drip": 0.001, "status": 204},
        {"times": 0},
    ],
)
def test_odd_faults(api, caplog, fault):
    """Odd but valid faults are sent as planned, each header once, and nothing breaks."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "*", **fault})
    parts = urlsplit(api.emulator.url)

    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)) as wire:
        wire.request(
            "POST",
            "/",
            json.dumps({"IdentityPoolId": pool_id}),
            {"X-Amz-Target": "AWSCognitoIdentityService.GetId"},
        )
        answer = wire.getresponse()
        answer.read()

    assert answer.status == fault.get("status", 400 if "code" in fault else 200)
    for name, value in fault.get("headers", {}).items():
        assert answer.headers[name] == value
    names = [name.lower() for name in answer.headers]
    assert len(names) == len(set(names))
    assert api.post("GetId", {"IdentityPoolId": pool_id}).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_same_checks_in_python(emulator):
    """The methods of Emulator refuse the same values as the control calls."""
    for wrong in (
        lambda: emulator.move_clock(float("nan")),
        lambda: emulator.move_clock(10**12),
        lambda: emulator.plan_faults({"operation": "GetId", "delay": float("inf")}),
        lambda: emulator.login_token("p", expires_in=float("nan")),
        lambda: emulator.login_token("\ud800"),
        lambda: emulator.saml_response(SAML_ARN, roles="role"),
        lambda: emulator.allowed("", "s3:GetObject"),
        lambda: emulator.move_clock("1"),
        lambda: emulator.create_pool(roles=["a"]),
        lambda: emulator.create_pool(role_mappings=["a"]),
        lambda: emulator.create_pool(IdentityPoolTags={"a": {1}}),
        lambda: emulator.set_user("graph.facebook.com", "s", claims=[1]),
        lambda: emulator.set_user("graph.facebook.com", "s", claims={"x": {1}}),
        lambda: emulator.set_user("graph.facebook.com", "s", token="\ud800"),
    ):
        with pytest.raises(ControlError, match="expected "):
            wrong()

    assert abs(emulator.service.clock.now() - time.time()) < 5


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ([1], r"claims: expected an object, or null, not \[1\]"),
        ({"x": {1}}, "claims: expected what JSON can hold: Object of type set is not"),
        (
            {"exp": dt.datetime.now(dt.timezone.utc)},
            "claims: expected what JSON can hold: Object of type datetime",
        ),
        ({("a",): 1}, "claims: expected what JSON can hold: keys must be"),
        ({"x": float("nan")}, r"claims\.x: expected a finite number, not nan"),
        ({"x": [float("inf")]}, r"claims\.x\[0\]: expected a finite number, not inf"),
        ({"x": ("\ud800",)}, r"claims\.x\[0\]: expected whole characters"),
        ({"x": functools.reduce(lambda inner, _: [inner], range(5000), 0)}, "nest"),
    ],
)
def test_claims_that_no_token_has(emulator, claims, why):
    """Claims from Python that JSON cannot represent are refused."""
    with pytest.raises(ControlError, match=why):
        emulator.login_token("p", claims=claims)


def test_reset_without_what_the_seed_names(tmp_path, emulator_keys):
    """A reset with a seed that has become wrong reports the reason and changes nothing."""
    key = emulator_keys.jwk("p.example", "k", "RS256")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key]}))
    seed = tmp_path / "pools.toml"
    seed.write_text('[[issuers]]\nprovider = "p.example"\njwks_file = "keys.json"\n')
    with Emulator(seed=seed, keys=emulator_keys) as emulator:
        pool_id = emulator.create_pool()
        (tmp_path / "keys.json").unlink()

        with pytest.raises(ControlError, match=r"issuers\[1\]\.jwks_file: keys\.json: No such file"):
            emulator.reset()

        assert emulator.service.state.row("SELECT id FROM pools")["id"] == pool_id


def test_documented_defaults(api):
    """A member whose default is null may be sent as null."""
    fault = dict.fromkeys(["code", "status", "body", "drop", "body_size"])
    plan(api, {"operation": "GetId", **fault, "delay": 0.001})
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    question = {"access_key_id": keys["AccessKeyId"], "action": "s3:GetObject"}
    token = {"provider": GOOGLE, "subject": None, "expires_in": None, "claims": None}

    allowed = api.control("POST", "allowed", {**question, "session_token": None, "resource": None})
    answer = api.control("POST", "login-token", token)

    assert allowed.json["allowed"]
    claims = jwt.decode(answer.json["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("user", 3600)
    assert api.emulator.planned_faults() == []


def test_faults_in_order(api):
    """Faults are used up in order, each for its operation and its number of times."""
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
    """A fault with times -1 is never used up."""
    plan(api, {"operation": "GetId", "times": -1, "code": "InternalErrorException"})

    assert {api.post("GetId", {}).status for _ in range(5)} == {500}


def test_faults_of_sts_are_xml(api):
    """A planned error of STS is answered in STS's XML."""
    plan(api, {"operation": "AssumeRoleWithWebIdentity", "code": "IDPCommunicationError"})

    answer = api.raw(body="Action=AssumeRoleWithWebIdentity&Version=2011-06-15")

    assert answer.status == 400
    assert b"<Code>IDPCommunicationError</Code>" in answer.body


def test_drop_before_and_after(api):
    """A dropped request gets no answer. With "after" the operation is done."""
    pool_id = api.emulator.create_pool()

    for drop, done in ((True, 0), ("after", 1)):
        plan(api, {"operation": "GetId", "drop": drop})
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            api.post("GetId", {"IdentityPoolId": pool_id})
        assert len(api.emulator.service.state.rows("SELECT 1 FROM identities")) == done


def test_delay_does_not_block_others(api):
    """While one request is delayed, others are answered."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "GetId", "delay": 600})

    def wait():
        with pytest.raises(OSError):  # noqa: PT011  (the error depends on the moment at which the connection is cut)
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
    """A dripping answer is the usual answer, sent byte by byte."""
    pool_id = api.emulator.create_pool()
    plan(api, {"operation": "GetId", "drip": 0.01})
    started = time.monotonic()

    answer = api.post("GetId", {"IdentityPoolId": pool_id})

    assert time.monotonic() - started > 0.3
    assert answer.json["IdentityId"].startswith("us-east-1:")


def test_huge_body(api):
    """A body of filler has the planned size, and no Content-Length."""
    plan(api, {"operation": "GetId", "body_size": 3_000_000})

    answer = api.post("GetId", {})

    assert answer.status == 200
    assert "content-length" not in answer.headers
    assert len(answer.body) == 3_000_000


def test_client_that_leaves_a_drip(api):
    """When a client disconnects in the middle of a dripping answer, the answer ends."""
    plan(api, {"operation": "GetId", "drip": 5, "body": "xx"})
    parts = urlsplit(api.emulator.url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port)) as wire:
        wire.request("POST", "/", "{}", {"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert api.control("GET", "requests").status == 200


def test_redirect(api):
    """A redirect can be planned by status and headers."""
    plan(api, {"operation": "GetId", "status": 307, "headers": {"Location": "http://a.example/"}})

    answer = api.post("GetId", {})

    assert (answer.status, answer.headers["location"]) == (307, "http://a.example/")


def test_headers_on_a_genuine_answer(api):
    """A fault with headers alone changes only the headers of the usual answer."""
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
    """With a lifetime of 0 or less, issued credentials have expired already."""
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


def test_throttle(api):
    """With throttling on, GetId is refused over its quota of 25 a second, in the exact text."""
    pool_id = api.emulator.create_pool()
    api.control("PUT", "settings", {"throttle": True})

    answers = (api.post("GetId", {"IdentityPoolId": pool_id}) for _ in range(2000))
    refusal = next(answer for answer in answers if answer.status != 200)

    assert refusal.json == {"__type": "TooManyRequestsException", "message": "Rate exceeded"}
    assert api.control("GET", "requests").json["GetId"] > 25


def test_throttle_of_ones_own(api):
    """Quotas can be set by operation. Other operations are not throttled."""
    pool_id = api.emulator.create_pool()
    assert api.control("PUT", "settings", {"throttle": {"GetId": 0.001}}).status == 200

    statuses = [api.post("GetId", {"IdentityPoolId": pool_id}).status for _ in range(3)]

    assert statuses == [200, 400, 400]
    assert api.post("DescribeIdentityPool", {"IdentityPoolId": pool_id}, **SIGNED).status == 200
    api.control("PUT", "settings", {"throttle": False})
    assert api.post("GetId", {"IdentityPoolId": pool_id}).status == 200


def test_quotas_start_anew(api):
    """Setting quotas, also after a reset, clears earlier counts."""
    for _ in range(2):
        pool_id = api.emulator.create_pool()
        api.control("PUT", "settings", {"throttle": {"GetId": 0.001}})

        statuses = [api.post("GetId", {"IdentityPoolId": pool_id}).status for _ in range(2)]

        assert statuses == [200, 400]
        api.control("POST", "reset")


def test_users_while_it_runs(api, refused):
    """Users can be signed out and get opaque tokens while the emulator runs. A mistake changes nothing."""
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
    assert (wrong.status, wrong.json) == (400, {"error": "users[2]: subject is missing; it is a text"})
    assert get_id(api, pool_id, logins)

    assert api.control("PUT", "users", users).status == 200
    assert refused(api.public.get_id, IdentityPoolId=pool_id, Logins=logins)[1] == "Token is inactive"
    facebook = get_id(api, pool_id, {"graph.facebook.com": "opaque"})
    api.emulator.set_user(USER_POOL, "ann")
    api.emulator.set_user("graph.facebook.com", "fb", token="another")
    assert get_id(api, pool_id, logins)
    assert get_id(api, pool_id, {"graph.facebook.com": "another"}) == facebook


def test_login_grace(api, refused):
    """The time for which expired login tokens are accepted can be set."""
    pool_id = api.oidc_pool()
    logins = api.login(expires_in=-1)
    assert get_id(api, pool_id, logins)

    api.control("PUT", "settings", {"login_grace": 0})

    assert "Token expired" in refused(api.public.get_id, IdentityPoolId=pool_id, Logins=logins)[1]


def test_throttle_of_a_region(api):
    """A quota holds for all pools of one region together, and for each region alone."""
    there = api.client(
        "cognito-identity",
        {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"},
        region_name="eu-west-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    pools = [api.emulator.create_pool(), api.emulator.create_pool()]
    other = there.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)[
        "IdentityPoolId"
    ]
    api.control(
        "PUT", "settings", {"throttle": {"GetId": 0.001, "GetOpenIdToken": 0.001, "ListIdentityPools": 0.001}}
    )

    guests = [
        api.post("GetId", {"IdentityPoolId": pool_id}) for pool_id in (pools[0], other, pools[1], other)
    ]
    assert [guest.status for guest in guests] == [200, 200, 400, 400]

    ids = [guests[0].json["IdentityId"], guests[1].json["IdentityId"]]
    tokens = [api.post("GetOpenIdToken", {"IdentityId": one}) for one in (*ids, *ids)]
    assert [token.status for token in tokens] == [200, 200, 400, 400]

    assert api.developer.list_identity_pools(MaxResults=1)
    assert there.list_identity_pools(MaxResults=1)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        there.list_identity_pools(MaxResults=1)


def test_throttle_of_what_names_no_region(api):
    """Calls that name no pool have quotas, too."""
    api.control("PUT", "settings", {"throttle": {"GetId": 0.001, "GetCallerIdentity": 0.001}})

    broken = [api.post("GetId", body).json["__type"] for body in ([], {"IdentityPoolId": 5})]
    signed = {**SIGNED, "Authorization": SIGNED["Authorization"].replace("/us-east-1", "")}
    forms = [api.raw(body="Action=GetCallerIdentity&Version=2011-06-15", headers=signed) for _ in range(2)]

    assert broken == ["SerializationException", "TooManyRequestsException"]
    assert b"<Code>TooManyRequestsException</Code>" in forms[1].body


def test_throttle_refills():
    """A quota is refilled with time, up to the quota of one second."""
    from cognito_credentials.emulator.wire.throttle import Throttle

    now = [0.0]
    throttle = Throttle(lambda: now[0])

    assert [throttle.admits("ListIdentities", "us-east-1") for _ in range(6)] == [True] * 5 + [False]
    now[0] = 0.2
    assert [throttle.admits("ListIdentities", "us-east-1") for _ in range(2)] == [True, False]
    now[0] = 100
    assert [throttle.admits("ListIdentities", "us-east-1") for _ in range(6)] == [True] * 5 + [False]
    assert throttle.admits("CreateIdentityPool", "us-east-1")


def test_minted_secrets(api):
    """Every issued secret is listed, and contains its marker."""
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
    """Without markers no list is kept, and reading it is an error."""
    with Emulator() as plain, pytest.raises(RuntimeError, match="marker=True"):
        plain.minted_secrets()


def test_responses_are_valid_json(api):
    """Answers of control calls are JSON, with its content type."""
    answer = api.control("GET", "requests")

    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://[::1", 403),
        ("", 403),
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
        ("http://[::1]:8000", 200),
    ],
)
def test_pages_that_may_control(api, origin, status):
    """Only web pages of this machine may control the emulator: others could delete the state."""
    pool_id = api.emulator.create_pool()

    answer = api.raw("POST", "/_emulator/reset", "{}", {"Origin": origin, "Content-Type": "text/plain"})

    assert answer.status == status
    assert (api.post("GetId", {"IdentityPoolId": pool_id}).status == 200) == (status == 403)


def test_other_origins_cannot_read_controls(api):
    """A web page of another origin may call the service, but not read answers of control calls."""
    origin = {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "x"}

    simple = api.raw("POST", "/_emulator/login-token", '{"provider": "p.example"}', origin)
    preflight = api.raw("OPTIONS", "/_emulator/faults", headers=origin)

    assert simple.status == 200
    assert preflight.status == 405
    for answer in (simple, preflight):
        assert "access-control-allow-origin" not in answer.headers


def test_roles_at_run_time(api, refused):
    """A role is described while the emulator runs, again and again. A wrong list changes nothing."""
    pool_id = api.emulator.create_pool(roles={"unauthenticated": ROLE + "guest"})
    guest = get_id(api, pool_id)

    def trusting(pool):
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool}},
        }
        return {
            "arn": ROLE + "guest",
            "trust_policy": {"Statement": [statement]},
            "max_session_seconds": 7200,
        }

    def may():
        return api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]

    assert api.control("PUT", "roles", [trusting("us-east-1:0")]).json == {}
    assert refused(may)[0] == "InvalidIdentityPoolConfigurationException"
    assert api.control("PUT", "roles", [trusting(pool_id)]).json == {}
    assert may()
    assert api.control("PUT", "roles", [trusting("us-east-1:0"), {"arn": "x"}]).status == 400
    assert may()
    api.emulator.set_role(ROLE + "guest", json.dumps(trusting("us-east-1:0")["trust_policy"]))
    assert refused(may)[0] == "InvalidIdentityPoolConfigurationException"
    with pytest.raises(ControlError, match="trust_policy: Statement 1: it trusts every identity pool"):
        api.emulator.set_role(
            ROLE + "guest", {"Statement": {**trusting("")["trust_policy"]["Statement"][0], "Condition": {}}}
        )


USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"


def whose(api, keys):
    return api.control("POST", "whose-key", {"access_key_id": keys["AccessKeyId"]}).json


def test_whose_key(api):
    """A user's key leads to the identity and its pool, and to the provider as API Gateway shows it."""
    pool_id = api.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}], DeveloperProviderName="dev"
    )
    logins = api.login("4f1c", USER_POOL)
    identity_id = get_id(api, pool_id, logins)
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]

    owner = whose(api, keys)

    amr = ["authenticated", USER_POOL, f"{USER_POOL}:CognitoSignIn:4f1c"]
    assert owner == {
        "arn": "arn:aws:sts::123456789012:assumed-role/authenticated/CognitoIdentityCredentials",
        "account": "123456789012",
        "role_arn": ROLE + "authenticated",
        "expires_at": int(keys["Expiration"].timestamp()),
        "identity_id": identity_id,
        "identity_pool_id": pool_id,
        "amr": amr,
        "authentication_type": "authenticated",
        "authentication_provider": f"{USER_POOL},{USER_POOL}:CognitoSignIn:4f1c",
        "tags": {},
        "source_identity": None,
        "assumed_by": None,
    }
    api.emulator.service.mint._recent.clear()
    assert api.control("POST", "whose-key", {"access_key_id": keys["AccessKeyId"]}).status == 400
    token = {"access_key_id": keys["AccessKeyId"], "session_token": keys["SessionToken"]}
    assert api.control("POST", "whose-key", token).json == owner
    found = api.emulator.whose_key(keys["AccessKeyId"], session_token=keys["SessionToken"])
    assert (found.identity_id, list(found.amr)) == (identity_id, amr)


def test_whose_key_of_a_guest_in_both_flows(api):
    """A guest is unauthenticated, without a provider, in the enhanced and in the basic flow."""
    pool_id = api.emulator.create_pool()
    guest = get_id(api, pool_id)
    token = api.public.get_open_id_token(IdentityId=guest)["Token"]
    basic = api.client("sts").assume_role_with_web_identity(
        RoleArn=ROLE + "unauthenticated", RoleSessionName="session", WebIdentityToken=token
    )
    enhanced = api.public.get_credentials_for_identity(IdentityId=guest)

    for keys in (enhanced["Credentials"], basic["Credentials"]):
        owner = whose(api, keys)
        assert (owner["identity_id"], owner["identity_pool_id"]) == (guest, pool_id)
        assert (owner["amr"], owner["authentication_type"]) == (["unauthenticated"], "unauthenticated")
        assert owner["authentication_provider"] is None


def test_whose_key_in_a_chain(api):
    """A key of AssumeRole leads to the caller, and to the identity that began the chain."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login())
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=api.login())["Credentials"]
    for name in ("first", "second"):
        sts = api.client("sts", keys)
        answer = sts.assume_role(
            RoleArn=ROLE + name,
            RoleSessionName="session",
            Tags=[{"Key": "team", "Value": "a"}] if name == "second" else [],
            SourceIdentity="ann",
        )
        keys = answer["Credentials"]

    owner = whose(api, keys)

    assert owner["arn"] == "arn:aws:sts::123456789012:assumed-role/second/session"
    assert (owner["identity_id"], owner["authentication_type"], owner["amr"]) == (None, None, [])
    assert (owner["tags"], owner["source_identity"]) == ({"team": "a"}, "ann")
    assert owner["assumed_by"] == {
        "arn": "arn:aws:sts::123456789012:assumed-role/first/session",
        "identity_id": identity_id,
        "identity_pool_id": pool_id,
    }


def test_whose_key_of_a_developer(api):
    """A key of GetSessionToken is the developer's."""
    sts = api.client("sts", {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"})

    owner = whose(api, sts.get_session_token()["Credentials"])

    assert (owner["arn"], owner["role_arn"]) == ("arn:aws:iam::123456789012:user/developer", None)
    assert (owner["identity_id"], owner["assumed_by"]) == (None, None)
