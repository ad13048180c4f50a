"""
What a token endpoint gives, and the client that asks it (OAuth 2.0, through Authlib).

Imports `http` and `discovery`; Authlib when this module is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote_plus, urlsplit

from authlib.oauth2.client import OAuth2Client

from ...errors import CognitoCredentialsError, LoginRejectedError, RefusedError, ServiceError, clean
from ...exchange.deadline import remaining
from ...exchange.http import Answer, Http, Session, without
from ...secret import Secret
from .discovery import OFFLINE_ACCESS, Metadata

if TYPE_CHECKING:
    from ..kept.kept import Device

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_OVERLOADED: Final = frozenset(("temporarily_unavailable", "server_error", "slow_down"))
ENOUGH_SECONDS: Final = 6.0
"""What must be left of a deadline for a refresh token to be sent."""
_LONGEST_SAID: Final = 4096
_PACED: Final = frozenset(("authorization_pending", "slow_down"))
"""What a device's polling is told, by some issuers with HTTP 429; no failure of theirs."""


class Tokens(NamedTuple):
    """What signing in or refreshing gave."""

    id_token: Secret | None
    """None where a refresh gave a new refresh token alone (OpenID Connect Core, 12.2)."""
    refresh_token: Secret | None
    """None where the issuer gave no (new) one."""
    access_token: Secret | None
    now: float
    """The issuer's time, seconds since the epoch."""
    device: Device | None = None
    """To which a user pool has bound the refresh token."""


class TokenError(Exception):
    """
    The token endpoint refused.

    Args:
        code: Its ``error``.
        description: Its ``error_description``, cleaned.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code)
        self.code = clean(code, 60)
        self.description = clean(description, 200)

    def explained(self, host: str) -> CognitoCredentialsError:
        """Say it to people."""
        said = f": {self.description}" if self.description else ""
        if self.code in _OVERLOADED:
            return ServiceError(
                f"{host} is not available ({self.code}){said}",
                hint="Try again later",
                throttled=self.code == "slow_down",
            )
        hint = "Sign in again"
        if self.code in ("invalid_client", "unauthorized_client", "invalid_scope"):
            hint = "Check the client id, its grants and its scopes at the issuer"
        return LoginRejectedError(f"{host} refused ({self.code}){said}", hint=hint, code=self.code)


class TokenClient:
    """
    One client of one issuer, at its token endpoint.

    Args:
        http: Sends the requests.
        metadata: Of the issuer.
        client_id: The client.
        client_secret: Of a client that has one.
    """

    def __init__(
        self, http: Http, metadata: Metadata, client_id: str, client_secret: Secret | None = None
    ) -> None:
        self._http = http
        self._metadata = metadata
        self._client_id = client_id
        self._client_secret = client_secret

    def scope(self, wanted: str) -> str:
        """Leave out of *wanted* the scope for refresh tokens, where the issuer does not have it."""
        if self._metadata.has_offline_access:
            return wanted
        return " ".join(name for name in wanted.split() if name != OFFLINE_ACCESS)

    def authorization_url(
        self, *, redirect_uri: str, scope: str, state: str, nonce: str, verifier: Secret
    ) -> str:
        """Make the address to open in the browser (RFC 6749, RFC 7636 with S256)."""
        taken = self.scope(scope)
        client = OAuth2Client(
            Session(self._http),
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            scope=taken,
            code_challenge_method="S256",
        )
        more = {}
        if OFFLINE_ACCESS in scope.split():
            # Without the prompt an issuer must ignore the scope (OpenID Connect Core, 11), and Google gives a
            # refresh token the first time only.
            more["prompt"] = "consent"
        if taken != scope:
            # Google's way: it refuses the scope. Who does not know the parameter ignores it (RFC 6749, 3.1).
            # Source: developers.google.com/identity/protocols/oauth2/web-server, access_type.
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
        Trade an authorization code for tokens.

        Raises:
            TokenError: The issuer refused.
            ServiceError: It does not answer.
        """
        return self._fetch(
            "authorization_code",
            {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier},
        )

    def ask_for_device_code(self, endpoint: str, scope: str) -> Answer:
        """
        Ask for a device code; the client authenticates as at the token endpoint (RFC 8628, 3.1).

        Raises:
            ServiceError: There is no answer.
        """
        outcome = self._device_code(endpoint, scope)
        if isinstance(outcome, CognitoCredentialsError):
            raise outcome
        return outcome

    def _device_code(self, endpoint: str, scope: str) -> Answer | CognitoCredentialsError:
        """Ask; what goes wrong is returned, so that no error carries the client's secret in its frames."""
        client, session = self._client()
        method = client.token_endpoint_auth_method
        # Who authenticates in a header is named in the form all the same: Google's endpoint wants it there.
        named = {"client_id": self._client_id} if method == "client_secret_basic" else {}
        try:
            session.post(endpoint, {**named, "scope": self.scope(scope)}, None, client.client_auth(method))
        except CognitoCredentialsError as error:
            return error.with_traceback(None)
        assert session.last is not None  # noqa: S101  (for the type checker; it has just come)
        return session.last

    def refusal(self, answer: Answer) -> TokenError | ServiceError:
        """Read the refusal of a device code."""
        return refusal(answer, [self._client_secret] if self._client_secret else ())

    def poll(self, device_code: Secret) -> Tokens:
        """
        Ask once whether the person has approved the device; errors as in `exchange`.
        """
        return self._fetch(DEVICE_GRANT, {"device_code": device_code})

    def refresh(self, refresh_token: Secret) -> Tokens:
        """
        Trade a refresh token for new tokens; errors as in `exchange`.

        Raises:
            ServiceError: Besides, there is too little time left to wait for an answer: it is not sent then,
                since an issuer may take it only once.
        """
        if remaining() < ENOUGH_SECONDS:
            raise ServiceError(
                f"{clean(urlsplit(self._metadata.token_endpoint).hostname or '', 100)} answers too slowly",
                hint="Check this machine's network and proxy; a later try may succeed",
            )
        return self._fetch("refresh_token", {"refresh_token": refresh_token})

    def revoke(self, refresh_token: Secret) -> bool:
        """
        Revoke a refresh token (RFC 7009); False where the issuer offers no such thing.

        Raises:
            ServiceError: It does not answer, or refuses.
        """
        endpoint = self._metadata.revocation_endpoint
        if endpoint is None:
            return False
        problem = self._revoke(endpoint, refresh_token)
        if problem is not None:
            raise problem
        return True

    def _revoke(self, endpoint: str, refresh_token: Secret) -> CognitoCredentialsError | None:
        client, session = self._client()
        try:
            client.revoke_token(
                endpoint,
                refresh_token.reveal(),
                token_type_hint="refresh_token",  # noqa: S106  (a kind of token)
            )
        except CognitoCredentialsError as error:
            return error.with_traceback(None)
        answer = session.last
        assert answer is not None  # noqa: S101  (for the type checker; it has just come)
        if answer.status < 400:
            return None
        return _unavailable(answer) or RefusedError(
            f"{answer.host} answered HTTP {answer.status} to revoking the sign-in",
            hint="End it on the issuer's own pages",
            code=str(answer.status),
        )

    def _fetch(self, grant_type: str, parameters: Mapping[str, str | Secret]) -> Tokens:
        outcome = self._ask(grant_type, parameters)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _ask(
        self, grant_type: str, parameters: Mapping[str, str | Secret]
    ) -> Tokens | TokenError | CognitoCredentialsError:
        """Ask; what goes wrong is returned, so that no error carries tokens in its frames."""
        client, session = self._client()
        sent = [value for value in (*parameters.values(), self._client_secret) if isinstance(value, Secret)]
        clear = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in parameters.items()
        }
        try:
            given = client.fetch_token(self._metadata.token_endpoint, grant_type=grant_type, **clear)
            return self._read(given, session, grant_type, sent)
        except CognitoCredentialsError as error:
            return _unavailable(session.last) or error.with_traceback(None)
        except Exception:  # noqa: BLE001  (whatever it is, its frames have the token in them)
            # Authlib itself fails on an endless lifetime, and on a description with a quote or a line break
            # in it; and the code, which decides whether the sign-in has ended, would be lost with it.
            return refusal(session.last, sent)

    def _read(
        self, given: Mapping[str, Any], session: Session, grant_type: str, sent: Sequence[Secret]
    ) -> Tokens | TokenError | ServiceError:
        answer = session.last
        assert answer is not None  # noqa: S101  (for the type checker; it has just come)
        if answer.status != 200:
            return refusal(answer, sent)
        id_token, refresh_token = _secret(given, "id_token"), _secret(given, "refresh_token")
        # The old refresh token is worth nothing now, so that a new one that came alone must get out.
        is_rotated = grant_type == "refresh_token" and refresh_token is not None
        if id_token is None and not is_rotated:
            return TokenError("no_id_token", "it gave no ID token, which is what identity pools take")
        now = self._http.now(answer)
        return Tokens(id_token, refresh_token, _secret(given, "access_token"), now)

    def _client(self) -> tuple[OAuth2Client, Session]:
        session, secret = Session(self._http), self._client_secret
        client_id, clear, method = self._client_id, None, "none"
        if secret is not None:
            clear, method = secret.reveal(), "client_secret_post"
            if self._metadata.takes_basic:
                # Authlib leaves out that each of them is written as in a form first (RFC 6749, 2.3.1).
                client_id, clear, method = quote_plus(client_id), quote_plus(clear), "client_secret_basic"
        client = OAuth2Client(
            session,
            client_id=client_id,
            client_secret=clear,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
        return client, session


def refusal(answer: Answer | None, sent: Sequence[Secret] = ()) -> TokenError | ServiceError:
    """Read a refusal, without what was *sent*; too many requests and the issuer's own failures are none."""
    document = {} if answer is None else answer.json()
    code, description = document.get("error"), document.get("error_description")
    if not (isinstance(code, str) and code):
        code = "invalid_response" if answer is None or answer.status == 200 else f"http_{answer.status}"
    unavailable = None if code in _PACED else _unavailable(answer, code)
    said = without(sent, description[:_LONGEST_SAID]) if isinstance(description, str) else ""
    return unavailable or TokenError(without(sent, code[:_LONGEST_SAID]), said)


def _unavailable(answer: Answer | None, code: str = "") -> ServiceError | None:
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
    )


def _secret(given: Mapping[str, Any], name: str) -> Secret | None:
    value = given.get(name)
    return Secret(value) if isinstance(value, str) and value else None
