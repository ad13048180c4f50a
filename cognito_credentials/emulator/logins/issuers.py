"""
The public keys of login providers: from the seed, fetched and kept, or the emulator's own.

Fetching waits for another machine, which a call inside a transaction must not do. So a call that
misses keys raises KeysNeededError, the HTTP layer fetches them, as fetching.py says, and the call
starts again.
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
from cognito_credentials.emulator.logins.tokens import Jwt, verifies_with
from cognito_credentials.emulator.stored.state import State

_KEEP_SECONDS = 3600
_RETRY_SECONDS = 2
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
    fetched_at: float
    asked_at: float


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
            KeysNeededError: They must be fetched, or fetched again: the provider may have changed them.
        """
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
        """Where the seed says that the keys of *provider* are; None leaves it to discovery."""
        found = self._state.row("SELECT jwks_uri FROM issuers WHERE provider = ?", provider)
        return found["jwks_uri"] if found else None

    def keep(self, provider: str, keys: Sequence[Mapping[str, Any]] | None) -> None:
        """Keep what was fetched for *provider*; None when it could not be had."""
        now = self._clock.now()
        known = self._fetched.get(provider)
        if keys is None and known is not None and self._is_good(known):
            self._fetched[provider] = replace(known, asked_at=now)  # an outage takes no keys away
        else:
            self._fetched[provider] = _Fetched(keys, now, now)

    def forget(self) -> None:
        """Forget what was fetched."""
        self._fetched.clear()

    def _is_good(self, known: _Fetched) -> bool:
        return known.keys is not None and self._age(known.fetched_at) < _KEEP_SECONDS

    def _age(self, moment: float) -> float:
        """Seconds between now and *moment*; also before it, for a test may move the clock back."""
        return abs(self._clock.now() - moment)


def addresses_of(provider: str) -> tuple[str, ...]:
    """The issuers that *provider* may name: https, or http on this machine, which AWS could not reach."""
    http = (f"http://{provider}",) if is_on_this_machine(f"//{provider}") else ()
    return (f"https://{provider}", *http)


def provider_of(issuer: Any) -> str | None:
    """The provider whose tokens name *issuer*; None when no provider's can."""
    if not isinstance(issuer, str):
        return None
    provider = issuer.partition("://")[2]
    if issuer == GOOGLE:  # it alone writes its name without the scheme, too
        return issuer
    return provider if issuer in addresses_of(provider) else None


def _verifies_with_any(keys: Sequence[Mapping[str, Any]], token: Jwt) -> bool:
    return any(verifies_with(token, key) for key in signing_keys(keys, token.header.get("kid")))


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


def is_on_this_machine(url: str) -> bool:
    """True for an address whose host is this machine by name."""
    try:
        return urlsplit(url).hostname in _THIS_MACHINE
    except ValueError:
        return False
