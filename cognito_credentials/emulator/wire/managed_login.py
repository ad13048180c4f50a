"""
The routes of user pools for signing in: the pages of managed login, and the endpoints of OAuth.

They are answered by every name, as the real ones have a domain of their own: nobody signs in here without a
password. The forms are accepted from their own pages alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.oauth import OAuthError, Parameters, bearer_token, with_parameters
from cognito_credentials.emulator.pages.document import page
from cognito_credentials.emulator.pages.managed_login import (
    Question,
    is_shown,
    question_page,
    sign_in_page,
)
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.user_pools.authorizing import (
    BROWSER_SECONDS,
    Request,
    answer_request,
    client_of_page,
    forget_browser,
    read_request,
    registered,
    remember_browser,
    signed_in_browser,
)
from cognito_credentials.emulator.user_pools.sign_in import (
    Challenge,
    SignedIn,
    begin_totp,
    begin_with_password,
    finish_totp,
    respond,
)
from cognito_credentials.emulator.user_pools.token_endpoint import (
    authenticated,
    give_tokens,
    revoke,
    user_info,
)
from cognito_credentials.emulator.wire.own_account import CONFIRM, FORGOT, SIGN_UP, AccountPages
from cognito_credentials.emulator.wire.rules import ANY_PAGE
from cognito_credentials.emulator.wire.sign_in import (
    Forms,
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

_COOKIE = "cognito"
_ASKED_AGAIN = (
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "InvalidPasswordException",
)
"""Errors after which the same question may be answered once more."""
_DETAILS = ("CODE_DELIVERY_DESTINATION", "MFAS_CAN_CHOOSE", "requiredAttributes")


def managed_login_configuration(address: str) -> dict[str, Any]:
    """The endpoints in the discovery document of a user pool, whose domain is at *address*."""
    return {
        "authorization_endpoint": f"{address}/oauth2/authorize",
        "end_session_endpoint": f"{address}/logout",
        "revocation_endpoint": f"{address}/oauth2/revoke",
        "token_endpoint": f"{address}/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": f"{address}/oauth2/userInfo",
    }


def managed_login_routes(service: Service) -> list[Route]:
    """The routes of all user pools of one emulator."""
    pages, endpoints = _Pages(service), _Endpoints(service)

    def programs(path: str, handler: Any, *methods: str) -> Route:
        return Route(path, for_programs(handler), methods=[*methods, "OPTIONS"], middleware=ANY_PAGE)

    return [
        Route("/oauth2/authorize", for_people(pages.authorize), methods=["GET"]),
        Route("/login", for_people(pages.show), methods=["GET"]),
        Route("/login", for_people(pages.sign_in), methods=["POST"]),
        Route("/logout", for_people(pages.sign_out), methods=["GET"]),
        *pages.accounts.routes(),
        programs("/oauth2/token", endpoints.token, "POST"),
        programs("/oauth2/revoke", endpoints.revoke, "POST"),
        programs("/oauth2/userInfo", endpoints.user_info, "GET", "POST"),
    ]


class _Pages:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._forms = Forms(service)
        self.accounts = AccountPages(service, self._forms)

    async def authorize(self, request: HttpRequest) -> Response:
        asked = read_request(self._service, read_query(request))
        user = signed_in_browser(self._service, request.cookies.get(_COOKIE, ""), asked.pool)
        if user is not None and asked.login_hint not in ("", user.name):
            user = None
        if asked.prompts == {"none"} and user is None:
            return send_to(asked.refused(OAuthError("login_required")))
        if user is None or (asked.prompts and asked.prompts != {"none"}):
            return send_to(f"/login?{_encoded(request)}")
        return send_to(answer_request(self._service, asked, user))

    async def show(self, request: HttpRequest) -> Response:
        asked = read_request(self._service, read_query(request))
        return self._ask_password(request, asked, asked.login_hint)

    async def sign_in(self, request: HttpRequest) -> Response:
        asked = read_request(self._service, read_query(request))
        form = await self._forms.read(request)
        if "challenge" in form:
            return self._answer(request, asked, form)
        name = form.get("username", "").strip()
        try:
            step = begin_with_password(self._service, asked.client, name, form.get("password", ""))
        except ServiceError as error:
            problem = error.message or error.code
            if error.code == "UserNotConfirmedException":
                return self.accounts.show(request, CONFIRM, asked.pool, {"username": name}, problem=problem)
            return self._ask_password(request, asked, name, problem)
        return self._go_on(request, asked, step)

    async def sign_out(self, request: HttpRequest) -> Response:
        parameters = read_query(request)
        client = client_of_page(self._service, parameters)
        if "logout_uri" in parameters:
            address = registered(parameters, "logout_uri", client.logout_urls)
        else:
            read_request(self._service, parameters)
            address = f"/login?{_encoded(request)}"
        forget_browser(self._service, request.cookies.get(_COOKIE, ""))
        answer = send_to(address)
        set_cookie(request, answer, _COOKIE, "", 0)
        return answer

    def _answer(self, request: HttpRequest, asked: Request, form: Parameters) -> Response:
        question = Question(
            form["challenge"], form.get("session", ""), form.get("detail", "")[:2048], values=form
        )
        if not is_shown(question.name):
            return self._ask_password(request, asked, "", "Sign in again.")
        try:
            session = question.session
            if question.name == "MFA_SETUP":
                session = finish_totp(self._service, session, form.get("code", ""))
            step = respond(self._service, asked.client, question.name, session, _responses(question, form))
        except ServiceError as error:
            problem = error.message or error.code
            if error.code in _ASKED_AGAIN:
                return self._ask(request, question, problem)
            return self._ask_password(request, asked, "", problem)
        is_repeated = isinstance(step, Challenge) and step.name == question.name
        return self._go_on(request, asked, step, "The code was wrong." if is_repeated else "")

    def _go_on(
        self, request: HttpRequest, asked: Request, step: Challenge | SignedIn, problem: str = ""
    ) -> Response:
        if isinstance(step, SignedIn):
            answer = send_to(answer_request(self._service, asked, step.user))
            set_cookie(request, answer, _COOKIE, remember_browser(self._service, step.user), BROWSER_SECONDS)
            return answer
        session = step.session
        detail = next((step.parameters[name] for name in _DETAILS if name in step.parameters), "")
        if step.name == "MFA_SETUP":
            detail, session = begin_totp(self._service, session)
        if not is_shown(step.name):
            said = f"The pool asks for {step.name}, which has no page here."
            return show_page(page("This sign-in cannot go on", problem=said), 400)
        return self._ask(request, Question(step.name, session, detail), problem)

    def _ask_password(self, request: HttpRequest, asked: Request, name: str, problem: str = "") -> Response:
        query = query_of(request)
        links = {f"{FORGOT}?{query}": "Forgot your password?"}
        if asked.pool.sign_up:
            links[f"{SIGN_UP}?{query}"] = "Create an account"

        def make(hidden: Mapping[str, str]) -> str:
            return sign_in_page(_here(request), hidden, name, problem, links)

        return self._forms.show(request, make)

    def _ask(self, request: HttpRequest, question: Question, problem: str) -> Response:
        return self._forms.show(
            request, lambda hidden: question_page(_here(request), hidden, question, problem)
        )


class _Endpoints:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def token(self, request: HttpRequest) -> Response:
        form = await read_form(request)
        client = authenticated(self._service, *_client(request, form))
        return give_json(committed(self._service, lambda: give_tokens(self._service, client, form)))

    async def revoke(self, request: HttpRequest) -> Response:
        form = await read_form(request)
        client = authenticated(self._service, *_client(request, form))
        revoke(self._service, client, form)
        return Response()

    async def user_info(self, request: HttpRequest) -> Response:
        token = bearer_token(request.headers.get("authorization", ""))
        return give_json(user_info(self._service, token))


def _client(request: HttpRequest, form: Parameters) -> tuple[str, str | None]:
    """Client id and secret of a request, whose errors say as little as those of the real service."""
    try:
        return client_of(request, form)
    except OAuthError as error:
        raise OAuthError(error.code) from None


def _responses(question: Question, form: Parameters) -> dict[str, str]:
    """ChallengeResponses, of the fields of a page."""
    name = question.name
    if name == "NEW_PASSWORD_REQUIRED":
        added = {key: value for key, value in form.items() if key.startswith("userAttributes.")}
        return {"NEW_PASSWORD": form.get("password", ""), **added}
    if name == "SELECT_MFA_TYPE":
        return {"ANSWER": form.get("answer", "")}
    return {} if name == "MFA_SETUP" else {f"{name}_CODE": form.get("code", "")}


def _here(request: HttpRequest) -> str:
    return f"/login?{query_of(request)}"


def _encoded(request: HttpRequest) -> str:
    """The query again, without what a header cannot have."""
    return with_parameters("", read_query(request)).removeprefix("?")
