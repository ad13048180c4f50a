"""
The public keys of login providers: from the seed, fetched and cached, or the emulator's own.

A call runs in a transaction, so it must not wait for another machine. A call that needs keys raises
KeysNeededError, the HTTP layer fetches them (`fetching`), and the call starts again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cognito_credentials.emulator.clock import Clock
from cognito_credentials.emulator.logins.key_set import signing_keys
from cognito_credentials.emulator.logins.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID, SigningKeys
from cognito_credentials.emulator.logins.tokens import RSA_ALGORITHMS, Jwt, verifies_with
from cognito_credentials.emulator.stored.state import State

_CACHE_SECONDS = 3600
_RETRY_SECONDS = 2
"""A provider is asked again after this time at the earliest, however many forged tokens name it."""

GOOGLE = "accounts.google.com"
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class KeysNeededError(Exception):
    """The keys of *provider* must be fetched before this call can be answered."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self.provider = provider


@dataclass(frozen=True)
class _FetchedKeys:
    """
    What a provider answered.

    Attributes:
        keys: None if they could not be fetched.
        fetched_at: When the keys came, in seconds since the epoch by the emulator's clock.
        asked_at: When the provider was asked last, by the same clock.
    """

    keys: Sequence[Mapping[str, Any]] | None
    fetched_at: float
    asked_at: float


class Issuers:
    """
    The login providers: their client ids and their keys, from the seed, the provider or the test issuer.

    Args:
        offline: Keys may be fetched from this machine alone.
    """

    def __init__(self, state: State, keys: SigningKeys, clock: Clock, offline: bool = False) -> None:
        self.offline = offline
        self._state = state
        self._keys = keys
        self._clock = clock
        self._fetched: dict[str, _FetchedKeys] = {}

    def client_ids(self, provider: str) -> Sequence[str]:
        """The client ids that the seed registers for *provider*; empty if it registers none."""
        found = self._state.row("SELECT client_ids FROM issuers WHERE provider = ?", provider)
        return json.loads(found["client_ids"]) if found else ()

    def is_known(self, provider: str) -> bool:
        """Whether the seed describes *provider*."""
        found = self._state.row("SELECT 1 FROM issuers WHERE provider = ?", provider)
        return found is not None

    def verifies(self, provider: str, token: Jwt) -> bool | None:
        """
        Whether *provider* signed the token.

        Returns:
            None if the provider's keys cannot be fetched. False without asking for keys if the token is not
            signed with RSA; reference/service.md#5.2.9b.

        Raises:
            KeysNeededError: The keys must be fetched, or fetched again: the provider may have new ones.
        """
        if token.header.get("alg") not in RSA_ALGORITHMS:
            return False
        if token.header.get("kid") == TEST_ISSUER_KEY_ID:
            key = self._keys.find(TEST_ISSUER)
            return key is not None and verifies_with(token, key.public_key())
        found = self._state.row("SELECT jwks FROM issuers WHERE provider = ?", provider)
        if found and found["jwks"]:
            return _verifies_with_any(json.loads(found["jwks"])["keys"], token)
        known = self._fetched.get(provider)
        if known is None:
            raise KeysNeededError(provider)
        if self._is_good(known) and _verifies_with_any(known.keys or (), token):
            return True
        if self._age(known.asked_at) >= _RETRY_SECONDS:
            raise KeysNeededError(provider)
        return None if known.keys is None else False

    def keys_uri(self, provider: str) -> str | None:
        """The address of the keys, if the seed has it; otherwise the discovery document has it."""
        found = self._state.row("SELECT jwks_uri FROM issuers WHERE provider = ?", provider)
        return found["jwks_uri"] if found else None

    def keep(self, provider: str, keys: Sequence[Mapping[str, Any]] | None) -> None:
        """Cache the fetched keys of *provider*; None if they could not be fetched."""
        now = self._clock.now()
        known = self._fetched.get(provider)
        if keys is None and known is not None and self._is_good(known):
            self._fetched[provider] = replace(known, asked_at=now)  # The old keys outlast an outage.
        else:
            self._fetched[provider] = _FetchedKeys(keys, now, now)

    def forget(self) -> None:
        """Empty the cache of fetched keys."""
        self._fetched.clear()

    def _is_good(self, known: _FetchedKeys) -> bool:
        return known.keys is not None and self._age(known.fetched_at) < _CACHE_SECONDS

    def _age(self, moment: float) -> float:
        """Seconds between now and *moment*, which may be ahead: a test may set the clock back."""
        return abs(self._clock.now() - moment)


def addresses_of(provider: str) -> tuple[str, ...]:
    """The issuers of *provider*: https, and for a provider on this machine http, which AWS never takes."""
    http = (f"http://{provider}",) if is_on_this_machine(f"//{provider}") else ()
    return (f"https://{provider}", *http)


def names_of(issuer: Any) -> tuple[str, ...]:
    """
    The names that a provider with tokens of *issuer* may have, without the scheme; empty if it is no issuer.

    An issuer may end with a slash, as Auth0's do: the name is then that with the slash, or without it.
    Source: reference/service.md#5.1.12.
    """
    if not isinstance(issuer, str):
        return ()
    if issuer == GOOGLE:  # reference/service.md#5.2.7a
        return (issuer,)
    name = issuer.partition("://")[2]
    if issuer not in addresses_of(name):
        return ()
    return (name, name[:-1]) if name.endswith("/") else (name,)


def _verifies_with_any(keys: Sequence[Mapping[str, Any]], token: Jwt) -> bool:
    return any(verifies_with(token, key) for key in signing_keys(keys, token.header.get("kid")))


def may_be_fetched(url: str) -> bool:
    """Whether keys may be fetched from *url*: over https, where nobody changes them, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        return False
    if not host or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


def is_on_this_machine(url: str) -> bool:
    """Whether the host of *url* is a name of this machine."""
    try:
        return urlsplit(url).hostname in _THIS_MACHINE
    except ValueError:
        return False
