"""Requests and answers beside botocore's serializer and parser, which are the judge."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import botocore.parsers
import botocore.serialize
import botocore.session
import botocore.validate
import pytest
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.exchange.faults import InvalidAnswerError
from cognito_credentials.exchange.requests import (
    STS,
    ParamValidationError,
    Refusal,
    build,
    read,
    service_of,
)

OPERATIONS = ("GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity", STS)
LOADER = botocore.session.Session().get_component("data_loader")
MODELS = {
    name: ServiceModel(LOADER.load_service_model(name, "service-2")) for name in ("cognito-identity", "sts")
}

texts = st.text(max_size=30)
values: dict[str, st.SearchStrategy[Any]] = {
    "Logins": st.dictionaries(texts, texts | st.integers(), max_size=3) | st.none(),
    "LoginsToRemove": st.lists(texts | st.none(), max_size=3) | texts,
    "DurationSeconds": st.integers(0, 50_000) | texts,
}
NAMES = {
    "GetId": ("IdentityPoolId", "Logins"),
    "GetCredentialsForIdentity": ("IdentityId", "Logins", "CustomRoleArn"),
    "GetOpenIdToken": ("IdentityId", "Logins"),
    "UnlinkIdentity": ("IdentityId", "Logins", "LoginsToRemove"),
    STS: ("RoleArn", "RoleSessionName", "WebIdentityToken", "Policy", "DurationSeconds"),
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation and parameters that it may take or refuse."""
    operation = draw(st.sampled_from(OPERATIONS))
    names = draw(st.sets(st.sampled_from(NAMES[operation])) | st.just(set(NAMES[operation])))
    return operation, {
        name: draw(values.get(name, st.text(max_size=40) | st.text("aß/+ &=", min_size=20) | st.integers()))
        for name in sorted(names)
    }


def model(operation: str) -> Any:
    """botocore's model of *operation*."""
    return MODELS[service_of(operation)].operation_model(operation)


@given(calls())
def test_requests_are_botocores(call: tuple[str, dict[str, Any]]) -> None:
    """The same parameters are refused; of the others, headers and body are the same to the byte."""
    operation, parameters = call
    shape = model(operation).input_shape
    if botocore.validate.ParamValidator().validate(parameters, shape).has_errors():
        with pytest.raises(ParamValidationError) as caught:
            build(operation, parameters)
        assert caught.value.__context__ is None
        return
    protocol = MODELS[service_of(operation)].metadata["protocol"]
    expected = botocore.serialize.create_serializer(protocol).serialize_to_request(
        parameters, model(operation)
    )
    headers, body = build(operation, parameters)
    assert headers == expected["headers"]
    wanted = expected["body"] if operation != STS else urlencode(expected["body"], doseq=True).encode()
    assert body == wanted


def test_half_a_character_is_no_text() -> None:
    """What cannot be encoded is refused without being shown."""
    parameters = {"RoleArn": "x" * 20, "RoleSessionName": "me", "WebIdentityToken": "HUSH\ud83d"}
    with pytest.raises(ParamValidationError) as caught:
        build(STS, parameters)
    assert "HUSH" not in str(caught.value)
    assert caught.value.__context__ is None


def botocores(operation: str, status: int, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """What botocore's parser makes of an answer; ``{}`` where it gives up."""
    parser = botocore.parsers.create_parser(MODELS[service_of(operation)].metadata["protocol"])
    response = {"status_code": status, "headers": headers, "body": body}
    try:
        parsed = parser.parse(response, model(operation).output_shape)
    except Exception:  # noqa: BLE001  (whatever it makes of bytes that it does not understand)
        return {}
    return parsed if isinstance(parsed, dict) else {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "IdentityId": texts,
        "Token": texts,
        "Other": json_values,
        "Credentials": st.fixed_dictionaries(
            {},
            optional={
                "AccessKeyId": texts,
                "SecretKey": texts,
                "SessionToken": texts,
                "Expiration": st.integers(0, 4_000_000_000) | st.floats(0, 4e9),
            },
        ),
    },
)


@given(st.sampled_from(OPERATIONS[:3]), answers)
def test_json_answers_are_read_as_botocore_reads_them(operation: str, answer: dict[str, Any]) -> None:
    """Every member that the operation has is there, and the same."""
    body = json.dumps(answer).encode()
    expected = botocores(operation, 200, {}, body)
    expected.pop("ResponseMetadata")
    found = read(operation, 200, {}, body)
    assert {name: found[name] for name in expected} == expected


xml_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30)


@given(xml_texts, xml_texts, st.datetimes(), st.sampled_from(["", ' xmlns="https://sts.amazonaws.com/doc/"']))
def test_xml_answers_are_read_as_botocore_reads_them(secret: str, arn: str, end: Any, namespace: str) -> None:
    """Credentials, their end and the role, with and without a namespace."""
    body = (
        f"<{STS}Response{namespace}><{STS}Result><Credentials><AccessKeyId>ASIA</AccessKeyId>"
        f"<SecretAccessKey>{escape(secret)}</SecretAccessKey><SessionToken/>"
        f"<Expiration>{end.replace(microsecond=0).isoformat()}Z</Expiration></Credentials>"
        f"<AssumedRoleUser><Arn>{escape(arn)}</Arn></AssumedRoleUser>"
        f"</{STS}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{STS}Response>"
    ).encode()
    expected = botocores(STS, 200, {}, body)
    found = read(STS, 200, {}, body)
    assert found["Credentials"] == expected["Credentials"]
    assert found["AssumedRoleUser"] == expected["AssumedRoleUser"]


@st.composite
def refusals(draw: st.DrawFn) -> tuple[str, int, dict[str, str], bytes]:
    """An operation, a status and a body as services, proxies and load balancers answer them."""
    operation = draw(st.sampled_from(OPERATIONS))
    status = draw(st.sampled_from([400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504]))
    code = draw(
        st.sampled_from(["TooManyRequestsException", "com.amazonaws#Gone", "A#B:http://x/", "ExpiredToken"])
    )
    words = draw(xml_texts)
    headers = draw(st.sampled_from([{}, {"x-amzn-requestid": "r-1"}]))
    xml = f"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>{code}</Code>"
    xml += f"<Message>{escape(words)}</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"
    body = draw(
        st.sampled_from(
            [
                json.dumps({"__type": code, "message": words}),
                json.dumps({"__type": code, "Message": words}),
                json.dumps({"message": words}),
                json.dumps({"__type": code}),
                "{}",
                xml,
                xml.replace("<Error>", "<Errors><Error>").replace("</Error>", "</Error></Errors>"),
                "",
                "<html><body>Service Unavailable</body></html>",
            ]
        )
    )
    return operation, status, headers, body.encode()


@given(refusals())
def test_refusals_are_read_as_botocore_reads_them(case: tuple[str, int, dict[str, str], bytes]) -> None:
    """The code, the words and the request id are botocore's wherever it has any."""
    operation, status, headers, body = case
    expected = botocores(operation, status, headers, body)
    with pytest.raises(Refusal) as caught:
        read(operation, status, headers, body)
    assert caught.value.__context__ is None
    found = caught.value.response
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    told = expected.get("Error", {})
    if not isinstance(told, dict) or not told.get("Code"):
        assert found["Error"]["Code"] == str(status), "botocore finds no code either"
        return
    assert found["Error"]["Code"] == told["Code"]
    if not found["Error"]["Code"].isdigit():
        assert found["Error"]["Message"] == (told.get("Message") or "")
        assert found["ResponseMetadata"].get("RequestId") == expected["ResponseMetadata"].get(
            "RequestId", headers.get("x-amzn-requestid")
        )


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"x-amzn-errortype": "NotAuthorizedException"}, b"{}", "NotAuthorizedException"),
        ({"x-amzn-errortype": "ns#NotAuthorizedException:http://x"}, b"", "NotAuthorizedException"),
        ({"x-amzn-errortype": "NotAuthorizedException"}, b"<html>", "NotAuthorizedException"),
        ({"x-amzn-errortype": "B"}, b'{"__type": "A"}', "A"),
        ({}, b'{"__type": 5, "message": 6}', "400"),
        ({}, b'{"__type": "A", "__type": "B"}', "400"),
        ({}, b"[]", "400"),
        ({}, b"\xff", "400"),
        ({}, "<html>é</html>".encode("utf-16"), "400"),
    ],
)
def test_where_the_code_of_a_refusal_is(headers: dict[str, str], body: bytes, code: str) -> None:
    """In the body, else in a header, else the status is all there is."""
    with pytest.raises(Refusal) as caught:
        read("GetId", 400, headers, body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        b'{"IdentityId": "a", "IdentityId": "b"}',
        b'{"Credentials": {"SecretKey": "HUSH", "SecretKey": "b"}}',
        b'{"Credentials": {"Expiration": NaN}}',
        b'{"Credentials": {"Expiration": Infinity}}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"[" * 30_000,
        b'{"IdentityId": "\xe9"}',
        b"null",
    ],
)
def test_doubtful_json_is_refused_without_being_shown(body: bytes) -> None:
    """Duplicate names, NaN, another encoding and too much nesting are no answer of Cognito's."""
    with pytest.raises(InvalidAnswerError) as caught:
        read("GetCredentialsForIdentity", 200, {}, body)
    assert caught.value.__context__ is None
    assert "HUSH" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b"HUSH",
        b'<!DOCTYPE a [<!ENTITY b "HUSH">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&unknown;</a>",
        "<a>é</a>".encode("latin-1"),
        "<a/>".encode("utf-16"),
        b"<a/><b/>",
    ],
)
def test_doubtful_xml_is_refused_without_being_shown(body: bytes) -> None:
    """Entities, document types, other encodings and half documents are no answer of STS's."""
    with pytest.raises(InvalidAnswerError) as caught:
        read(STS, 200, {}, body)
    assert caught.value.__context__ is None
    assert "HUSH" not in str(caught.value)


def test_deep_xml_is_read_and_dropped() -> None:
    """Ten thousand elements in each other neither recurse nor crash."""
    with pytest.raises(InvalidAnswerError, match="no result"):
        read(STS, 200, {}, b"<a>" * 10_000 + b"</a>" * 10_000)


@pytest.mark.parametrize("end", [True, "yesterday", 1e300, -1e300, [], None])
def test_an_odd_end_is_none(end: object) -> None:
    """What is no moment is left for the reader of credentials to refuse."""
    body = json.dumps({"Credentials": {"Expiration": end}}).encode()
    assert read("GetCredentialsForIdentity", 200, {}, body) == {"Credentials": {"Expiration": None}}


@pytest.mark.parametrize(("header", "seconds"), [("1500", 1.5), ("-5", None), ("soon", None), ("", None)])
def test_the_wait_that_a_service_asks_for(header: str, seconds: float | None) -> None:
    """In milliseconds, where it is a number."""
    with pytest.raises(Refusal) as caught:
        read("GetId", 503, {"x-amz-retry-after": header}, b"")
    assert caught.value.retry_after == seconds


def test_operations_of_user_pools_are_json_too() -> None:
    """Their parameters are not checked here: the user pool says what is wrong with them."""
    headers, body = build("InitiateAuth", {"ClientId": ""})
    assert headers["X-Amz-Target"] == "AWSCognitoIdentityProviderService.InitiateAuth"
    assert body == b'{"ClientId": ""}'
    assert service_of("InitiateAuth") == "cognito-idp"
