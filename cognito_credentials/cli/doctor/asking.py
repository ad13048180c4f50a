"""
The login sources and the keyring, asked: each once, as when credentials are needed.

A ``command:`` source is run. A sign-in is asked where the next command would ask it, too, or where its token
tells the role (``--pool-details``): it is renewed as always, with the lock and the store of every renewal, so
no refresh token is redeemed without need, or lost.
A back end is not asked: it makes an identity for a user whom it sees for the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...cache.records import decode_credentials
from ...logins.command import CommandSource
from ...logins.source import describe
from .asked_pool import own_record
from .check import Result, ok, skipped
from .logins import judged

if TYPE_CHECKING:
    from .setup import Setup

_KEYRING_SECONDS: Final = 2.0
"""How long the keyring may take for each answer: one that hangs hangs twice, since the item is removed."""


def keyring(setup: Setup) -> Iterator[Result]:
    """The keyring takes a secret, gives it back, and removes it; only where a sign-in is kept in it."""
    from ...pool.signing_in import sign_ins
    from ...sign_in.kept.account import account_at
    from ...sign_in.kept.keyring_store import KeyringStore

    for source in sign_ins(setup.parts.logins):
        place = source.files()
        account = account_at(place)
        if (account.store if account else source.store or "keyring") != "keyring":
            continue
        store = KeyringStore(place, _KEYRING_SECONDS)
        store.try_out()
        yield ok(f"{store.location} keeps secrets")
        return
    yield ok("no keyring is used")


def tokens(setup: Setup) -> Iterator[Result]:
    """Each login source has a token of the right provider and kind, which has not expired."""
    logins = setup.parts.logins
    if logins.is_guest:
        yield ok("no login source is configured")
        return
    back_end = next((source for _, source in logins.sources if source.may_make_identity), None)
    if back_end is not None:
        yield skipped(
            f"{describe(back_end)} is not asked: a back end makes an identity for a user who is new to it"
        )
        return
    sign_in = next((source for _, source in logins.sources if source.is_sign_in), None)
    if sign_in is not None and not setup.details and _is_fresh(setup):
        yield ok(f"{describe(sign_in)} is not asked: the credentials that are kept are not due")
        return
    resolved = setup.resolved
    for (_, source), (provider, token) in zip(logins.sources, resolved.tokens.items(), strict=True):
        if isinstance(source, CommandSource):
            yield ok(f"{describe(source)} was run")
        yield from judged(setup, provider, source, token)


def _is_fresh(setup: Setup) -> bool:
    """Tell whether credentials of the sign-in are kept that the next command would not renew."""
    principal = setup.parts.refresher.principal()
    if principal is None:
        return False
    key = principal.credentials_key
    data = own_record(setup.settings, "credentials", key)
    record = None if data is None else decode_credentials(key, data)
    return record is not None and setup.now() < record.refresh_at
