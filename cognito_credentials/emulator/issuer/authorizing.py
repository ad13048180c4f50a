"""
How a person signs in at the issuer: in a browser that a client sent, or with a code that a device shows.

Any name signs in, without a password: whoever reaches the issuer can be anybody. What counts is where a code
may be sent: only to this machine, to the emulator's own names, and to apps by their private schemes.

Source: https://openid.net/specs/openid-connect-core-1_0.html,
https://www.rfc-editor.org/rfc/rfc8252, https://www.rfc-editor.org/rfc/rfc8628 and
https://www.rfc-editor.org/rfc/rfc9207.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cognito_credentials.emulator.issuer.grants import (
    APPROVED,
    DENIED,
    PENDING,
    BrowserSession,
    Grant,
    Grants,
    new_id,
)
from cognito_credentials.emulator.issuer.tokens import CODE, DEVICE_CODE, SESSION, seal, unseal
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
from cognito_credentials.emulator.trail import decided, issued

SCOPES = ("openid", "profile", "email", "offline_access")
PROMPTS = ("none", "login", "consent", "select_account")
CODE_SECONDS = 300
DEVICE_CODE_SECONDS = 600
POLL_SECONDS = 5.0
SESSION_SECONDS = 3600
_MOST_NAME = 128
_MOST_CLIENT_ID = 255
_MOST_TEXT = 2048
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels: a code is no word; RFC 8628, 6.1."""
_USER_CODE_LETTERS = 8


@dataclass(frozen=True)
class Request:
    """An authorization request that may be answered at its redirect address."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    challenge: str
    prompts: frozenset[str]
    login_hint: str
    max_age: int | None


class Authorizing:
    """
    The part of the issuer that people see, without its pages.

    Args:
        address: The issuer's address, as the client or the browser wrote it.
        is_own_host: True for the host of an address that is the emulator's or this machine's.
    """

    def __init__(self, service: Service, address: str, is_own_host: Callable[[str], bool]) -> None:
        self._service = service
        self._address = address
        self._is_own_host = is_own_host
        self._grants = Grants(service.state)

    def read(self, parameters: Parameters) -> Request:
        """
        Check an authorization request.

        Raises:
            PageError: The client or its redirect address is wrong.
            SentBackError: Anything else is wrong.
        """
        client_id = self._client_id(parameters)
        redirect_uri = self._redirect_uri(parameters, "redirect_uri")
        try:
            return self._read(parameters, client_id, redirect_uri)
        except OAuthError as error:
            url = self._error_url(redirect_uri, parameters.get("state"), error)
            raise SentBackError(url, error) from None

    def answer_at_once(self, request: Request, cookie: str) -> str | None:
        """
        The address to go to without asking anybody, for a browser with that session *cookie*.

        Returns:
            None if the person must be asked.
        """
        session = self.session(cookie)
        if session is not None and not self._is_good_for(request, session):
            session = None
        if request.prompts and request.prompts != {"none"}:
            return None
        if session is None and request.prompts:
            return self._error_url(request.redirect_uri, request.state, OAuthError("login_required"))
        return None if session is None else self._code_url(request, session)

    def session(self, cookie: str) -> BrowserSession | None:
        """Who is signed in in the browser with that session cookie."""
        opened = unseal(self._service, SESSION, cookie)
        return self._grants.find_session(opened[0], self._service.clock.now()) if opened else None

    def sign_in(self, name: str) -> tuple[BrowserSession, str]:
        """
        Begin a session for the user *name*.

        Returns:
            The session, and the value of its cookie.

        Raises:
            ValueError: It cannot be a name. The text is for the person.
        """
        subject = name.strip()
        if not subject:
            raise ValueError("Type a name: any name will do.")
        if len(subject) > _MOST_NAME or not subject.isprintable():
            raise ValueError(f"A name has at most {_MOST_NAME} characters, in one line.")
        now = self._service.clock.now()
        session = BrowserSession(new_id(), subject, int(now), now + SESSION_SECONDS)
        self._grants.add_session(session, now)
        decided(f"{subject} is signed in in this browser")
        return session, seal(self._service, SESSION, session.id)

    def sign_out(self, cookie: str) -> None:
        """End the session of a browser."""
        opened = unseal(self._service, SESSION, cookie)
        if opened is not None:
            self._grants.delete_session(opened[0])

    def allow(self, request: Request, session: BrowserSession) -> str:
        """The address that takes a code to the client."""
        return self._code_url(request, session)

    def refuse(self, request: Request) -> str:
        """The address that tells the client that the person refused."""
        return self._error_url(request.redirect_uri, request.state, OAuthError("access_denied"))

    def after_sign_out(self, parameters: Parameters) -> str | None:
        """
        Where to go after a sign-out; None for nowhere.

        Raises:
            PageError: Nobody may be sent to that address.
        """
        if "post_logout_redirect_uri" not in parameters:
            return None
        address = self._redirect_uri(parameters, "post_logout_redirect_uri")
        return with_parameters(address, {"state": parameters["state"]}) if "state" in parameters else address

    def begin_device(self, client_id: str, parameters: Parameters) -> Mapping[str, Any]:
        """
        Answer a device that asks for a code; RFC 8628, 3.1 and 3.2.

        Raises:
            OAuthError: The request is wrong.
        """
        if not self.is_client(client_id):
            raise OAuthError("invalid_client", "no such client", 401)
        scope = _scope(parameters)
        now = self._service.clock.now()
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_USER_CODE_LETTERS))
        grant = Grant(
            new_id(),
            client_id,
            PENDING,
            scope,
            now + DEVICE_CODE_SECONDS,
            user_code=letters,
            interval=POLL_SECONDS,
        )
        self._grants.add(grant, now)
        issued(f"a code for a device of the client {client_id}")
        page = f"{self._address}/device"
        return {
            "device_code": seal(self._service, DEVICE_CODE, grant.id),
            "user_code": shown_code(letters),
            "verification_uri": page,
            "verification_uri_complete": with_parameters(page, {"user_code": shown_code(letters)}),
            "expires_in": DEVICE_CODE_SECONDS,
            "interval": int(POLL_SECONDS),
        }

    def waiting_device(self, user_code: str) -> Grant:
        """
        The device that shows *user_code*.

        Raises:
            ValueError: There is none. The text is for the person.
        """
        letters = re.sub(r"[^A-Z]", "", user_code.upper())
        if not letters:
            raise ValueError("Type the code that the device shows.")
        found = None
        if len(letters) == _USER_CODE_LETTERS:
            found = self._grants.find_pending(letters, self._service.clock.now())
        if found is None:
            raise ValueError("No device waits with this code. It may have expired, or been used.")
        return found

    def answer_device(self, grant: Grant, session: BrowserSession | None) -> None:
        """Let the device sign in as the user of *session*, or refuse."""
        if session is None:
            self._grants.update(replace(grant, state=DENIED, user_code=None))
            return
        self._grants.update(
            replace(
                grant,
                state=APPROVED,
                user_code=None,
                subject=session.subject,
                auth_time=session.auth_time,
            )
        )

    def is_client(self, client_id: str) -> bool:
        """True for a client that the seed registers, and for every client if it registers none."""
        registered = self._service.issuers.client_ids(self._address.partition("://")[2])
        if registered:
            return client_id in registered
        return 0 < len(client_id) <= _MOST_CLIENT_ID and client_id.isprintable()

    def _is_good_for(self, request: Request, session: BrowserSession) -> bool:
        age = self._service.clock.now() - session.auth_time
        is_new_enough = request.max_age is None or age <= request.max_age
        return is_new_enough and request.login_hint in ("", session.subject)

    def _client_id(self, parameters: Parameters) -> str:
        client_id = parameters.get("client_id", "")
        if "client_id" in parameters.repeated or not self.is_client(client_id):
            raise PageError("No such client", "The client_id is missing, or the issuer does not know it.")
        return client_id

    def _redirect_uri(self, parameters: Parameters, name: str) -> str:
        """The address in the parameter *name*, if a browser may be sent there with a code."""
        address = parameters.get(name, "")
        if name not in parameters.repeated and len(address) <= _MOST_TEXT and is_redirect_uri(address):
            parts = urlsplit(address)
            if parts.scheme in ("http", "https"):
                if self._is_own_host(parts.netloc):
                    return address
            elif "." in parts.scheme:  # RFC 8252, 7.1
                return address
        raise PageError(
            "The address to return to is wrong",
            f"{name} must lead to this machine, to a name that the emulator was started with "
            "(--allow-host), or to an app by a private scheme such as com.example.app:/callback.",
            "redirect_mismatch",
        )

    def _read(self, parameters: Parameters, client_id: str, redirect_uri: str) -> Request:
        for name in parameters.repeated:
            raise OAuthError("invalid_request", f"{name} occurs more than once")
        for name in ("request", "request_uri", "registration"):
            if name in parameters:
                raise OAuthError(f"{name}_not_supported")
        if parameters.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code")
        if parameters.get("response_mode", "query") != "query":
            raise OAuthError("invalid_request", "response_mode must be query")
        if parameters.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "PKCE is required, with code_challenge_method=S256")
        if not is_challenge(parameters.get("code_challenge", "")):
            raise OAuthError("invalid_request", "code_challenge must have 43 characters of base64url")
        prompts = frozenset(parameters.get("prompt", "").split())
        if not prompts <= set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
            raise OAuthError("invalid_request", f"prompt must be of {', '.join(PROMPTS)}; none stands alone")
        max_age = parameters.get("max_age", "")
        if max_age and re.fullmatch("[0-9]{1,9}", max_age) is None:
            raise OAuthError("invalid_request", "max_age must be seconds")
        if any(len(parameters.get(name, "")) > _MOST_TEXT for name in ("state", "nonce")):
            raise OAuthError("invalid_request", f"state and nonce have at most {_MOST_TEXT} characters")
        return Request(
            client_id,
            redirect_uri,
            _scope(parameters),
            parameters.get("state"),
            parameters.get("nonce"),
            parameters["code_challenge"],
            prompts,
            parameters.get("login_hint", "")[:_MOST_NAME].strip(),
            int(max_age) if max_age else None,
        )

    def _code_url(self, request: Request, session: BrowserSession) -> str:
        now = self._service.clock.now()
        grant = Grant(
            new_id(),
            request.client_id,
            APPROVED,
            request.scope,
            now + CODE_SECONDS,
            subject=session.subject,
            auth_time=session.auth_time,
            nonce=request.nonce,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
        )
        self._grants.add(grant, now)
        issued(f"a code for {session.subject} and the client {request.client_id}")
        code = seal(self._service, CODE, grant.id)
        answer = {"code": code, "state": request.state, "iss": self._address}
        return with_parameters(request.redirect_uri, answer)

    def _error_url(self, redirect_uri: str, state: str | None, error: OAuthError) -> str:
        answer = {
            "error": error.code,
            "error_description": error.description or None,
            "state": state if state is not None and len(state) <= _MOST_TEXT else None,
            "iss": self._address,
        }
        return with_parameters(redirect_uri, answer)


def shown_code(letters: str) -> str:
    """A user code as people read it: in two halves."""
    half = len(letters) // 2
    return f"{letters[:half]}-{letters[half:]}"


def _scope(parameters: Parameters) -> str:
    """The scopes that are given: those of the request that the issuer has. Others are ignored."""
    asked = parameters.get("scope", "openid").split()
    if "openid" not in asked:
        raise OAuthError("invalid_scope", "scope must have openid in it: identity pools take ID tokens")
    return " ".join(scope for scope in SCOPES if scope in asked)
