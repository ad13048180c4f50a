"""Signatures of issued keys are verified. Other keys are the developer's, unless authentication is strict."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ..conftest import SIGNED, get_id

DEVELOPER = {"AccessKeyId": "test", "SecretAccessKey": "test"}
INVALID = "The security token included in the request is invalid."
BODY = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture
def keys(api):
    """The credentials of a guest."""
    identity_id = get_id(api, api.emulator.create_pool())
    return api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]


@pytest.fixture
def who(api):
    """A function that calls GetCallerIdentity with some credentials."""

    def call(keys, **changes):
        return api.client("sts", {**keys, **changes}).get_caller_identity()

    return call


def signed_headers(api, keys, service="sts", signer=SigV4Auth, body=BODY, **headers):
    """The headers of a request that botocore signs, by default of GetCallerIdentity."""
    request = AWSRequest("POST", api.emulator.url + "/", data=body.encode())
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    signer(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers)


def signer_with_clock(seconds, kind=SigV4Auth, **options):
    """botocore's signer on a machine whose clock is *seconds* ahead."""

    class Signer(kind):
        def add_auth(self, request):
            moment = time.gmtime(time.time() + seconds)
            request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", moment)
            self._modify_request_before_signing(request)
            text = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(text, request))

    return lambda *arguments: Signer(*arguments, **options)


def test_developer(who):
    """A key that the emulator did not issue is the account's developer."""
    caller = who({"AccessKeyId": "AKIA0123456789ABCDEF", "SecretAccessKey": "any"})

    assert caller["Account"] == "123456789012"
    assert caller["Arn"].startswith("arn:aws:iam::123456789012:")


def test_wrong_secret(who, refused, keys):
    """A signature with another secret is refused."""
    code, _, status = refused(who, keys=keys, SecretKey="x" * 40)

    assert (code, status) == ("SignatureDoesNotMatch", 403)


def test_wrong_or_missing_token(who, refused, keys):
    """An issued key needs the session token that was issued with it."""
    token = keys["SessionToken"]
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]

    for wrong in (None, "junk", changed):
        assert refused(who, keys=keys, SessionToken=wrong) == ("InvalidClientTokenId", INVALID, 403)


def test_token_of_other_keys(api, who, refused, keys):
    """The session token of one key is refused with another key."""
    identity_id = get_id(api, api.emulator.create_pool())
    other = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]

    assert refused(who, keys=keys, SessionToken=other["SessionToken"])[0] == "InvalidClientTokenId"


def test_expired(api, who, refused, keys):
    """Credentials expire by the emulator's clock."""
    api.emulator.move_clock(3590)
    assert who(keys)
    api.emulator.move_clock(10)

    assert refused(who, keys=keys) == (
        "ExpiredToken",
        "The security token included in the request is expired",
        403,
    )


@pytest.mark.parametrize(("offset", "text"), [(400, "expired"), (-400, "not yet current")])
def test_clock_window(api, keys, offset, text):
    """A signature that is five minutes off the server's clock is refused, and one of four minutes is not."""
    near = signed_headers(api, keys, signer=signer_with_clock(-offset * 0.6))
    far = signed_headers(api, keys, signer=signer_with_clock(-offset))

    good, bad = (api.raw(body=BODY, headers=headers) for headers in (near, far))

    assert (good.status, bad.status) == (200, 403)
    assert f"<Code>SignatureDoesNotMatch</Code><Message>Signature {text}: ".encode() in bad.body


@pytest.mark.parametrize(
    ("moved", "client", "status"),
    [
        (1800, 0, 200),
        (1800, 1800, 200),
        (1800, 2040, 200),
        (1800, 2200, 403),
        (1800, 900, 403),
        (1800, -400, 403),
        (-1800, 0, 200),
        (-1800, -1800, 200),
        (-1800, -900, 403),
        (-1800, 400, 403),
        (3700, 0, 403),
    ],
)
def test_clock_that_a_test_moved(api, keys, moved, client, status):
    """Clients on this machine need not follow time_passed. A client with a wrong clock is refused."""
    api.emulator.move_clock(moved)
    headers = signed_headers(api, keys, signer=signer_with_clock(client))

    answer = api.raw(body=BODY, headers=headers)

    assert answer.status == status
    assert (b"<Code>ExpiredToken</Code>" in answer.body) == (moved == 3700)


@pytest.mark.parametrize("offset", [1800, -1800])
def test_clock_that_differs(api, keys, offset):
    """With clock_offset a client must sign with the service's time, whatever time_passed is."""
    api.control("PUT", "settings", {"clock_offset": offset, "time_passed": 600})
    answers = [
        api.raw(body=BODY, headers=signed_headers(api, keys, signer=signer_with_clock(client)))
        for client in (0, offset, offset + 600)
    ]

    assert [answer.status for answer in answers] == [403, 200, 200]


@pytest.mark.parametrize(
    ("moved", "client", "status"),
    [(0, -30, 200), (0, -90, 403), (0, 240, 200), (0, 400, 403), (-1800, 0, 200), (120, 0, 403)],
)
def test_time_of_a_presigned_url(api, keys, moved, client, status):
    """A presigned URL becomes valid by the client's clock, and expires by the emulator's."""
    api.emulator.move_clock(moved)
    request = AWSRequest("GET", f"{api.emulator.url}/?{BODY}")
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    signer_with_clock(client, SigV4QueryAuth, expires=60)(credentials, "sts", "us-east-1").add_auth(request)

    assert api.raw("GET", request.url.removeprefix(api.emulator.url)).status == status


def test_changed_request(api, keys):
    """A signature covers the body: with another body it is refused."""
    headers = signed_headers(api, keys)

    good = api.raw(body=BODY, headers=headers)
    bad = api.raw(body=BODY + "&a=b", headers=headers)

    assert good.status == 200
    assert bad.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in bad.body


@pytest.mark.parametrize("host", ["[", "[::1", "]"])
def test_host_that_is_none(api, keys, host):
    """A malformed Host header is refused as a wrong signature."""
    answer = api.raw(body=BODY, headers={**signed_headers(api, keys), "Host": host})

    assert answer.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body


def test_presigned_url(api, keys):
    """A presigned GET is valid until its own expiry."""
    query = "Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", f"{api.emulator.url}/?{query}")
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    path = request.url.removeprefix(api.emulator.url)

    good = api.raw("GET", path)
    forged = api.raw("GET", path[:-2] + "00" if not path.endswith("00") else path[:-2] + "11")
    api.emulator.move_clock(120)
    late = api.raw("GET", path)

    assert good.status == 200
    assert b"unauthenticated/CognitoIdentityCredentials" in good.body
    assert forged.status == 403
    assert late.status == 403


def test_presigned_url_without_signature(api, keys):
    """A presigned URL with an empty signature and a malformed host is refused."""
    request = AWSRequest("GET", f"{api.emulator.url}/?{BODY}")
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    path = re.sub("X-Amz-Signature=[0-9a-f]+", "X-Amz-Signature=", request.url)

    answer = api.raw("GET", path.removeprefix(api.emulator.url), headers={"Host": "["})

    assert answer.status == 403


@pytest.mark.parametrize(("seconds", "status"), [(604_800, 200), (604_801, 400), (999_999, 400)])
def test_lifetime_of_a_presigned_url(api, keys, seconds, status):
    """A presigned URL is valid for at most a week."""
    request = AWSRequest("GET", f"{api.emulator.url}/?{BODY}")
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=seconds).add_auth(request)

    assert api.raw("GET", request.url.removeprefix(api.emulator.url)).status == status


@pytest.mark.parametrize("sent", ["UNSIGNED-PAYLOAD", "foo", "0" * 64, "", None])
def test_hash_of_the_body(api, keys, sent):
    """The service hashes the body itself: a signature over another hash is refused."""
    right = hashlib.sha256(BODY.encode()).hexdigest()
    good = signed_headers(api, keys, X_Amz_Content_SHA256=right)
    bad = good if sent is None else signed_headers(api, keys, X_Amz_Content_SHA256=sent)

    assert api.raw(body=BODY, headers=good).status == 200
    assert api.raw(body=f"{BODY}&a=b" if sent is None else BODY, headers=bad).status == 403


def test_header_sent_twice(api, keys):
    """The values of a repeated header are signed together, joined by commas."""
    headers = signed_headers(api, keys, X_My="one,two")
    del headers["X-My"]
    parts = urlsplit(api.emulator.url)

    def status(*values):
        with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)) as wire:
            wire.putrequest("POST", "/")
            for name, value in [*headers.items(), *(("X-My", value) for value in values)]:
                wire.putheader(name, value)
            wire.putheader("Content-Length", str(len(BODY)))
            wire.endheaders(BODY.encode())
            return wire.getresponse().status

    assert status("one", "two") == 200
    assert (status("two"), status("two", "one"), status("one", "two", "two")) == (403, 403, 403)


@pytest.mark.parametrize("seconds", [0, -400])
def test_date_header(api, keys, seconds):
    """Without X-Amz-Date, the Date header has the time of the signature."""
    headers = signed_headers(api, keys, signer=signer_with_clock(seconds), Date="x")
    assert "X-Amz-Date" not in headers

    answer = api.raw(body=BODY, headers=headers)

    assert answer.status == (200 if seconds == 0 else 403)
    assert (b"Signature expired: " in answer.body) == (seconds != 0)


@pytest.mark.parametrize("date", ["", "x", "Mon, 1 Foo 2026 00:00:00 GMT", "Mon, 1 Jan 99999 00:00:00 GMT"])
def test_date_header_that_is_none(api, keys, date):
    """A signature with a malformed date is incomplete."""
    headers = signed_headers(api, keys, Date="x")

    answer = api.raw(body=BODY, headers={**headers, "Date": date})

    assert (answer.status, b"<Code>IncompleteSignature</Code>" in answer.body) == (400, True)


def test_presigned_post(api, keys):
    """A presigned URL works for POST, too, with an empty form, as boto3 makes it."""
    sts = api.client("sts", keys)
    path = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60).removeprefix(api.emulator.url)

    answer = api.raw("POST", path)
    changed = api.raw("POST", path, "DurationSeconds=900")

    assert (answer.status, b"CognitoIdentityCredentials" in answer.body) == (200, True)
    assert changed.status == 403


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-HMAC-SHA1"),
        ("X-Amz-Algorithm=", "X-Amz-Algorithms="),
        ("X-Amz-Credential=", "X-Amz-Credentials="),
        ("X-Amz-Date=", "X-Amz-Dates="),
        ("X-Amz-Expires=60", "X-Amz-Expires=soon"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-60"),
        ("X-Amz-Expires=", "X-Amz-Expire="),
        ("X-Amz-SignedHeaders=", "X-Amz-SignedHeader="),
        ("%2Faws4_request", ""),
    ],
)
def test_incomplete_presigned_url(api, keys, good, bad):
    """A presigned URL without a part of its signature is incomplete."""
    request = AWSRequest("GET", f"{api.emulator.url}/?{BODY}")
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    path = request.url.removeprefix(api.emulator.url)
    assert good in path

    answer = api.raw("GET", path.replace(good, bad))

    assert (answer.status, b"<Code>IncompleteSignature</Code>" in answer.body) == (400, True)


@pytest.mark.parametrize(
    ("header", "code", "status"),
    [
        (None, "MissingAuthenticationToken", 403),
        ("AWS4-HMAC-SHA256 Credential=a", "IncompleteSignature", 400),
        ("Basic abc", "IncompleteSignature", 400),
        (
            "AWS4-HMAC-SHA1 Credential=a/b/us-east-1/d/e, SignedHeaders=host, Signature=x",
            "IncompleteSignature",
            400,
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=x",
            "IncompleteSignature",
            400,
        ),
    ],
)
def test_no_good_signature(api, header, code, status):
    """A missing signature and an incomplete one have different errors."""
    headers = {"Authorization": header} if header else {}
    if header and "SHA1" in header:
        headers["X-Amz-Date"] = "20300101T000000Z"

    answer = api.raw(body=BODY, headers=headers)

    assert answer.status == status
    assert f"<Code>{code}</Code>".encode() in answer.body


def test_sessions_have_no_permissions(api, refused, keys):
    """The credentials of an identity may not administer pools. The error has AWS's text."""
    client = api.client("cognito-identity", keys)

    code, message, status = refused(client.describe_identity_pool, IdentityPoolId="us-east-1:0")

    assert (code, status) == ("AccessDeniedException", 400)
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/unauthenticated/CognitoIdentityCredentials "
        "is not authorized to perform: cognito-identity:DescribeIdentityPool on resource: "
        "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/us-east-1:0"
    )


def test_wrong_secret_at_cognito(api, refused, keys):
    """The JSON protocol has its own codes for wrong signatures and tokens."""
    wrong = api.client("cognito-identity", {**keys, "SecretKey": "x" * 40})
    bare = api.client("cognito-identity", {**keys, "SessionToken": None})

    assert refused(wrong.describe_identity_pool, IdentityPoolId="us-east-1:0")[0] == (
        "InvalidSignatureException"
    )
    assert refused(bare.describe_identity_pool, IdentityPoolId="us-east-1:0")[:2] == (
        "UnrecognizedClientException",
        INVALID,
    )


def test_strict_auth(boto_session, emulator_keys, refused, tmp_path):
    """With strict authentication only issued keys and the seed's developers are accepted."""
    from cognito_credentials.emulator import Emulator, Seed

    from ..conftest import Api

    seed = tmp_path / "seed.toml"
    seed.write_text('[[developers]]\naccess_key_id = "AKIDSEED"\nsecret_access_key = "seeded"\n')
    with Emulator(keys=emulator_keys, strict_auth=True, seed=Seed.load(seed)) as strict:
        api = Api(strict, None, None, boto_session)

        def who(key, secret):
            keys = {"AccessKeyId": key, "SecretAccessKey": secret}
            return api.client("sts", keys).get_caller_identity()

        assert who("AKIDSEED", "seeded")["Account"] == "123456789012"
        assert refused(who, key="AKIDSEED", secret="x")[0] == "SignatureDoesNotMatch"
        assert refused(who, key="AKIDOTHER", secret="x") == ("InvalidClientTokenId", INVALID, 403)
        api.close()


@pytest.mark.parametrize("marker", [True, False])
def test_keys_of_an_emulator_that_was_stopped(api, boto_session, emulator_keys, refused, marker):
    """A guest's keys, and temporary ones of the developer, are not the developer's of the next emulator."""
    from cognito_credentials.emulator import Emulator

    from ..conftest import Api

    with Emulator(keys=emulator_keys, marker=marker) as stopped:
        before = Api(stopped, None, None, boto_session)
        before.public = before.client("cognito-identity")
        identity_id = get_id(before, stopped.create_pool())
        guest = before.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
        guest["SecretAccessKey"] = guest["SecretKey"]
        temporary = before.client("sts", DEVELOPER).get_session_token()["Credentials"]
        before.close()

    for keys in (guest, temporary):
        sts = api.client("sts", keys)
        cognito = api.client("cognito-identity", keys)

        assert refused(sts.get_caller_identity) == ("InvalidClientTokenId", INVALID, 403)
        assert refused(cognito.list_identity_pools, MaxResults=1)[0] == "UnrecognizedClientException"


@pytest.mark.parametrize("token", ["", "test", "IQoJb3JpZ2luX2Vj", "IQoJb3JpZ2luX2Vj" + "AbCd" * 240])
def test_made_up_keys_are_the_developers(api, token):
    """Any other key is the developer's, with any session token: a made-up one, and one of AWS."""
    for key in ("test", "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"):
        keys = {"AccessKeyId": key, "SecretAccessKey": "test", "SessionToken": token or None}

        arn = api.client("sts", keys).get_caller_identity()["Arn"]

        assert arn == "arn:aws:iam::123456789012:user/developer"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (r"/\d{8}/us-east-1", "/20200101/us-east-1"),
        ("/aws4_request", "/aws3_request"),
    ],
)
def test_scope_of_the_credential(api, keys, good, bad):
    """A credential scope other than the one that was signed is refused."""
    headers = signed_headers(api, keys)
    headers["Authorization"] = re.sub(good, bad, headers["Authorization"])

    answer = api.raw(body=BODY, headers=headers)

    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body


def test_signature_for_another_service(api, keys):
    """A signature for another service is refused."""
    answer = api.raw(body=BODY, headers=signed_headers(api, keys, service="cognito-identity"))

    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body


def test_host_must_be_signed(api, keys):
    """A signature that does not cover the host is refused: it would be valid for any host."""

    class Signer(SigV4Auth):
        def headers_to_sign(self, request):
            headers = super().headers_to_sign(request)
            del headers["host"]
            return headers

    answer = api.raw(body=BODY, headers=signed_headers(api, keys, signer=Signer))

    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body


@pytest.mark.parametrize("region", ["US-EAST-1", "us:east", "a" * 19])
def test_region_of_the_scope(api, region):
    """A malformed region is refused before it becomes part of a pool's id."""
    answer = api.post(
        "CreateIdentityPool",
        {"IdentityPoolName": "a", "AllowUnauthenticatedIdentities": True},
        **{**SIGNED, "Authorization": SIGNED["Authorization"].replace("us-east-1", region)},
    )

    assert (answer.status, answer.json["__type"]) == (400, "InvalidSignatureException")


def test_unsigned_get_caller_identity(api):
    """STS has its own text for an unsigned request."""
    assert b"<Message>Request is missing Authentication Token</Message>" in api.raw(body=BODY).body
