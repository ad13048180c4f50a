"""Reads requests: headers, a body of limited size, and the operation that they call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import broken_json
from cognito_credentials.emulator.model.members import JsonError, read_json
from cognito_credentials.emulator.model.names import DEFAULT_REGION, region_of
from cognito_credentials.emulator.operations.query import VERSIONS, service_of
from cognito_credentials.emulator.user_pools import operations as user_pools
from cognito_credentials.emulator.wire.signatures import SignedRequest, signed_region

_TARGET = "AWSCognitoIdentityService"
_SERVICE = "cognito-identity"
_REGION = re.compile("[a-z0-9-]{1,18}")


@dataclass(frozen=True)
class Call:
    """
    A request that calls an operation.

    Attributes:
        operation: The name of the operation; empty when the request names none. Where the request is for
            another service, the whole target.
        service: ``cognito-identity``, ``cognito-idp``, or a service of the query protocol: ``sts``.
        parameters: The form fields of the query protocol.
        is_concurrent: Another update of the pool that the call updates is under way.
    """

    operation: str
    service: str
    request: SignedRequest
    request_id: str
    parameters: Mapping[str, str]
    is_concurrent: bool = False

    @property
    def is_query(self) -> bool:
        """True for the query protocol, False for AWS JSON."""
        return self.service in VERSIONS


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an ASGI scope. Repeated headers are joined by commas, as in signatures."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def read_target(target: str) -> tuple[str, str | None]:
    """
    The path of a request target without its query, and the host of an absolute target.

    A client that takes the emulator for its proxy sends ``http://host/path``. The host in it counts, and not
    the header ``Host``. Source: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2.
    """
    if not target.lower().startswith(("http://", "https://")):
        return target, None
    host, slash, path = target.partition("://")[2].partition("/")
    return slash + path or "/", host


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
        service, _, operation = target.rpartition(".")
        if service.rpartition(".")[2] == user_pools.TARGET:
            # One that is not served goes by its whole target: TagResource is an operation of identity pools.
            name = operation if operation in user_pools.OPERATIONS else target
            return Call(name, user_pools.API, request, request_id, {})
        if service.rpartition(".")[2] != _TARGET:
            operation = target if service else f"{target} without a service"
        return Call(operation, _SERVICE, request, request_id, {})
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    # SDKs put all parameters of a presigned POST in its query.
    parameters = {**_fields(request.query), **_fields(form)}
    # A request without an Action is a JSON request without its X-Amz-Target.
    service = service_of(parameters.get("Version", "")) if "Action" in parameters else _SERVICE
    return Call(parameters.get("Action", ""), service, request, request_id, parameters)


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
    region = signed_region(request) or _named_region(request.body)
    return region if region is not None and _REGION.fullmatch(region) else DEFAULT_REGION


def _named_region(body: bytes) -> str | None:
    try:
        content = read_json(body)
    except JsonError:
        return None
    for name in ("IdentityPoolId", "IdentityId"):
        if isinstance(content, dict) and isinstance(content.get(name), str):
            return region_of(content[name])
    return None


def read_content(body: bytes) -> Any:
    """
    The JSON value of an operation's body.

    Raises:
        ServiceError: SerializationException.
    """
    try:
        return read_json(body)
    except JsonError:
        raise broken_json() from None
