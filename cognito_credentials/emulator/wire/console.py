"""
The routes of the page at ``/`` and of its files.

They obey the rule of control calls, and more: no other site frames the page, and nothing in it comes from
another place. So a text that got into the page as HTML by mistake could load and run nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cognito_credentials.emulator import console
from cognito_credentials.emulator.wire.control import PREFIX

_FILES = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def console_routes(own: Sequence[Middleware]) -> list[Route]:
    """
    The routes.

    Args:
        own: The rule of control calls.
    """

    async def page(request: Request) -> Response:
        del request
        return _file("console.html", "text/html")

    async def file(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        return _file(name, _FILES[name])

    return [
        Route("/", page, middleware=own),
        *(Route(f"{PREFIX}/console/{name}", file, middleware=own) for name in _FILES),
    ]


def _file(name: str, media_type: str) -> Response:
    return Response(files(console).joinpath(name).read_bytes(), media_type=media_type, headers=_HEADERS)
