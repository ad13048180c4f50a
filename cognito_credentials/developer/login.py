"""
The app's half of developer authenticated identities: a login source that asks the app's back end.

The back end authenticates the user by the headers of the request. It answers with what
GetOpenIdTokenForDeveloperIdentity gave it (`back_end.developer_token`): an identity id and a token for it.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRequiredError,
    ServiceError,
    clean,
    replaced,
)
from ..exchange.interruption import drops_frames_on_error, drops_frames_on_interrupt
from ..importing import IMPORTING
from ..logins.claims import TOKEN_LIMIT, unverified_claims, unverified_provider
from ..logins.program import source_of_object
from ..logins.providers import own_identity_id
from ..logins.source import LoginSource, Source, as_ours, ask
from ..secret import Secret
from ..settings.endpoints import checked_endpoint

if TYPE_CHECKING:
    from ..exchange.http import Answer, Network

    Headers = Mapping[str, str | Secret]
    """Header name to value."""

HEADERS_LIMIT: Final = 16 * 1024
"""Characters of one header; more than servers take."""
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HTTP_HEADERS: Final = ("host", "content-length", "content-type", "transfer-encoding", "connection")
"""Headers that the HTTP client sets; a second Host would name another server."""


class DeveloperLogin(Source):
    """
    A login token from the app's own back end, asked for each time one is needed.

    The back end gets a POST with a JSON object as its body: empty, or with the ``IdentityId`` of the guest
    whose identity the user is to keep. It answers with a JSON object of ``IdentityId`` and ``Token``.

    Only the back end knows the user. So processes share credentials only where the pool has ``user``.

    Args:
        url: Address of the back end: https, or http to this machine.
        headers: The headers by which the back end authenticates its user, such as ``Authorization``: a
            mapping, a function that returns one, or a login source of ``Name: value`` lines.
        network: Proxies and CA bundle; by default those of the next three arguments.
        profile_name: Profile of the AWS config, for messages about the CA bundle.
        profile_settings: Its keys, of which ``ca_bundle`` counts.
        environ: Environment variables; the process's own by default.

    Raises:
        ConfigurationError: The address or a header is malformed, or could be read on the way.
    """

    may_make_identity = True

    @drops_frames_on_error
    def __init__(
        self,
        url: str,
        *,
        headers: Headers | Callable[[], Headers] | LoginSource | None = None,
        network: Network | None = None,
        profile_name: str | None = None,
        profile_settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._url = checked_endpoint(url, "the address of the back end")
        self._headers = (
            {} if headers is None else _checked(headers) if isinstance(headers, Mapping) else headers
        )
        self._network = network
        self._profile_name = profile_name
        self._profile_settings = dict(profile_settings or {})
        self._environ = environ
        self._guest: str | None = None
        self.description = f"developer:{clean(self._url, 200)}"

    def addresses(self) -> tuple[str, ...]:
        """Return the address of the back end."""
        return (self._url,)

    def for_guest(self, identity_id: str) -> DeveloperLogin:
        """Return a source that asks the back end to make the guest *identity_id* the user's."""
        source = copy.copy(self)
        source._guest = identity_id  # noqa: SLF001  (one class)
        return source

    @drops_frames_on_interrupt
    def token(self) -> Secret:
        """
        Ask the back end.

        Raises:
            LoginRequiredError: It does not know the user, or the source of the headers has none.
            ConfigurationError: It answers with something else than an identity id and a token for it.
            ServiceError: It cannot be reached.
        """
        # The frames of these errors hold the headers and the answer.
        with replaced(CognitoCredentialsError, by=lambda error: error.with_traceback(None)):
            return self._ask()

    def _ask(self) -> Secret:
        with IMPORTING:
            from ..exchange.http import Http, Network

        network = self._network or Network(
            environ=os.environ if self._environ is None else self._environ,
            profile=self._profile_name,
            profile_settings=self._profile_settings,
        )
        body = json.dumps({"IdentityId": self._guest} if self._guest else {})
        sent = {name: _text(value) for name, value in self._read_headers().items()}
        sent["Content-Type"] = "application/json"
        return _token(Http(network).send("POST", self._url, body, sent))

    def _read_headers(self) -> Headers:
        given = self._headers
        if isinstance(given, Mapping):
            return given
        source = source_of_object(given)
        if source is not None:
            return _parse(ask(source, None))
        what = f"the function that gives the headers for {self.description}"
        with replaced(Exception, by=lambda error: as_ours(error, what)):
            return _checked(given())  # type: ignore[operator]  # neither a mapping nor a source

    def __repr__(self) -> str:
        return f"DeveloperLogin({clean(self._url, 200)!r})"


def _token(answer: Answer) -> Secret:
    """Return the token of an answer; no error shows anything of the answer."""
    host = f"the back end {clean(urlsplit(answer.url).hostname or '', 100)}"
    if answer.status in (401, 403):
        raise LoginRequiredError(
            f"{host} does not know this user (HTTP {answer.status})",
            hint="Sign in to the app again, or correct the headers sent to its back end",
            topic="E-BACK-END",
        )
    if answer.status == 429 or answer.status >= 500:
        raise ServiceError(
            f"{host} answered with HTTP {answer.status}",
            hint="It is the app's own, not AWS's: try again, then look at its log",
            code=str(answer.status),
            retry_after=answer.retry_after,
            topic="E-BACK-END",
        )
    if answer.status != 200:
        raise ConfigurationError(
            f"{host} answered with HTTP {answer.status}",
            hint="Check the path of its address, and its log",
            topic="E-BACK-END",
        )
    try:
        values = answer.json()
    except ServiceError:
        values = {}
    identity_id, token = values.get("IdentityId"), values.get("Token")
    if not isinstance(identity_id, str) or not isinstance(token, str) or not 0 < len(token) <= TOKEN_LIMIT:
        raise ConfigurationError(
            f"the answer of {host} is not a JSON object with IdentityId and Token",
            hint="It must pass on what GetOpenIdTokenForDeveloperIdentity gave it",
            topic="E-BACK-END",
        )
    claims = unverified_claims(token)
    if own_identity_id(unverified_provider(claims or {}) or "", claims) != identity_id:
        # A user pool's token, for example, would bring credentials of another identity than the one named.
        raise ConfigurationError(
            f"the token in the answer of {host} was not issued by Cognito for the identity beside it",
            hint="It must pass on what GetOpenIdTokenForDeveloperIdentity gave it",
            topic="E-BACK-END",
        )
    return Secret(token)


def _parse(text: Secret) -> dict[str, Secret]:
    """Read ``Name: value`` lines."""
    headers: dict[str, str | Secret] = {}
    for line in text.reveal().splitlines():
        name, colon, value = line.partition(":")
        if line.strip():
            headers[name.strip() if colon else ""] = Secret(value.strip())
    return _checked(headers)


def _checked(headers: object) -> dict[str, Secret]:
    """Refuse what would end a header and begin another; no error shows a value."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError(
            f"the headers for the back end are {type(headers).__name__}, not a mapping",
            hint="Give {'Authorization': 'Bearer …'}",
            topic="E-BACK-END",
        )
    checked: dict[str, Secret] = {}
    for name, value in headers.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)) or name.lower() in _HTTP_HEADERS:
            raise ConfigurationError(
                "a header for the back end has no name that a header can have here",
                hint="Write lines such as 'Authorization: Bearer …'",
                topic="E-BACK-END",
            )
        text = _text(value) if isinstance(value, (str, Secret)) else ""
        if not text or len(text) > HEADERS_LIMIT or not (text.isascii() and text.isprintable()):
            raise ConfigurationError(
                f"the header {name} for the back end is empty, or holds what a header cannot",
                hint="It is one line of plain ASCII",
                topic="E-BACK-END",
            )
        checked[name] = Secret(text)
    return checked


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
