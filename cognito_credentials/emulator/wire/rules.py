"""
Which web pages may call a route, and by which names of the emulator.

A route has one of these rules as its ``middleware``, or none:

- `own_names`: for control calls and pages of the developer. A request of another machine's page, or by a
  name that is not the emulator's, gets a 403.
- `ANY_PAGE`: for public documents. Pages of all origins may read the answer, as on the real service.
- none: for pages that a person signs in on. Browsers show such an answer to no page of another origin, but
  send forms of every page: the route itself must refuse these.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cognito_credentials.emulator.wire.answers import CROSS_ORIGIN
from cognito_credentials.emulator.wire.hosts import Hosts
from cognito_credentials.emulator.wire.reading import read_headers


def own_names(hosts: Hosts) -> Sequence[Middleware]:
    """The rule of control calls. `Hosts` says why."""
    return [Middleware(_OwnNames, hosts=hosts)]


class _OwnNames:
    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope["headers"])
        wrong = self._hosts.wrong_page(headers) or self._hosts.wrong_host(headers)
        if wrong is not None:
            raise HTTPException(403, wrong)
        await self._app(scope, receive, send)


class _AnyPage:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_to_any_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(CROSS_ORIGIN)
            await send(message)

        is_of_page = any(name == b"origin" for name, _ in scope["headers"])
        await self._app(scope, receive, send_to_any_page if is_of_page else send)


ANY_PAGE = (Middleware(_AnyPage),)
