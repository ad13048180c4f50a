"""
Answers in the two protocols, byte for byte: AWS JSON 1.1 and STS's query protocol.

Source: service.md 1.2, 1.3, 1.5, 9.1 and 9.4.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError

JSON_TYPE = "application/x-amz-json-1.1"
STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
EXPOSED_HEADERS = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Answer:
    """
    One HTTP response.

    Attributes:
        code: The error code, for the request log; empty on success.
        message: The error's text, for the request log.
        is_aws: False for what no real service has, which pages of other origins may not read.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    is_aws: bool = True

    def replace_headers(self, headers: Mapping[str, str]) -> None:
        """Put *headers* in the place of those of the same names."""
        replaced = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in replaced}
        self.headers = {**kept, **headers}


def json_success(result: Mapping[str, Any] | None) -> Answer:
    """200 with *result*, or with an empty body where the operation has no output."""
    body = b"" if result is None else json.dumps(result, separators=(",", ":")).encode()
    return Answer(200, body, JSON_TYPE)


def json_error(error: ServiceError) -> Answer:
    """An error in AWS JSON."""
    content = {"__type": error.code}
    headers = {"x-amzn-ErrorType": f"{error.code}:"}
    if error.message is not None:
        # The authorization layer, unlike the services, spells it with a capital letter.
        name = "Message" if error.code == "AccessDeniedException" else "message"
        content[name] = error.message
        headers["x-amzn-ErrorMessage"] = _header_text(error.message)
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    headers["Connection"] = "close"
    return Answer(error.status, body, JSON_TYPE, headers, error.code, error.message or "")


def _header_text(text: str) -> str:
    """*text* as it can stand in a header: printable ASCII in one line that clients can read."""
    return re.sub(r"[^\x20-\x7e]", "?", text[: assumed.MAX_HEADER_TEXT]).strip()


def query_success(operation: str, result: Mapping[str, Any], request_id: str) -> Answer:
    """200 with *result* as STS's XML."""
    body = (
        f'<{operation}Response xmlns="{STS_NAMESPACE}">\n'
        f"  <{operation}Result>{_xml(result)}</{operation}Result>\n"
        f"  <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n"
        f"</{operation}Response>\n"
    )
    return Answer(200, body.encode(), "text/xml")


def query_error(error: ServiceError, request_id: str) -> Answer:
    """An error as STS's XML."""
    kind = "Sender" if error.status < 500 else "Receiver"
    message = _xml_text(error.message or "")
    body = (
        f'<ErrorResponse xmlns="{STS_NAMESPACE}">\n'
        f"  <Error><Type>{kind}</Type><Code>{_xml_text(error.code)}</Code>"
        f"<Message>{message}</Message></Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n"
        "</ErrorResponse>\n"
    )
    headers = {"Connection": "close"}
    return Answer(error.status, body.encode(), "text/xml", headers, error.code, error.message or "")


def _xml(members: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, Mapping) else _xml_text(str(value))}</{name}>"
        for name, value in members.items()
    )


def _xml_text(text: str) -> str:
    return escape(NOT_IN_XML.sub("?", text))


def preflight(requested_headers: str) -> Answer:
    """The answer to a browser's OPTIONS request, as measured on the real service."""
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


def cross_origin(answer: Answer) -> None:
    """Let a page of any origin read *answer*."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS


def new_request_id() -> str:
    """A request id."""
    return str(uuid.uuid4())
