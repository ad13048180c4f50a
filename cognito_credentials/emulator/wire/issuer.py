"""
The routes of the emulator's own issuer, under ``/_emulator/``: pages for people, endpoints for programs.

They obey the rule of control calls: whoever reaches the issuer signs in as anybody, so a page of another
machine must not reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cognito_credentials.emulator.issuer.authorizing import (
    SCOPES,
    SESSION_SECONDS,
    Authorizing,
    shown_code,
)
from cognito_credentials.emulator.issuer.token_endpoint import DEVICE_GRANT, TokenEndpoint
from cognito_credentials.emulator.oauth import bearer_token, with_parameters
from cognito_credentials.emulator.pages.document import STYLE_PATH, Button, Field, Form, page, style
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.wire.control import PREFIX
from cognito_credentials.emulator.wire.hosts import Hosts
from cognito_credentials.emulator.wire.rules import ANY_PAGE, own_names
from cognito_credentials.emulator.wire.sign_in import (
    Forms,
    base_url,
    client_of,
    committed,
    for_people,
    for_programs,
    give_json,
    query_of,
    read_form,
    read_query,
    send_to,
    set_cookie,
    show_page,
)

_SESSION_COOKIE = "cognito-emulator-issuer"
_SIGN_IN = "sign-in"
_REFUSE = "refuse"


def issuer_configuration(issuer: str) -> dict[str, Any]:
    """The members of the discovery document of *issuer*, besides those that every issuer here has."""
    return {
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "device_authorization_endpoint": f"{issuer}/oauth2/device_authorization",
        "userinfo_endpoint": f"{issuer}/oauth2/userInfo",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "end_session_endpoint": f"{issuer}/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": list(SCOPES),
        "claims_supported": ["sub", "name", "preferred_username", "email", "email_verified", "auth_time"],
        "authorization_response_iss_parameter_supported": True,
    }


def issuer_routes(service: Service, hosts: Hosts) -> list[Route]:
    """The routes of the issuer, and of the stylesheet of all pages."""
    pages = _Pages(service, hosts)
    endpoints = _Endpoints(service, hosts)
    own = own_names(hosts)
    answers = (*own, *ANY_PAGE)

    def people(path: str, handler: Any, *methods: str) -> Route:
        return Route(f"{PREFIX}{path}", for_people(handler), methods=list(methods), middleware=own)

    def programs(path: str, handler: Any, *methods: str) -> Route:
        options = [*methods, "OPTIONS"]
        return Route(f"{PREFIX}{path}", for_programs(handler), methods=options, middleware=answers)

    return [
        people("/oauth2/authorize", pages.authorize, "GET", "POST"),
        people("/login", pages.sign_in, "POST"),
        people("/device", pages.device, "GET"),
        people("/device", pages.answer_device, "POST"),
        people("/logout", pages.sign_out, "GET", "POST"),
        programs("/oauth2/token", endpoints.token, "POST"),
        programs("/oauth2/revoke", endpoints.revoke, "POST"),
        programs("/oauth2/userInfo", endpoints.user_info, "GET", "POST"),
        programs("/oauth2/device_authorization", endpoints.device_authorization, "POST"),
        Route(STYLE_PATH, _style),
    ]


class _Pages:
    def __init__(self, service: Service, hosts: Hosts) -> None:
        self._service = service
        self._hosts = hosts
        self._forms = Forms(service)

    async def authorize(self, request: Request) -> Response:
        if request.method == "POST":  # OpenID Connect Core, 3.1.2.1
            form = await read_form(request)
            self._authorizing(request).read(form)
            return send_to(with_parameters(f"{PREFIX}/oauth2/authorize", form))
        authorizing = self._authorizing(request)
        asked = authorizing.read(read_query(request))
        cookie = request.cookies.get(_SESSION_COOKIE, "")
        at_once = authorizing.answer_at_once(asked, cookie)
        if at_once is not None:
            return send_to(at_once)
        session = authorizing.session(cookie)
        return self._ask_name(request, asked.login_hint or (session.subject if session else ""))

    async def sign_in(self, request: Request) -> Response:
        authorizing = self._authorizing(request)
        asked = authorizing.read(read_query(request))
        form = await self._forms.read(request)
        if form.get("choice") == _REFUSE:
            return send_to(authorizing.refuse(asked))
        try:
            session, cookie = authorizing.sign_in(form.get("username", ""))
        except ValueError as error:
            return self._ask_name(request, form.get("username", ""), str(error))
        return _signed_in(request, send_to(authorizing.allow(asked, session)), cookie)

    async def device(self, request: Request) -> Response:
        authorizing = self._authorizing(request)
        session = authorizing.session(request.cookies.get(_SESSION_COOKIE, ""))
        code = read_query(request).get("user_code", "")
        return self._ask_device(
            request, {"user_code": code, "username": session.subject if session else ""}, {}
        )

    async def answer_device(self, request: Request) -> Response:
        authorizing = self._authorizing(request)
        form = await self._forms.read(request)
        problems: dict[str, str] = {}
        with self._service.state.transaction():
            try:
                grant = authorizing.waiting_device(form.get("user_code", ""))
            except ValueError as error:
                return self._ask_device(request, form, {"user_code": str(error)})
            if form.get("choice") == _REFUSE:
                authorizing.answer_device(grant, None)
                return show_page(page("Refused", said=["The device was refused. You can close this window."]))
            try:
                session, cookie = authorizing.sign_in(form.get("username", ""))
            except ValueError as error:
                problems["username"] = str(error)
            else:
                authorizing.answer_device(grant, session)
                done = f"The device signs in as {session.subject} now. You can close this window."
                return _signed_in(request, show_page(page("You are signed in", said=[done])), cookie)
        shown = {**form, "user_code": shown_code(grant.user_code or "")}
        return self._ask_device(request, shown, problems)

    async def sign_out(self, request: Request) -> Response:
        parameters = read_query(request) if request.method == "GET" else await read_form(request)
        authorizing = self._authorizing(request)
        address = authorizing.after_sign_out(parameters)
        authorizing.sign_out(request.cookies.get(_SESSION_COOKIE, ""))
        said = ["Nobody is signed in at this issuer in this browser now."]
        answer = send_to(address) if address else show_page(page("Signed out", said=said))
        set_cookie(request, answer, _SESSION_COOKIE, "", 0)
        return answer

    def _authorizing(self, request: Request) -> Authorizing:
        return Authorizing(self._service, f"{base_url(request)}{PREFIX}", self._hosts.is_own)

    def _ask_name(self, request: Request, name: str, problem: str = "") -> Response:
        client_id = read_query(request).get("client_id", "")

        def make(hidden: Mapping[str, str]) -> str:
            form = Form(
                f"{PREFIX}/login?{query_of(request)}",
                hidden,
                [_name_field(name, problem)],
                [Button(_SIGN_IN, "Sign in"), Button(_REFUSE, "Cancel", is_quiet=True)],
            )
            return page("Sign in", said=[f"The app {client_id} wants to know who you are."], form=form)

        return self._forms.show(request, make)

    def _ask_device(
        self, request: Request, values: Mapping[str, str], problems: Mapping[str, str]
    ) -> Response:
        def make(hidden: Mapping[str, str]) -> str:
            code = Field(
                "user_code",
                "Code",
                value=values.get("user_code", ""),
                hint="The code that the device shows. Go on only if it is a device of yours.",
                problem=problems.get("user_code", ""),
                is_code=True,
            )
            form = Form(
                f"{PREFIX}/device",
                hidden,
                [code, _name_field(values.get("username", ""), problems.get("username", ""))],
                [Button(_SIGN_IN, "Sign in"), Button(_REFUSE, "Refuse", is_quiet=True)],
            )
            return page("Connect a device", said=["A device wants to know who you are."], form=form)

        return self._forms.show(request, make)


class _Endpoints:
    def __init__(self, service: Service, hosts: Hosts) -> None:
        self._service = service
        self._hosts = hosts

    async def token(self, request: Request) -> Response:
        form = await read_form(request)
        client_id, _ = client_of(request, form)
        endpoint = TokenEndpoint(self._service, f"{base_url(request)}{PREFIX}")
        return give_json(committed(self._service, lambda: endpoint.answer(client_id, form)))

    async def revoke(self, request: Request) -> Response:
        form = await read_form(request)
        client_id, _ = client_of(request, form)
        TokenEndpoint(self._service, f"{base_url(request)}{PREFIX}").revoke(client_id, form)
        return Response()

    async def user_info(self, request: Request) -> Response:
        token = bearer_token(request.headers.get("authorization", ""))
        return give_json(TokenEndpoint(self._service, f"{base_url(request)}{PREFIX}").user_info(token))

    async def device_authorization(self, request: Request) -> Response:
        form = await read_form(request)
        client_id, _ = client_of(request, form)
        authorizing = Authorizing(self._service, f"{base_url(request)}{PREFIX}", self._hosts.is_own)
        return give_json(authorizing.begin_device(client_id, form))


def _name_field(name: str, problem: str) -> Field:
    return Field(
        "username",
        "Name",
        value=name,
        autocomplete="username",
        hint="Any name will do. There is no password: the user is made up.",
        problem=problem,
    )


def _signed_in(request: Request, answer: Response, cookie: str) -> Response:
    set_cookie(request, answer, _SESSION_COOKIE, cookie, SESSION_SECONDS)
    return answer


async def _style(request: Request) -> Response:
    del request
    return Response(style(), media_type="text/css", headers={"Cache-Control": "no-cache"})
