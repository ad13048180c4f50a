"""
The client of a token endpoint (OAuth 2.0): it exchanges codes and refresh tokens for tokens, and revokes
them.

Authlib writes the requests and reads the answers. It is imported when this module is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlsplit

from authlib.oauth2.client import OAuth2Client

from ...errors import CognitoCredentialsError, RefusedError, ServiceError, clean, replaced
from ...exchange.deadline import remaining
from ...exchange.http import Answer, Http, Session
from ...exchange.redaction import without
from ...secret import Secret
from . import refusals
from .discovery import OFFLINE_ACCESS
from .tokens import Tokens, seconds_of

if TYPE_CHECKING:
    from .discovery import Metadata

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
ENOUGH_SECONDS: Final = 6.0
"""A refresh token is not sent when less than this is left of the deadline."""
_ERROR_TEXT_LIMIT: Final = 4096
_POLLING_CODES: Final = frozenset(("authorization_pending", "slow_down"))
"""Ordinary answers to a device that polls, even where an issuer sends them with HTTP 429."""


class TokenError(Exception):
    """
    The token endpoint refused.

    Args:
        code: ``error`` of the answer.
        description: ``error_description`` of the answer.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code)
        self.code = clean(code, 60)
        self.description = clean(description, 200)

    def explained(self, host: str) -> CognitoCredentialsError:
        """Return the error that users see."""
        return refusals.explained(host, self.code, self.description)


class TokenClient:
    """One client of one issuer, at its token endpoint."""

    def __init__(
        self, http: Http, metadata: Metadata, client_id: str, client_secret: Secret | None = None
    ) -> None:
        self._http = http
        self._metadata = metadata
        self._client_id = client_id
        self._client_secret = client_secret

    def scope(self, wanted: str) -> str:
        """Remove the scope for refresh tokens from *wanted*, where the issuer does not have that scope."""
        if self._metadata.has_offline_access:
            return wanted
        return " ".join(name for name in wanted.split() if name != OFFLINE_ACCESS)

    def authorization_url(
        self, *, redirect_uri: str, scope: str, state: str, nonce: str, verifier: Secret
    ) -> str:
        """Make the address to open in the browser (RFC 6749, RFC 7636 with S256)."""
        supported = self.scope(scope)
        client = OAuth2Client(
            Session(self._http),
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            scope=supported,
            code_challenge_method="S256",
        )
        more = {}
        if OFFLINE_ACCESS in scope.split():
            # Without the prompt an issuer must ignore the scope (OpenID Connect Core 1.0, section 11), and
            # Google gives a refresh token only at the first sign-in.
            more["prompt"] = "consent"
        if supported != scope:
            # Google refuses the scope and has this parameter instead. Other issuers ignore it (RFC 6749,
            # 3.1). Source: https://developers.google.com/identity/protocols/oauth2/web-server, access_type.
            more["access_type"] = "offline"
        url, _ = client.create_authorization_url(
            self._metadata.authorization_endpoint,
            state=state,
            code_verifier=verifier.reveal(),
            nonce=nonce,
            **more,
        )
        return str(url)

    def exchange(self, code: Secret, *, redirect_uri: str, verifier: Secret) -> Tokens:
        """
        Exchange an authorization code for tokens.

        Raises:
            TokenError: The issuer refused.
            ServiceError: The issuer does not answer.
        """
        return self._fetch(
            "authorization_code",
            {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier},
        )

    def device_code(self, endpoint: str, scope: str) -> Mapping[str, Any]:
        """
        Ask for a device code; the client authenticates as at the token endpoint (RFC 8628, 3.1).

        Returns:
            The JSON object of the answer.

        Raises:
            TokenError: The issuer refused.
            ServiceError: The issuer does not answer.
        """
        session = Session(self._http)
        with replaced(CognitoCredentialsError, by=_without_frames):
            answer = self._post_to_device_endpoint(session, endpoint, scope)
        if answer.status == 200:
            return answer.json()
        raise refusal(answer, [self._client_secret] if self._client_secret else ())

    def poll(self, device_code: Secret) -> Tokens:
        """Ask once whether the person has approved the device; raises the errors of `exchange`."""
        return self._fetch(DEVICE_GRANT, {"device_code": device_code})

    def refresh(self, refresh_token: Secret) -> Tokens:
        """
        Exchange a refresh token for new tokens.

        Raises:
            TokenError: The issuer refused.
            ServiceError: The issuer does not answer; or too little time is left to wait for the answer. Then
                the token is not sent, since the issuer may accept it only once.
        """
        if remaining() < ENOUGH_SECONDS:
            raise ServiceError(
                f"{clean(urlsplit(self._metadata.token_endpoint).hostname or '', 100)} answers too slowly",
                hint="Check this machine's network and proxy; a later try may succeed",
                topic="E-ISSUER",
            )
        return self._fetch("refresh_token", {"refresh_token": refresh_token})

    def revoke(self, refresh_token: Secret) -> bool:
        """
        Revoke a refresh token (RFC 7009).

        Returns:
            False where the issuer has no revocation endpoint.

        Raises:
            ServiceError: The issuer does not answer.
            RefusedError: The issuer refuses.
        """
        endpoint = self._metadata.revocation_endpoint
        if endpoint is None:
            return False
        session = Session(self._http)
        with replaced(Exception, by=_not_sent):
            self._client(session).revoke_token(
                endpoint,
                refresh_token.reveal(),
                token_type_hint="refresh_token",  # noqa: S106  (a kind of token)
            )
        answer = session.last
        assert answer is not None  # noqa: S101  (for the type checker; it has just come)
        if answer.status < 400:
            return True
        raise _unavailable(answer) or RefusedError(
            f"{answer.host} answered HTTP {answer.status} to revoking the sign-in",
            hint="End it on the issuer's own pages",
            code=str(answer.status),
            topic="E-ISSUER",
        )

    def _post_to_device_endpoint(self, session: Session, endpoint: str, scope: str) -> Answer:
        client = self._client(session)
        method = client.token_endpoint_auth_method
        # Google's endpoint needs the client id in the form even when it is in the header.
        named = {"client_id": self._client_id} if method == "client_secret_basic" else {}
        session.post(endpoint, {**named, "scope": self.scope(scope)}, None, client.client_auth(method))
        assert session.last is not None  # noqa: S101  (for the type checker; it has just come)
        return session.last

    def _fetch(self, grant_type: str, parameters: Mapping[str, str | Secret]) -> Tokens:
        session = Session(self._http)

        def explain(error: Exception) -> Exception:
            if isinstance(error, CognitoCredentialsError):
                return _unavailable(session.last) or error.with_traceback(None)
            if isinstance(error, TokenError):
                return error.with_traceback(None)
            # Authlib fails on an infinite lifetime, and on a description with a quote or a line break in it.
            # The code in the answer still decides whether the sign-in has ended.
            return refusal(session.last, self._sent(parameters))

        with replaced(Exception, by=explain):
            return self._request_tokens(session, grant_type, parameters)

    def _request_tokens(
        self, session: Session, grant_type: str, parameters: Mapping[str, str | Secret]
    ) -> Tokens:
        clear = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in parameters.items()
        }
        document = self._client(session).fetch_token(
            self._metadata.token_endpoint, grant_type=grant_type, **clear
        )
        answer = session.last
        assert answer is not None  # noqa: S101  (for the type checker; it has just come)
        if answer.status != 200:
            raise refusal(answer, self._sent(parameters))
        id_token, refresh_token = _secret(document, "id_token"), _secret(document, "refresh_token")
        # A new refresh token that comes alone is stored: the old one is no longer valid.
        is_rotated = grant_type == "refresh_token" and refresh_token is not None
        if id_token is None and not is_rotated:
            raise TokenError("no_id_token", "it gave no ID token, which is what identity pools take")
        now = self._http.now(answer)
        expires_in = seconds_of(document.get("expires_in"))
        return Tokens(id_token, refresh_token, _secret(document, "access_token"), now, expires_in=expires_in)

    def _sent(self, parameters: Mapping[str, str | Secret]) -> list[Secret]:
        """List the secrets of a request; an issuer may repeat them in its error."""
        return [value for value in (*parameters.values(), self._client_secret) if isinstance(value, Secret)]

    def _client(self, session: Session) -> OAuth2Client:
        secret, client_id, clear, method = self._client_secret, self._client_id, None, "none"
        if secret is not None:
            clear, method = secret.reveal(), "client_secret_post"
            if self._metadata.takes_basic:
                # Both are form-encoded before they go into the header (RFC 6749, 2.3.1); Authlib does not.
                client_id, clear, method = quote_plus(client_id), quote_plus(clear), "client_secret_basic"
        return OAuth2Client(
            session,
            client_id=client_id,
            client_secret=clear,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )


def refusal(answer: Answer | None, sent: Sequence[Secret] = ()) -> TokenError | ServiceError:
    """
    Make the error of an answer that is not a success.

    Args:
        answer: None where there was none.
        sent: The secrets of the request, which are removed from the answer's words.
    """
    document = {} if answer is None else answer.json()
    code, description = document.get("error"), document.get("error_description")
    if not (isinstance(code, str) and code):
        code = "invalid_response" if answer is None or answer.status == 200 else f"http_{answer.status}"
    unavailable = None if code in _POLLING_CODES else _unavailable(answer, code)
    said = without(sent, description[:_ERROR_TEXT_LIMIT]) if isinstance(description, str) else ""
    return unavailable or TokenError(without(sent, code[:_ERROR_TEXT_LIMIT]), said)


def _unavailable(answer: Answer | None, code: str = "") -> ServiceError | None:
    """Make the error of an issuer that throttles or fails; None for any other answer."""
    if answer is None:
        return None
    is_throttled = answer.status == 429 or code == "too_many_requests"
    if not is_throttled and answer.status != 408 and answer.status < 500:
        return None
    what = "is asked too often" if is_throttled else "is not available"
    return ServiceError(
        f"{answer.host} {what} (HTTP {answer.status})",
        hint="Wait a minute, then try again",
        code=str(answer.status),
        throttled=is_throttled,
        retry_after=answer.retry_after,
        topic="E-ISSUER",
    )


def _without_frames(error: CognitoCredentialsError) -> CognitoCredentialsError:
    """Drop the frames: the request in them has the client's secret and the token in clear."""
    return error.with_traceback(None)


def _not_sent(error: Exception) -> CognitoCredentialsError:
    if isinstance(error, CognitoCredentialsError):
        return _without_frames(error)
    # JSON can hold half of a surrogate pair, which no form can. The error of that has the token in it.
    return RefusedError(
        f"the refresh token cannot be sent ({type(error).__name__})",
        hint="End it on the issuer's own pages",
        topic="E-ISSUER",
    )


def _secret(document: Mapping[str, Any], name: str) -> Secret | None:
    value = document.get(name)
    return Secret(value) if isinstance(value, str) and value else None
