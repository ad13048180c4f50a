"""
One identity, several logins: a guest becomes a user, a user signs in by one more way, a login is taken off.

A guest's identity is carried over by sending its id with the user's logins: the service then makes it the
user's, or, where the logins have an identity already, answers with that one and disables the guest's. Either
way the guest is no more, and nothing of it stays here: its credentials would now act within a user's identity
(aws-amplify/amplify-js#14207 and #3627).

Imports `parts` and `logins`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import TYPE_CHECKING

from ..cache.waiting import holding
from ..errors import ConfigurationError, LoginRequiredError
from ..logins import Logins, LoginSource
from ..logins.providers import check_provider
from ..refresh import policy
from ..refresh.identities import Who

if TYPE_CHECKING:
    from ..settings.settings import Settings
    from .parts import Parts


def guest_of(parts: Parts) -> Who:
    """Say who the same user is as a guest of the same pool."""
    principal = Logins().of_user(parts.logins.user).principal()
    assert principal is not None  # noqa: S101  (for the type checker; a guest needs no token)
    settings = parts.settings
    return Who(principal, settings.identity_key(principal), settings.credentials_key(principal), None)


def guest_identity(parts: Parts) -> str | None:
    """Return the identity that this machine has as a guest of the pool; None when it has none."""
    record = parts.records.identity(guest_of(parts).identity_key)
    return None if record is None else record.identity_id


def link(parts: Parts, logins: Logins, user: str | None) -> Parts:
    """
    Sign in with more logins, keeping the identity.

    Args:
        parts: Of the pool as it is: a guest's, or a user's.
        logins: The new ones; one of a provider that is there already takes its place.
        user: Who this is, where the logins cannot tell; None to leave it as it is.

    Returns:
        The parts of the user.

    Raises:
        ConfigurationError: The pool has a fixed identity, or *logins* are empty.
        CognitoCredentialsError: The service did not link them; everything is as it was.
    """
    _check_free(parts.settings)
    if logins.is_guest:
        raise ConfigurationError("there is no login to link", hint="Give {'accounts.google.com': token}")
    before = parts.logins
    if before.is_guest:
        known = parts.exchanger.identities.known(guest_of(parts)) or guest_identity(parts)
    else:
        known = parts.exchanger.identities.known(parts.exchanger.identify())
    replaced = {provider for provider in logins.providers if provider is not None}
    kept = tuple(pair for pair in before.sources if pair[0] not in replaced)
    joined = Logins((*kept, *logins.sources), logins.origin)
    new = parts.with_logins(joined.of_user(before.user if user is None else user))
    if known is None:
        new.refresher.refresh()
    elif before.is_guest:
        _carry_guest(new, guest_of(parts), known)
    else:
        _carry(new, known)
    return new


def carry_guest_over(parts: Parts) -> bool:
    """
    Make the guest's identity the one of the user who has just signed in.

    Returns:
        Whether there was a guest.

    Raises:
        ConfigurationError: The pool has a fixed identity.
        CognitoCredentialsError: The service did not do it; everything is as it was.
    """
    _check_free(parts.settings)
    known = guest_identity(parts)
    if known is not None:
        _carry_guest(parts, guest_of(parts), known)
    return known is not None


def unlink(parts: Parts, provider: str) -> Parts:
    """
    Take the login of *provider* off the identity.

    Returns:
        The parts of who is left: by the other logins, or, without any, as nobody has used them yet.

    Raises:
        LoginRequiredError: Nobody is signed in.
        ConfigurationError: *provider* is no login provider.
        CognitoCredentialsError: The service did not do it.
    """
    name = check_provider(provider, "unlink")
    if parts.logins.is_guest:
        raise LoginRequiredError(
            "a guest has no logins to take off", hint="Sign in with a login of the identity first"
        )
    who = parts.exchanger.identify()
    parts.exchanger.unlink(who, name)
    _forget(parts, who)
    left = tuple(pair for pair in parts.logins.sources if pair[0] != name)
    if not left or len(left) == len(parts.logins.sources):
        return parts
    return parts.with_logins(dataclasses.replace(parts.logins, sources=left))


def forget(parts: Parts, who: Who, *, identity: bool) -> tuple[bool, bool]:
    """
    Remove what is kept of *who*, once nobody is writing it.

    Returns:
        Whether there were credentials, and whether there was an identity.
    """
    with _alone(parts, who):
        had_credentials = parts.records.store.delete("credentials", who.credentials_key)
        parts.records.store.delete("state", who.credentials_key)
        had_identity = identity and parts.exchanger.identities.forget(who)
    parts.refresher.forget()
    return had_credentials, had_identity


def _forget(parts: Parts, who: Who) -> None:
    forget(parts, who, identity=True)


def _carry_guest(parts: Parts, guest: Who, identity_id: str) -> None:
    # Alone with the guest's records: a refresh of the guest that is under way would write them once more.
    with _alone(parts, guest):
        _carry(parts, identity_id)
        for kind, key in (
            ("credentials", guest.credentials_key),
            ("state", guest.credentials_key),
            ("identity", guest.identity_key),
        ):
            parts.records.store.delete(kind, key)


def _carry(parts: Parts, identity_id: str) -> None:
    """Ask for credentials of *identity_id* with the logins of *parts*, and take the identity that answers."""
    before = parts.logins.sources
    sources = tuple((name, _for_guest(source, identity_id)) for name, source in before)
    if any(given is not source for (_, given), (_, source) in zip(sources, before, strict=True)):
        # A back end links by itself when it is told of the guest; its answer names the identity.
        asking = parts.with_logins(dataclasses.replace(parts.logins, sources=sources))
        asking.refresher.refresh()
        return
    who = parts.exchanger.identify()
    parts.exchanger.identities.carry(who, identity_id)
    try:
        parts.refresher.refresh(who)
    except BaseException:
        # Also on Ctrl-C: a guest's identity must not stay behind as that of a user who was not linked to it.
        parts.exchanger.identities.drop_carried(who)
        raise


def _for_guest(source: LoginSource, identity_id: str) -> LoginSource:
    telling = getattr(source, "for_guest", None)
    return telling(identity_id) if callable(telling) else source


def _check_free(settings: Settings) -> None:
    if settings.identity_id is not None:
        origin = settings.origins.get("identity_id", "its setting")
        raise ConfigurationError(
            f"the identity is fixed by identity_id, which is from {origin}",
            hint="Remove identity_id: linking may end at another identity",
        )


def _alone(parts: Parts, who: Who) -> contextlib.AbstractContextManager[None]:
    """Hold the lock of *who*; after a while go on without, since nothing depends on it for correctness."""
    lock = parts.records.lock(who.identity_key)
    return holding(lock, policy.WAITER_BUDGET, parts.clock, random.SystemRandom())
