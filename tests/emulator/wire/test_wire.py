"""The HTTP protocol: requests, headers, errors, CORS."""

from __future__ import annotations

import http.client
import re
import socket
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from cognito_credentials.emulator.model.shapes import load_service_model
from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.wire.server import listen

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    "target",
    [
        "AWSCognitoIdentityService.GetId",
        "com.amazonaws.cognito.identity.model.AWSCognitoIdentityService.GetId",
    ],
)
@pytest.mark.parametrize("content_type", ["application/x-amz-json-1.1", "application/json"])
def test_both_target_prefixes_and_content_types(api, target, content_type):
    """The operation follows the last dot of the target, with either content type."""
    pool_id = api.emulator.create_pool()

    answer = api.raw(
        body=f'{{"IdentityPoolId":"{pool_id}"}}',
        headers={"X-Amz-Target": target, "Content-Type": content_type},
    )

    assert answer.status == 200
    assert re.fullmatch(f"us-east-1:{UUID}", answer.json["IdentityId"])


def test_success_headers(api):
    """A success has a content type, a UUID as request id, a date and a length, and keeps the connection."""
    answer = api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()})

    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert re.fullmatch(UUID, answer.headers["x-amzn-requestid"])
    assert parsedate_to_datetime(answer.headers["date"]).tzinfo is not None
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["connection"] == "keep-alive"


def test_error_headers_and_body(api):
    """An error has code and message in headers, too, the code with a colon, and closes the connection."""
    pool_id = api.emulator.create_pool(AllowUnauthenticatedIdentities=False)

    answer = api.post("GetId", {"IdentityPoolId": pool_id})

    text = "Unauthenticated access is not supported for this identity pool."
    assert answer.status == 400
    assert answer.body == ('{"__type":"NotAuthorizedException","message":"' + text + '"}').encode()
    assert answer.headers["x-amzn-errortype"] == "NotAuthorizedException:"
    assert answer.headers["x-amzn-errormessage"] == text
    assert re.fullmatch(UUID, answer.headers["x-amzn-requestid"])
    assert answer.headers["connection"] == "close"


def test_connections_are_kept_alive(api):
    """Several requests are answered over one connection."""
    parts = urlsplit(api.emulator.url)
    pool_id = api.emulator.create_pool()
    with closing(http.client.HTTPConnection(parts.hostname, parts.port)) as wire:
        wire.connect()
        first = wire.sock
        for _ in range(3):
            wire.request(
                "POST",
                "/",
                f'{{"IdentityPoolId":"{pool_id}"}}',
                {"X-Amz-Target": "AWSCognitoIdentityService.GetId"},
            )
            assert wire.getresponse().read()

        assert wire.sock is first


def test_empty_body_is_an_empty_object(api):
    """An empty body means {}: the error is about a missing member, not about JSON."""
    answer = api.raw(headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert answer.json["__type"] == "ValidationException"
    assert "Value null at 'identityPoolId'" in answer.json["message"]


def test_unknown_members_are_ignored(api):
    """An unknown member is ignored."""
    pool_id = api.emulator.create_pool()

    assert api.post("GetId", {"IdentityPoolId": pool_id, "New": {"a": 1}}).status == 200


def test_null_members_count_as_absent(api):
    """A member that is null counts as not given."""
    pool_id = api.emulator.create_pool()

    assert api.post("GetId", {"IdentityPoolId": pool_id, "Logins": None}).status == 200


def test_all_operations_of_the_model():
    """Every operation that botocore's service model has is emulated."""
    assert set(OPERATIONS) == set(load_service_model("cognito-identity").operations)


def test_unknown_operation(api):
    """An operation that does not exist has a code and no text."""
    answer = api.post("GetEverything", {})

    assert (answer.status, answer.body) == (400, b'{"__type":"UnknownOperationException"}')


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        '"text"',
        "\x80",
        '{"IdentityPoolId": 5}',
        '{"IdentityPoolId": "us-east-1:a", "Logins": []}',
        '{"IdentityPoolId": "us-east-1:a", "Logins": {"a": 1}}',
        '{"IdentityPoolId": "\\ud800"}',
        '{"IdentityPoolId": NaN}',
        "[" * 100_000,
    ],
)
def test_broken_json_and_wrong_types(api, body):
    """A body that is not JSON, or has a member of a wrong JSON type, is a SerializationException."""
    answer = api.raw(body=body.encode("latin-1"), headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert (answer.status, answer.json["__type"]) == (400, "SerializationException")


def test_body_too_large(api):
    """A body of more than a megabyte is refused before its end is read."""
    answer = api.raw(body=b"x" * 1_100_000, headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert (answer.status, answer.json["__type"]) == (413, "RequestEntityTooLargeException")


def test_public_operations_may_be_signed(api):
    """A client with credentials may sign the public operations too."""
    pool_id = api.emulator.create_pool()

    answer = api.post("GetId", {"IdentityPoolId": pool_id}, Authorization="AWS4-HMAC-SHA256 junk")

    assert answer.status == 200


def test_preflight(api):
    """A browser's OPTIONS request is answered as measured on the real service."""
    answer = api.raw(
        "OPTIONS",
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-amz-target",
        },
    )

    assert answer.status == 200
    assert answer.body == b""
    expected = {
        "content-length": "0",
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type,x-amz-target",
        "access-control-expose-headers": ("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
        "access-control-max-age": "172800",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert re.fullmatch(UUID, answer.headers["x-amzn-requestid"])


def test_cross_origin_answers(api):
    """A web page of another origin may read answers and errors."""
    good = api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}, Origin="https://a.example")
    bad = api.post("GetId", {}, Origin="https://a.example")

    for answer in (good, bad):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "x-amzn-ErrorType" in answer.headers["access-control-expose-headers"]


def test_other_paths(api):
    """AWS operations exist only at the path /."""
    answer = api.raw(path="/api", body="{}", headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert answer.status == 404


def test_header_text_stays_one_line(api):
    """Text of a request in an error message cannot end the header that repeats the message."""
    answer = api.post("GetId", {"IdentityPoolId": "a\r\nSet-Cookie: b=c é"})

    assert "set-cookie" not in answer.headers
    assert "a??Set-Cookie" in answer.headers["x-amzn-errormessage"]
    assert "é" in answer.json["message"]


def test_sockets_send_without_delay():
    """The listening socket names TCP as its protocol: otherwise answers would be delayed by 40 ms."""
    with closing(listen("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
