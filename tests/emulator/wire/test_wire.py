"""The HTTP protocol: requests, headers, errors, CORS."""

from __future__ import annotations

import http.client
import json
import re
import socket
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from cognito_credentials.emulator.model.shapes import load_service_model
from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.wire.server import listen

from ..conftest import SIGNED

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
    """An operation that does not exist is named, and so is what a request without one lacks."""
    answer = api.post("GetEverything", {})
    without = api.raw(body="{}")

    text = "There is no operation GetEverything in AWSCognitoIdentityService."
    assert (answer.status, answer.json) == (400, {"__type": "UnknownOperationException", "message": text})
    assert without.json["message"].endswith("it has neither X-Amz-Target nor Action.")


@pytest.mark.parametrize(
    "target",
    [
        "TrentService.TagResource",
        "XAWSCognitoIdentityService.TagResource",
        "DynamoDB_20120810.TagResource",
        "TagResource",
    ],
)
def test_operations_of_other_services(api, target):
    """An operation of another service is not executed, even if Cognito Identity has one of that name."""
    pool_id = api.emulator.create_pool()
    arn = f"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool_id}"
    body = json.dumps({"ResourceArn": arn, "Tags": {"a": "b"}})

    answer = api.raw(body=body, headers={"X-Amz-Target": target, **SIGNED})

    assert answer.status == 400
    assert answer.json["message"].startswith(f"There is no operation {target}")
    assert api.developer.list_tags_for_resource(ResourceArn=arn)["Tags"] == {}
    assert api.emulator.requests() == {"ListTagsForResource": 1}


def exchange(api, request):
    """The bytes of the answer to the bytes of a request."""
    parts = urlsplit(api.emulator.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as wire:
        wire.sendall(request)
        with wire.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize(
    "target", ["http://cognito.test:8000/", "HTTP://cognito.test", "https://cognito.test/"]
)
def test_absolute_request_target(api, target):
    """A client may send an absolute target, as to a proxy. The host in it counts, not the header Host."""
    head = f"{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    call = (
        f"POST {head}X-Amz-Target: AWSCognitoIdentityService.GetEverything\r\nContent-Length: 2\r\n\r\n{{}}"
    )
    documents = f"GET {head}\r\n".replace(
        " HTTP/1.1", f"{'' if target.endswith('/') else '/'}.well-known/jwks_uri HTTP/1.1"
    )
    control = documents.replace(".well-known/jwks_uri", "_emulator/requests")

    assert b"There is no operation GetEverything in" in exchange(api, call.encode())
    assert b'{"keys":' in exchange(api, documents.encode())
    assert exchange(api, control.encode()).startswith(b"HTTP/1.1 403 ")


def test_absolute_target_of_a_control_call(api):
    """A control call with an absolute target of this machine is answered."""
    request = f"GET {api.emulator.url}/_emulator/requests HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert exchange(api, request.encode()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param({"IdentityPoolId": 5}, "NUMBER_VALUE can not be converted to a String", id="number"),
        pytest.param({"IdentityPoolId": True}, "TRUE_VALUE can not be converted to a String", id="true"),
        pytest.param({"IdentityPoolId": {}}, "Start of structure or map found where not expected", id="map"),
        pytest.param({"IdentityPoolId": []}, "Start of list found where not expected", id="list"),
        pytest.param({"Logins": "x"}, "STRING_VALUE can not be converted to a Map", id="text"),
        pytest.param({"Logins": {"a": False}}, "FALSE_VALUE can not be converted to a String", id="false"),
        pytest.param([], "Start of list found where not expected", id="body"),
        pytest.param(None, "NULL_VALUE can not be converted to a Structure", id="null"),
    ],
)
def test_wrong_json_types(api, content, text):
    """A value of a wrong JSON type is a SerializationException with a text that names what was found."""
    answer = api.post("GetId", content)

    assert answer.json == {"__type": "SerializationException", "message": text}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"MaxResults": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ({"MaxResults": 1.5}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"MaxResults": 1, "HideDisabled": 0}, "NUMBER_VALUE can not be converted to a Boolean"),
    ],
)
def test_wrong_json_types_of_scalars(api, content, text):
    """Numbers and booleans have texts of the same kind."""
    answer = api.post("ListIdentities", {"IdentityPoolId": "us-east-1:0", **content}, **SIGNED)

    assert answer.json == {"__type": "SerializationException", "message": text}


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "\x80",
        '{"IdentityPoolId": "\\ud800"}',
        '{"IdentityPoolId": NaN}',
        "[" * 100_000,
    ],
)
def test_broken_json(api, body):
    """A body that is not JSON is a SerializationException without a text."""
    answer = api.raw(body=body.encode("latin-1"), headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId"})

    assert (answer.status, answer.json) == (400, {"__type": "SerializationException"})


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
