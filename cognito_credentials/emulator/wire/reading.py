"""Requests on their way in: the body, no more of it than a request has, and the operation that they call."""

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
    One request of an operation, as far as its envelope tells.

    Attributes:
        operation: Its name; empty when the envelope names none.
        is_sts: Which protocol to answer in.
        taken_pool: The pool that it updates, when another call was updating it already.
    """

    operation: str
    is_sts: bool
    request: SignedRequest
    request_id: str
    parameters: Mapping[str, str]
    taken_pool: str | None = None


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an ASGI scope by name; what was sent more than once is joined, as signatures have it."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def may_control(origin: str | None) -> bool:
    """
    True for a control call of a program, or of a page that this machine serves.

    A browser sends some calls for any page without asking, and each names the page's origin; any page that
    a developer looks at could so reset the emulator.
    """
    return origin is None or is_on_this_machine(origin)


async def read_body(receive: Receive) -> bytes | None:
    """
    The whole body, or None when the client went away.

    Raises:
        ServiceError: It is larger than any request's.
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
    """Find out which operation *request* calls, and of which service."""
    target = request.headers.get("x-amz-target")
    if target is not None:
        # Old clients send com.amazonaws.cognito.identity.model.AWSCognitoIdentityService.GetId.
        return Call(target.rpartition(".")[2], False, request, request_id, {})
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    # A presigned POST, as SDKs make it, has all of them in its query.
    parameters = {**_fields(request.query), **_fields(form)}
    # Without an Action it is a JSON request that lost its target.
    return Call(parameters.get("Action", ""), "Action" in parameters, request, request_id, parameters)


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def region_called(request: SignedRequest) -> str:
    """
    The region whose service *request* is for, as real ones have an address for each.

    It is the one that was signed, or the one of the pool or identity that is asked about.
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
