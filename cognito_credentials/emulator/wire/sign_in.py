"""
What the routes for signing in share: pages, forms that only their own page can send, and answers of OAuth.

A page of another origin could send a form of its own to these routes, and sign its visitor in as somebody
else, who then reads what the visitor stores. So a form has a token that belongs to a cookie of the browser,
and the browser must not say that another page has sent it. The cookie alone would not do: every program of
this machine can set it, on whatever port it listens.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from cognito_credentials.emulator.logins.keys import base64url
from cognito_credentials.emulator.oauth import (
    OAuthError,
    PageError,
    Parameters,
    SentBackError,
    basic_credentials,
    read_parameters,
)
from cognito_credentials.emulator.pages.document import page
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.trail import checked
from cognito_credentials.emulator.wire.answers import preflight

Handler = Callable[[Request], Awaitable[Response]]

_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PAGE_HEADERS = {
    **_NOT_KEPT,
    # No page of another origin can show these in a frame, and lead clicks there.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address of a page has state and nonce in it. "no-referrer" would take Origin from the own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_FORM_COOKIE = "XSRF-TOKEN"
_FORM_TOKEN = "_csrf"  # noqa: S105  (the name of a field)
_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)


class Forms:
    """The forms of the sign-in pages of one emulator."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def show(
        self, request: Request, make: Callable[[Mapping[str, str]], str], status: int = 200
    ) -> HTMLResponse:
        """
        A page with a form.

        Args:
            make: The page, from the hidden fields of its form.
        """
        # A cookie that is there is used: the page of another emulator, on another port, may have set it.
        value = request.cookies.get(_FORM_COOKIE, "")
        if _COOKIE_VALUE.fullmatch(value) is None:
            value = secrets.token_urlsafe(24)
        answer = show_page(make({_FORM_TOKEN: self._token(value)}), status)
        set_cookie(request, answer, _FORM_COOKIE, value)
        return answer

    async def read(self, request: Request) -> Parameters:
        """
        The fields of a form that its own page has sent.

        Raises:
            PageError: Another page may have sent it, or its browser keeps no cookies.
            OAuthError: It is malformed.
        """
        form = await read_form(request)
        value = request.cookies.get(_FORM_COOKIE, "")
        is_own = (
            _is_of_own_page(request)
            and _COOKIE_VALUE.fullmatch(value) is not None
            and hmac.compare_digest(form.get(_FORM_TOKEN, "").encode(), self._token(value).encode())
        )
        if not is_own:
            raise PageError(
                "Start again",
                "This form was not sent by its own page, or this browser keeps no cookies. Go back to the "
                "app, and sign in from there.",
                "wrong_page",
            )
        return form

    def _token(self, cookie: str) -> str:
        key = self._service.state.session_key()
        return base64url(hmac.new(key, f"form {cookie}".encode(), hashlib.sha256).digest())


def show_page(text: str, status: int = 200) -> HTMLResponse:
    """An answer with a page."""
    return HTMLResponse(text, status, _PAGE_HEADERS)


def send_to(address: str) -> Response:
    """An answer that sends the browser to *address*, which was checked."""
    return Response(
        status_code=302, headers={**_NOT_KEPT, "Referrer-Policy": "same-origin", "Location": address}
    )


def set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int | None = None) -> None:
    """
    Set a cookie that no script reads, and that forms of other sites do not send.

    Args:
        seconds: None for the time that the browser runs; 0 deletes the cookie.
    """
    answer.set_cookie(
        name, value, seconds, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def read_query(request: Request) -> Parameters:
    """The parameters of the address; raises the errors of `read_parameters`."""
    return read_parameters(request.scope["query_string"].decode("latin-1"))


async def read_form(request: Request) -> Parameters:
    """The parameters of the body; raises the errors of `read_parameters`."""
    return read_parameters((await request.body()).decode("latin-1"))


def query_of(request: Request) -> str:
    """The query as it was sent, to be put into the address of a form."""
    return str(request.scope["query_string"].decode("latin-1"))


def base_url(request: Request) -> str:
    """
    The address of the emulator, as the client wrote it.

    Raises:
        HTTPException: The request has no Host header.
    """
    host = request.headers.get("host")
    if not host:
        raise HTTPException(400, "the header Host is missing")
    return f"{request.scope['scheme']}://{host}"


def client_of(request: Request, form: Parameters) -> tuple[str, str | None]:
    """
    The client id and the secret that a program gave, in the header or in the form.

    Raises:
        OAuthError: There is no client id, or the two places have different ones.
    """
    basic = basic_credentials(request.headers.get("authorization", ""))
    named = form.get("client_id")
    if basic is None:
        if not named:
            raise OAuthError("invalid_request", "client_id is missing")
        return named, form.get("client_secret")
    if named is not None and named != basic[0]:
        raise OAuthError("invalid_request", "two different clients are named")
    return basic


def for_people(handler: Handler) -> Handler:
    """A route whose errors are pages, or redirects to the client."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except SentBackError as error:
            _record(error.reason)
            return send_to(error.url)
        except PageError as error:
            title, said, code = error.title, error.text, error.code
            checked(f"{code}: {said}", holds=False)
        except OAuthError as error:
            title, said, code = "The request is wrong", error.description or error.code, error.code
            _record(error)
        status = 403 if code == "wrong_page" else 400
        return show_page(page(title, problem=said, shown=code), status)

    return answer


def for_programs(handler: Handler) -> Handler:
    """A route whose errors are JSON, and that pages of the origins that its rule admits may call."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            asked = preflight(request.headers.get("access-control-request-headers", ""))
            return Response(headers={**asked.headers, "Access-Control-Allow-Methods": "GET, POST"})
        try:
            return await handler(request)
        except OAuthError as error:
            _record(error)
            content = {"error": error.code, "error_description": error.description}
            headers = dict(_NOT_KEPT)
            if error.status == 401:
                is_token = error.code == "invalid_token"
                headers["WWW-Authenticate"] = f'Bearer error="{error.code}"' if is_token else "Basic"
            return JSONResponse(
                {name: value for name, value in content.items() if value}, error.status, headers
            )

    return answer


def committed(service: Service, act: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """
    The result of *act*, which runs in one transaction.

    It is committed also where *act* raises an OAuthError: a stolen code or refresh token ends the sign-in.
    """
    with service.state.transaction():
        try:
            return act()
        except OAuthError as error:
            refused = error
    raise refused


def give_json(content: Mapping[str, Any]) -> JSONResponse:
    """An answer to a program that nothing on the way keeps."""
    return JSONResponse(dict(content), headers=_NOT_KEPT)


def _record(error: OAuthError) -> None:
    checked(f"{error.code}: {error.description}" if error.description else error.code, holds=False)


def _is_of_own_page(request: Request) -> bool:
    """Whether the browser says that a page of this emulator has sent the form. Programs say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == request.headers.get("host", "").lower()
