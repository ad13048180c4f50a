"""
Answers in the two protocols: AWS JSON 1.1, and the query protocol of STS and IAM.

Source: `reference/service.md#1.2`, `reference/service.md#1.3`, `reference/service.md#1.5`,
`reference/service.md#9.1`, `reference/service.md#9.4`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.members import one_line
from cognito_credentials.emulator.operations.query import VERSIONS

JSON_TYPE = "application/x-amz-json-1.1"
_NAMESPACES = {name: f"https://{name}.amazonaws.com/doc/{version}/" for name, version in VERSIONS.items()}
EXPOSED_HEADERS = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
_MOST_ERROR = 1900
CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED_HEADERS}
"""Headers by which web pages of any origin may read an answer."""
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Answer:
    """
    One HTTP response.

    Attributes:
        code: The error code, for the log; empty on success.
        message: The text of the error, for the log.
        is_aws: False for an answer that only the emulator gives. Web pages of other origins must not read it.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    is_aws: bool = True

    def replace_headers(self, headers: Mapping[str, str]) -> None:
        """Set *headers*, in place of headers with the same names in any case."""
        replaced = {name.lower() for name in headers}
        others = {name: value for name, value in self.headers.items() if name.lower() not in replaced}
        self.headers = {**others, **headers}


def json_success(result: Mapping[str, Any] | None) -> Answer:
    """200 with *result* as JSON; an empty body for an operation without output."""
    body = b"" if result is None else json.dumps(result, separators=(",", ":")).encode()
    return Answer(200, body, JSON_TYPE)


def json_error(error: ServiceError) -> Answer:
    """An error in AWS JSON."""
    content = {"__type": error.code}
    headers = {"x-amzn-ErrorType": f"{error.code}:"}
    if error.message is not None:
        # The authorization layer in front of the services writes Message with a capital letter.
        name = "Message" if error.code == "AccessDeniedException" else "message"
        content[name] = error.message
        headers["x-amzn-ErrorMessage"] = _header_text(error.message)
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    headers["Connection"] = "close"
    return Answer(error.status, body, JSON_TYPE, headers, error.code, error.message or "")


def _header_text(text: str) -> str:
    """*text* for a header: one line of printable ASCII, of limited length."""
    return re.sub(r"[^\x20-\x7e]", "?", text[: assumed.MAX_HEADER_TEXT]).strip()


def query_success(service: str, operation: str, result: Mapping[str, Any] | None, request_id: str) -> Answer:
    """200 with *result* in the XML of the query protocol; without it for an operation without output."""
    inner = "" if result is None else f"  <{operation}Result>{_xml(result)}</{operation}Result>\n"
    body = (
        f'<{operation}Response xmlns="{_NAMESPACES[service]}">\n'
        f"{inner}"
        f"  <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n"
        f"</{operation}Response>\n"
    )
    return Answer(200, body.encode(), "text/xml")


def query_error(service: str, error: ServiceError, request_id: str) -> Answer:
    """An error in the XML of the query protocol."""
    kind = "Sender" if error.status < 500 else "Receiver"
    message = _xml_text(error.message or "")
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACES[service]}">\n'
        f"  <Error><Type>{kind}</Type><Code>{_xml_text(error.code)}</Code>"
        f"<Message>{message}</Message></Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n"
        "</ErrorResponse>\n"
    )
    headers = {"Connection": "close"}
    return Answer(error.status, body.encode(), "text/xml", headers, error.code, error.message or "")


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _xml_text(str(value))


def _xml_text(text: str) -> str:
    return escape(NOT_IN_XML.sub("?", text))


def preflight(requested_headers: str) -> Answer:
    """The answer to an OPTIONS request of a browser, as the real service gives it."""
    return Answer(
        200,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": _header_text(requested_headers),
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "Access-Control-Max-Age": "172800",
        },
    )


def common_headers(now: float, request_id: str) -> dict[str, str]:
    """The headers that every answer has, unless it says something else. *now* is by the emulator's clock."""
    return {
        "x-amzn-RequestId": request_id,
        "Date": formatdate(now, usegmt=True),
        "Connection": "keep-alive",
    }


def refusal(status: int, error: str) -> Answer:
    """The answer of the emulator itself to a wrong request that calls no operation."""
    text = one_line(error, _MOST_ERROR)
    body = json.dumps({"error": text}).encode()
    return Answer(status, body, "application/json", message=text, is_aws=False)


def new_request_id() -> str:
    return str(uuid.uuid4())
