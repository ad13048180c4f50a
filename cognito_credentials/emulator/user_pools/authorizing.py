"""
The authorization endpoint of user pools, without HTTP: requests, codes, and the browsers that are signed in.

A request names its client, and so its pool: all pools of an emulator share one address.

Source: reference/service.md#12.7.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.oauth import (
    OAuthError,
    PageError,
    Parameters,
    SentBackError,
    is_challenge,
    is_redirect_uri,
    with_parameters,
)
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import close_session, find_session, open_session
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    User,
    UserPool,
    find_client,
    find_user_by_sub,
    find_user_pool,
)
from cognito_credentials.emulator.trail import issued
from cognito_credentials.emulator.user_pools.attempt import SignedIn
from cognito_credentials.emulator.user_pools.tokens import issue_tokens

CODE = "code"
BROWSER = "browser"
CODE_SECONDS = 300
BROWSER_SECONDS = 3600
_MOST_TEXT = 2048
_OF_OPENID = {"email", "phone", "profile"}


@dataclass(frozen=True)
class Request:
    """
    An authorization request that may be answered at its redirect address.

    Attributes:
        response_type: ``code`` or ``token``.
        challenge: The PKCE challenge; empty where the client has none.
    """

    pool: UserPool
    client: AppClient
    redirect_uri: str
    response_type: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str
    prompts: frozenset[str]
    login_hint: str

    def refused(self, error: OAuthError) -> str:
        """The address that tells the client of *error*."""
        return _error_url(self.redirect_uri, self.response_type, self.state, error)


def read_request(service: Service, parameters: Parameters) -> Request:
    """
    Check an authorization request.

    Raises:
        PageError: The client or its redirect address is wrong.
        SentBackError: Anything else is wrong.
    """
    client = client_of_page(service, parameters)
    pool = find_user_pool(service.state, client.pool_id)
    redirect_uri = registered(parameters, "redirect_uri", client.callback_urls)
    response_type = parameters.get("response_type", "")
    try:
        if pool is None:
            raise OAuthError("server_error")
        return _read(parameters, pool, client, redirect_uri)
    except OAuthError as error:
        url = _error_url(redirect_uri, response_type, parameters.get("state"), error)
        raise SentBackError(url, error) from None


def client_of_page(service: Service, parameters: Parameters) -> AppClient:
    """
    The client that a request to a page names.

    Raises:
        PageError: There is no such client.
    """
    client_id = parameters.get("client_id", "")
    client = None if "client_id" in parameters.repeated else find_client(service.state, client_id)
    if client is None:
        raise _page_error(f"No user pool has the app client {client_id[:128]!r}.", "invalid_request")
    return client


def registered(parameters: Parameters, name: str, addresses: Sequence[str]) -> str:
    """
    The address in the parameter *name*, which must be one of *addresses* to the letter.

    Raises:
        PageError: It is none of them.
    """
    address = parameters.get(name, "")
    if name in parameters.repeated or address not in addresses or not is_redirect_uri(address):
        raise _page_error(
            f"The app client does not have this {name} among its addresses.", "redirect_mismatch"
        )
    return address


def signed_in_browser(service: Service, cookie: str, pool: UserPool) -> User | None:
    """Who is signed in to *pool* in the browser with that session cookie."""
    session = find_session(service.state, BROWSER, cookie)
    if session is None or service.clock.now() >= session.expires_at or session.content["pool_id"] != pool.id:
        return None
    user = find_user_by_sub(service.state, pool.id, session.content["sub"])
    return user if user is not None and user.enabled else None


def remember_browser(service: Service, user: User) -> str:
    """Begin the session of a browser. Returns the value of its cookie."""
    return _open(service, BROWSER, {"pool_id": user.pool_id, "sub": user.sub}, BROWSER_SECONDS)


def forget_browser(service: Service, cookie: str) -> None:
    """End the session of a browser."""
    session = find_session(service.state, BROWSER, cookie)
    if session is not None:
        close_session(service.state, session)


def answer_request(service: Service, request: Request, user: User) -> str:
    """The address that takes a code, or in the implicit flow the tokens, to the client."""
    claims = {"nonce": request.nonce} if request.nonce is not None else {}
    if request.response_type == "code":
        content = {
            "client_id": request.client.id,
            "sub": user.sub,
            "redirect_uri": request.redirect_uri,
            "challenge": request.challenge,
            "scopes": list(request.scopes),
            "claims": claims,
            "origin_jti": None,
        }
        issued(f"a code for {user.name} and the client {request.client.id}")
        answer: dict[str, str | None] = {"code": _open(service, CODE, content, CODE_SECONDS)}
        return with_parameters(request.redirect_uri, {**answer, "state": request.state})
    signed_in = SignedIn(request.pool, request.client, user)
    tokens = issue_tokens(service, signed_in, scopes=request.scopes, claims=claims)
    answer = {
        "id_token": tokens.id_token if "openid" in request.scopes else None,
        "access_token": tokens.access_token,
        "expires_in": str(tokens.expires_in),
        "token_type": "Bearer",
        "state": request.state,
    }
    return with_parameters(request.redirect_uri, answer, in_fragment=True)


def _read(parameters: Parameters, pool: UserPool, client: AppClient, redirect_uri: str) -> Request:
    for name in parameters.repeated:
        raise OAuthError("invalid_request", f"{name} occurs more than once")
    response_type = parameters.get("response_type", "")
    if response_type not in ("code", "token"):
        raise OAuthError("invalid_request", "response_type must be code or token")
    if parameters.get("identity_provider", "COGNITO") != "COGNITO" or "idp_identifier" in parameters:
        raise OAuthError("invalid_request", "The emulator has no other identity providers")
    if any(len(parameters.get(name, "")) > _MOST_TEXT for name in ("state", "nonce")):
        raise OAuthError("invalid_request", "state or nonce is too long")
    return Request(
        pool,
        client,
        redirect_uri,
        response_type,
        _scopes(parameters, client),
        parameters.get("state"),
        parameters.get("nonce"),
        _challenge(parameters),
        frozenset(parameters.get("prompt", "").split()),
        parameters.get("login_hint", "")[:128],
    )


def _challenge(parameters: Parameters) -> str:
    challenge = parameters.get("code_challenge", "")
    if not challenge and "code_challenge_method" not in parameters:
        return ""
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    if not is_challenge(challenge):
        raise OAuthError("invalid_request", "code_challenge is malformed")
    return challenge


def _scopes(parameters: Parameters, client: AppClient) -> tuple[str, ...]:
    """The scopes of the request; without any, all that the client has."""
    asked = tuple(dict.fromkeys(parameters.get("scope", "").split())) or tuple(client.scopes)
    is_wrong = not set(asked) <= set(client.scopes) or ("openid" not in asked and _OF_OPENID & set(asked))
    if is_wrong:
        raise OAuthError("invalid_request", "invalid_scope")  # reference/service.md#12.7.4
    return asked


def _error_url(redirect_uri: str, response_type: str, state: str | None, error: OAuthError) -> str:
    answer = {
        "error_description": error.description or None,
        "error": error.code,
        "state": state if state is not None and len(state) <= _MOST_TEXT else None,
    }
    return with_parameters(redirect_uri, answer, in_fragment=response_type == "token")


def _open(service: Service, kind: str, content: Mapping[str, Any], seconds: int) -> str:
    token = secrets.token_urlsafe(32)
    service.note_secret(token)
    now = service.clock.now()
    with service.state.transaction():
        open_session(service.state, kind, token, content, now + seconds, now)
    return token


def _page_error(text: str, code: str) -> PageError:
    return PageError("An error was encountered with the requested page.", text, code)
