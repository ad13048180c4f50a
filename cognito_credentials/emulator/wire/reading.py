"""Reads requests: headers, a body of limited size, and the operation that they call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.logins.issuers import is_on_this_machine
from cognito_credentials.emulator.model.members import JsonError, read_json
from cognito_credentials.emulator.model.names import DEFAULT_REGION, region_of
from cognito_credentials.emulator.wire.signatures import SignedRequest, signed_region


@dataclass(frozen=True)
class Call:
    """
    A request that calls an operation.

    Attributes:
        operation: The name of the operation; empty when the request names none.
        is_sts: True for STS's query protocol, False for AWS JSON.
        parameters: The form fields of the query protocol.
        pool_in_update: The id of the pool that the call updates, if another update of it is under way.
    """

    operation: str
    is_sts: bool
    request: SignedRequest
    request_id: str
    parameters: Mapping[str, str]
    pool_in_update: str | None = None


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an ASGI scope. Repeated headers are joined by commas, as in signatures."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def may_control(origin: str | None) -> bool:
    """
    True for a control call of a program (no Origin), or of a web page that this machine serves.

    Browsers send simple requests of any page without asking the server first. Without this check, every page
    that a developer opens could reset the emulator. The Origin header names the page's origin.
    """
    return origin is None or is_on_this_machine(origin)


async def read_body(receive: Receive) -> bytes | None:
    """
    The whole body; None when the client has disconnected.

    Raises:
        ServiceError: The body is larger than MAX_BODY_BYTES.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > assumed.MAX_BODY_BYTES:
            raise assumed.request_too_large()
        if not message.get("more_body", False):
            return b"".join(chunks)


def read_call(request: SignedRequest, request_id: str) -> Call:
    """Read the operation and its protocol from *request*."""
    target = request.headers.get("x-amz-target")
    if target is not None:
        # Some clients send com.amazonaws.cognito.identity.model.AWSCognitoIdentityService.GetId.
        return Call(target.rpartition(".")[2], False, request, request_id, {})
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    # SDKs put all parameters of a presigned POST in its query.
    parameters = {**_fields(request.query), **_fields(form)}
    # A request without an Action is a JSON request without its X-Amz-Target.
    return Call(parameters.get("Action", ""), "Action" in parameters, request, request_id, parameters)


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def region_called(request: SignedRequest) -> str:
    """
    The region of *request*: the one of its signature, else of the pool or identity that it names.

    The real service has an endpoint for each region; the emulator has one for all.
    """
    region = signed_region(request)
    if region is not None:
        return region
    try:
        content = read_json(request.body)
    except JsonError:
        content = None
    for name in ("IdentityPoolId", "IdentityId"):
        if isinstance(content, dict) and isinstance(content.get(name), str):
            return region_of(content[name])
    return DEFAULT_REGION


def read_content(body: bytes) -> Any:
    """
    The JSON value of an operation's body.

    Raises:
        ServiceError: SerializationException.
    """
    try:
        return read_json(body)
    except JsonError:
        raise assumed.serialization_error() from None
