"""
One authorization request, and its one valid answer (RFC 6749, 7636, 9207 and 8252).

``state`` binds the answer to this request: an attacker cannot make this process redeem the attacker's code.
The PKCE verifier binds the code to this process: an attacker cannot redeem the user's code. ``nonce`` binds
the ID token to both.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ...errors import CognitoCredentialsError, ConfigurationError, LoginRejectedError, clean, replaced
from ...secret import Secret
from ..issuers import refusals
from ..issuers.token_client import TokenError

if TYPE_CHECKING:
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Verified

_SINGLE: Final = ("state", "error", "iss")
_MOST_PARAMETERS: Final = 20
_QUOTES: Final = "'\"<>` "
"""Mails and shells put these around an address; no address begins or ends with one."""


class AnswerRefused(Exception):  # noqa: N818  (shown in the browser; the sign-in goes on waiting)
    """
    An answer to another request, or a second answer.

    Args:
        why: For people, without any part of the answer.
        reported: The refusal that the answer reports, where nothing proves that it is this request's, nor
            that it is not. Whoever can open a page in the browser can make one up.
    """

    def __init__(self, why: str, reported: CognitoCredentialsError | None = None) -> None:
        super().__init__(why)
        self.reported = reported


class RedirectAnswer(NamedTuple):
    """The query of a redirect: every value of every parameter."""

    codes: list[Secret]
    parameters: dict[str, list[str]]
    """All parameters but ``code``."""


class Authorization:
    """
    A request to sign in with a browser.

    Args:
        redirect_uri: The address that the issuer sends the browser to, with the answer.
        scope: Scopes, separated by spaces.

    Raises:
        ConfigurationError: The issuer has no authorization endpoint.
        ServiceError: The issuer does not answer.
    """

    def __init__(self, issuer: Issuer, redirect_uri: str, scope: str) -> None:
        self._issuer = issuer
        self._redirect_uri = redirect_uri
        self._state = secrets.token_urlsafe(32)
        self._nonce = secrets.token_urlsafe(32)
        self._verifier = Secret(secrets.token_urlsafe(64))
        self._lock = threading.Lock()
        self._is_open = True
        metadata = issuer.metadata()
        self._says_issuer = metadata.says_issuer
        if metadata.authorization_endpoint is None:
            raise ConfigurationError(
                f"the issuer {clean(metadata.issuer, 120)} does not sign in with a browser",
                hint="Sign in with a code that is typed in elsewhere: way='device' in Python, --device",
                topic="E-BROWSER",
            )
        self.url = issuer.client().authorization_url(
            redirect_uri=redirect_uri,
            scope=scope,
            state=self._state,
            nonce=self._nonce,
            verifier=self._verifier,
        )
        """The address to open in a browser. Other users must not see it in a process list (`callback`)."""
        self.host = clean(urlsplit(self.url).hostname or "", 100)
        """The host of that address, for people."""

    def accept(self, answer: RedirectAnswer) -> Secret:
        """
        Check the answer; only one is accepted.

        Returns:
            The authorization code.

        Raises:
            AnswerRefused: It is not the answer to this request, or a second one.
            LoginRejectedError: It is the answer, and the issuer refused.
            ServiceError: It is the answer, and the issuer is not available.
        """
        for name in _SINGLE:
            if len(answer.parameters.get(name, ())) > 1 or len(answer.codes) > 1:
                raise AnswerRefused(f"it has '{name if len(answer.codes) < 2 else 'code'}' more than once")
        parameters = {name: values[0] for name, values in answer.parameters.items()}
        refusal = _refusal(parameters)
        self._check_proof(parameters, refusal)
        with self._lock:
            if not self._is_open:
                raise AnswerRefused("this sign-in has had its answer")
            self._is_open = False
        if refusal is not None:
            raise refusal
        if not answer.codes or not answer.codes[0]:
            raise LoginRejectedError(
                "the issuer answered without a code", hint="Sign in again", topic="E-BROWSER"
            )
        return answer.codes[0]

    def redeem(self, code: Secret) -> Verified:
        """
        Exchange the code for tokens, and verify them.

        Raises:
            LoginRejectedError: The issuer refuses the code, or the ID token is not valid.
            ServiceError: The issuer does not answer.
        """
        with replaced(TokenError, by=lambda error: error.explained("the issuer")):
            tokens = self._issuer.client().exchange(
                code, redirect_uri=self._redirect_uri, verifier=self._verifier
            )
        return self._issuer.verified(tokens, self._nonce)

    def read_pasted(self, pasted: Secret) -> RedirectAnswer:
        """
        Read the address that the person copied from the browser.

        Raises:
            AnswerRefused: It is not the address that the issuer redirects to.
        """
        answer = _answer_at(self._redirect_uri, pasted.reveal())
        if answer is None:
            raise AnswerRefused(f"it does not begin with {self._redirect_uri}, or is malformed")
        return answer

    def _check_proof(self, parameters: dict[str, str], refusal: CognitoCredentialsError | None) -> None:
        state = parameters.get("state", "")
        if not state:
            # User pools leave it out where a trigger or the identity provider behind them has refused.
            # Source: https://github.com/aws/aws-sdk-js-v3/issues/6201.
            raise AnswerRefused("it has no state: it does not come from this sign-in", refusal)
        if not hmac.compare_digest(state.encode("utf-8", "replace"), self._state.encode("ascii")):
            raise AnswerRefused("its state is not that of this sign-in")
        named, expected = parameters.get("iss"), self._issuer.metadata().issuer
        if named == expected or (named is None and not self._says_issuer):
            return
        if expected.startswith(named or ""):
            cut = "it does not name the whole of its issuer: it seems to be cut off at its end"
            raise AnswerRefused(cut, refusal)
        raise AnswerRefused("it is from another issuer")


def query_of(query: str) -> RedirectAnswer | None:
    """Read the query of a redirect; None when it is malformed."""
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError:
        return None
    return RedirectAnswer([Secret(code) for code in found.pop("code", ())], found)


def _answer_at(address: str, text: str) -> RedirectAnswer | None:
    text = text.strip().strip(_QUOTES)
    scheme = address.partition("://")[0] + "://"
    if "://" not in text.partition("?")[0]:
        text = scheme + text  # some browsers show and copy an address without it
    try:
        parts, expected = urlsplit(text), urlsplit(address)
    except ValueError:
        return None
    if (parts.scheme, parts.netloc, parts.path) != (expected.scheme, expected.netloc, expected.path):
        return None
    return query_of(parts.query)


def _refusal(parameters: dict[str, str]) -> CognitoCredentialsError | None:
    """Return the error that an answer reports; None for an answer without one."""
    if "error" not in parameters:
        return None
    return refusals.explained("the issuer", parameters["error"], parameters.get("error_description", ""))
