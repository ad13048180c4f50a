"""
The public keys of login providers: from the seed, fetched and kept, or the emulator's own.

Fetching waits for another machine, which a call inside a transaction must not do. So a call that
misses keys raises KeysNeededError, the HTTP layer fetches them, and the call starts again.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt.exceptions import PyJWTError

from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID, SigningKeys
from cognito_credentials.emulator.state import State
from cognito_credentials.emulator.tokens import Jwt, verifies_with

_FETCH_SECONDS = 5
_MAX_DOCUMENT_BYTES = 512 * 1024
_KEEP_SECONDS = 3600
_RETRY_SECONDS = 1
GOOGLE = "accounts.google.com"
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class KeysNeededError(Exception):
    """The keys of *provider* must be fetched before this call can be answered."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self.provider = provider


@dataclass(frozen=True)
class _Fetched:
    keys: Sequence[Mapping[str, Any]] | None
    at: float

    def is_good_for(self, token: Jwt, now: float) -> bool:
        """Whether *token* may be judged by this; a key of a new name may have come since."""
        if now < self.at + _RETRY_SECONDS:
            return True
        if self.keys is None or now > self.at + _KEEP_SECONDS:
            return False
        name = token.header.get("kid")
        return name is None or any(key.get("kid", name) == name for key in self.keys)


class Issuers:
    """
    What is known about login providers.

    Args:
        state: Where the seed put issuers.
        keys: The emulator's own keys.
        clock: Says until when fetched keys are good.
    """

    def __init__(self, state: State, keys: SigningKeys, clock: Clock) -> None:
        self._state = state
        self._keys = keys
        self._clock = clock
        self._fetched: dict[str, _Fetched] = {}

    def client_ids(self, provider: str) -> Sequence[str]:
        """The client ids registered for *provider*; empty when none were."""
        found = self._state.row("SELECT client_ids FROM issuers WHERE provider = ?", provider)
        return json.loads(found["client_ids"]) if found else ()

    def is_known(self, provider: str) -> bool:
        """True when the seed describes *provider*."""
        found = self._state.row("SELECT 1 FROM issuers WHERE provider = ?", provider)
        return found is not None

    def verifies(self, provider: str, token: Jwt) -> bool | None:
        """
        Whether *token* is signed by *provider*.

        Returns:
            None when the provider's keys could not be had.

        Raises:
            KeysNeededError: They have not been asked for yet.
        """
        if token.header.get("kid") == TEST_ISSUER_KEY_ID:
            key = self._keys.find(TEST_ISSUER)
            return key is not None and verifies_with(token, key.public_key())
        found = self._state.row("SELECT jwks FROM issuers WHERE provider = ?", provider)
        if found and found["jwks"]:
            return _verifies_with_any(json.loads(found["jwks"])["keys"], token)
        fetched = self._fetched.get(provider)
        if fetched is None or not fetched.is_good_for(token, self._clock.now()):
            raise KeysNeededError(provider)
        if fetched.keys is None:
            return None
        return _verifies_with_any(fetched.keys, token)

    def fetch(self, provider: str) -> None:
        """Get the keys of *provider* over the network; blocks for some seconds at most."""
        with self._state.transaction():  # another thread than that of the calls
            found = self._state.row("SELECT jwks_uri FROM issuers WHERE provider = ?", provider)
        try:
            uri = found["jwks_uri"] if found and found["jwks_uri"] else None
            keys = [key for key in _load(uri or _discovered(provider))["keys"] if isinstance(key, dict)]
        except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
            self._fetched[provider] = _Fetched(None, self._clock.now())
            return
        self._fetched[provider] = _Fetched(keys, self._clock.now())

    def forget(self) -> None:
        """Forget what was fetched."""
        self._fetched.clear()


def addresses_of(provider: str) -> tuple[str, ...]:
    """The issuers that *provider* may name: https, or http on this machine, which AWS could not reach."""
    try:
        is_here = urlsplit(f"//{provider}").hostname in _THIS_MACHINE
    except ValueError:
        is_here = False
    return (f"https://{provider}", *((f"http://{provider}",) if is_here else ()))


def provider_of(issuer: Any) -> str | None:
    """The provider whose tokens name *issuer*; None when no provider's can."""
    if not isinstance(issuer, str):
        return None
    provider = issuer.partition("://")[2]
    if issuer == GOOGLE:  # it alone writes its name without the scheme, too
        return issuer
    return provider if issuer in addresses_of(provider) else None


def _discovered(provider: str) -> str:
    """Look up where the keys of *provider* are."""
    problem: OSError | None = None
    for address in addresses_of(provider):
        try:
            return str(_load(f"{address}/.well-known/openid-configuration")["jwks_uri"])
        except OSError as error:  # noqa: PERF203  (two at most)
            problem = error
    raise problem or OSError


def _verifies_with_any(keys: Iterable[Mapping[str, Any]], token: Jwt) -> bool:
    wanted = token.header.get("kid")
    for key in keys:
        if wanted is not None and key.get("kid", wanted) != wanted:
            continue
        try:
            public_key = jwt.PyJWK.from_dict(dict(key)).key
        except (PyJWTError, ValueError, TypeError):
            continue  # a key of a kind that is not ours; another may fit
        if verifies_with(token, public_key):
            return True
    return False


def may_be_fetched(url: str) -> bool:
    """True for https, and for http on this machine: keys that anyone could change on the way are none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        return False
    if not host or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where keys may be fetched from."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        """Raise ValueError for another place."""
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str) -> None:
    if not may_be_fetched(url):
        raise ValueError("refusing to fetch keys from there")


def _load(url: Any) -> dict[str, Any]:
    _check_address(url)
    with urllib.request.build_opener(_Redirects).open(url, timeout=_FETCH_SECONDS) as answer:
        document = json.loads(answer.read(_MAX_DOCUMENT_BYTES))
    if not isinstance(document, dict):
        raise TypeError("not a JSON object")
    return document
