"""
Requests that call no AWS operation: each path with its function and its rule.

A function is a coroutine that takes a request and returns a response of starlette. It runs on the event loop,
as operations do, so it must not wait for anything but the client. To refuse a request it raises
`HTTPException` with a status and a text for the developer, or a `ServiceError` where the real service has the
path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router, request_response
from starlette.types import Scope

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.members import shortened
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.wire.answers import preflight
from cognito_credentials.emulator.wire.console import console_routes
from cognito_credentials.emulator.wire.control import PREFIX, Control
from cognito_credentials.emulator.wire.discovery import issuer_document
from cognito_credentials.emulator.wire.events import EventStream
from cognito_credentials.emulator.wire.hosts import Hosts
from cognito_credentials.emulator.wire.issuer import issuer_routes
from cognito_credentials.emulator.wire.managed_login import managed_login_routes
from cognito_credentials.emulator.wire.rules import ANY_PAGE, own_names
from cognito_credentials.emulator.wire.signatures import SignedRequest


def make_router(service: Service, control: Control, events: EventStream, hosts: Hosts) -> Router:
    """The routes of one emulator. The first one that has the path and the method answers."""

    async def document(request: Request) -> Response:
        base_url = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        found = issuer_document(service, request.scope["path"], base_url)
        if found is None:
            raise _unknown_path(request)
        return _json(found, separators=(",", ":"))

    async def control_call(request: Request) -> Response:
        name = request.scope["path"].removeprefix(PREFIX).removeprefix("/")
        return _json(control.call(request.method, name, dict(request.query_params), await request.body()))

    own = own_names(hosts)
    return Router(
        [
            Route("/.well-known/{document:path}", document, middleware=ANY_PAGE),
            Route("/{issuer:path}/.well-known/{document:path}", document, middleware=ANY_PAGE),
            *console_routes(own),
            *issuer_routes(service, hosts),
            *managed_login_routes(service),
            Route(f"{PREFIX}/events", events, middleware=own),
            Route(PREFIX, control_call, middleware=own),
            Mount(PREFIX, request_response(control_call), middleware=own),
            Mount("", request_response(_no_route)),
        ],
        redirect_slashes=False,
        default=request_response(_no_route),  # for a target without a path, such as *
    )


def route_scope(scope: Scope, request: SignedRequest) -> Scope:
    """*scope* for the router: with the path and the host of *request*, whose target may be absolute."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    host = request.headers.get("host")
    if host is not None:
        headers.append((b"host", host.encode("latin-1")))
    return {**scope, "path": request.path, "headers": headers}


def asks_for_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks, to show the answer to a person. Programs accept no HTML, or anything."""
    return "text/html" in headers.get("accept", "")


async def _no_route(request: Request) -> Response:
    if request.method == "OPTIONS":
        answer = preflight(request.headers.get("access-control-request-headers", ""))
        return Response(headers=answer.headers)
    raise _unknown_path(request)


def _unknown_path(request: Request) -> Exception:
    return assumed.unknown_path(shortened(request.scope["path"]))


def _json(content: Any, **options: Any) -> Response:
    return Response(json.dumps(content, **options), media_type="application/json")
