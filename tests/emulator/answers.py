"""Checks that an SDK can read an answer, with botocore's own parsers and the service model."""

from __future__ import annotations

import json
import re
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from cognito_credentials.emulator.operations.query import OPERATIONS

FRAMEWORK = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
"""Errors of every operation that its model does not list; reference/service.md#1.3 and #1.4."""

QUERY_FRAMEWORK = {
    "InvalidParameterValue",
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAction",
    "InvalidClientTokenId",
    "MalformedInput",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "ValidationError",
}


@cache
def model(service):
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def parser(protocol):
    return create_parser(protocol)


def check_json(operation, status, headers, body, service="cognito-identity"):
    """Check an answer of an operation of identity pools or of user pools: its output or one of its errors."""
    assert "x-amzn-requestid" in headers
    assert status in (200, 400, 413), status
    shape = model(service).operation_model(operation)
    parsed = parser("json").parse(
        {"status_code": status, "headers": headers, "body": body}, shape.output_shape
    )
    if status == 200:
        assert "Error" not in parsed
        content = json.loads(body) if body else {}
        assert shape.output_shape is not None or body == b""
        members = shape.output_shape.members if shape.output_shape else {}
        assert set(content) <= set(members), content
        assert None not in content.values()
        return
    code = json.loads(body)["__type"]
    errors = {error.name for error in shape.error_shapes} - {"InternalErrorException"}
    assert code in FRAMEWORK | errors, (operation, code)
    assert parsed["Error"]["Code"] == code == headers["x-amzn-errortype"].removesuffix(":")


def check_query(operation, status, headers, body, service="sts"):
    """Check an answer of an operation of STS or IAM, which may not exist."""
    assert status in (200, 400, 403, 404, 409), status
    assert headers["content-type"] == "text/xml"
    known = operation in OPERATIONS[service]
    shape = model(service).operation_model(operation) if known else None
    parsed = parser("query").parse(
        {"status_code": status, "headers": headers, "body": body}, shape and shape.output_shape
    )
    if status == 200:
        assert known
        members = shape.output_shape.members if shape.output_shape else {}
        assert members.keys() >= parsed.keys() - {"ResponseMetadata"}
        return
    errors = {error.metadata["error"]["code"] for error in shape.error_shapes} if known else set()
    assert parsed["Error"]["Code"] in QUERY_FRAMEWORK | errors | {"ExpiredTokenException"}, parsed["Error"]
    assert re.fullmatch("[0-9a-f-]{36}", parsed["ResponseMetadata"]["RequestId"])


def check_control(status, headers, body):
    """Check an answer of a call under /_emulator/: JSON, and for an error one line."""
    assert status in (200, 400, 404, 405, 413), status
    assert headers["content-type"] == "application/json"
    if status != 200:
        error = json.loads(body)["error"]
        assert list(json.loads(body)) == ["error"]
        assert "\n" not in error
        assert len(error) < 2000
