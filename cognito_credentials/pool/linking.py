"""
One identity, several logins: a guest becomes a user, a user gets one more login, a login is taken off.

A guest becomes a user by asking for credentials of the guest's identity with the user's logins. The service
then links the logins to that identity. If they have an identity already, it answers with that one, and the
guest's is disabled. In both cases the guest's records are removed here: its credentials would act within a
user's identity. Sources: https://github.com/aws-amplify/amplify-js/issues/14207 and
https://github.com/aws-amplify/amplify-js/issues/3627
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, LoginRequiredError
from ..logins import Logins
from ..logins.providers import check_provider

if TYPE_CHECKING:
    from ..settings.settings import Settings
    from .parts import Parts


def guest_identity(parts: Parts) -> str | None:
    """Return the identity that this machine has as a guest of the pool; None when it has none."""
    return parts.as_guest().refresher.remembered_identity()


def link(parts: Parts, logins: Logins, user: str | None) -> Parts:
    """
    Sign in with more logins, keeping the identity.

    Args:
        parts: The parts before, for the guest or the user.
        logins: The new logins. One replaces a login of the same provider.
        user: Who this is, where the logins cannot tell; None to leave it as it is.

    Returns:
        The parts of the user.

    Raises:
        ConfigurationError: The pool has a fixed identity, or *logins* are empty.
        CognitoCredentialsError: The service did not link them; everything is as it was.
    """
    _check_not_fixed(parts.settings)
    if logins.is_guest:
        raise ConfigurationError(
            "there is no login to link", hint="Give {'accounts.google.com': token}", topic="E-LINK"
        )
    before = parts.logins
    identity_id = parts.refresher.remembered_identity()
    replaced = {provider for provider in logins.providers if provider is not None}
    kept = tuple(pair for pair in before.sources if pair[0] not in replaced)
    derived = before.derived | logins.derived
    joined = Logins((*kept, *logins.sources), logins.origin, derived=derived)
    name = before.user if user is None else user
    linked = parts.with_logins(joined.of_user(name, parts.settings.sign_in_dir))
    if identity_id is None:
        linked.refresher.refresh()
    elif before.is_guest:
        parts.refresher.hand_over(lambda: _link(linked, identity_id))
    else:
        _link(linked, identity_id)
    return linked


def link_guest(parts: Parts) -> bool:
    """
    Make the guest's identity that of the user who has just signed in.

    Returns:
        Whether there was a guest.

    Raises:
        ConfigurationError: The pool has a fixed identity.
        CognitoCredentialsError: The service did not do it; everything is as it was.
    """
    _check_not_fixed(parts.settings)
    guest = parts.as_guest()
    identity_id = guest.refresher.remembered_identity()
    if identity_id is not None:
        guest.refresher.hand_over(lambda: _link(parts, identity_id))
    return identity_id is not None


def unlink(parts: Parts, provider: str) -> Parts:
    """
    Take the login of *provider* off the identity.

    Returns:
        The parts with the logins that are left; without any, the same parts, which get another identity.

    Raises:
        LoginRequiredError: Nobody is signed in.
        ConfigurationError: *provider* is no login provider.
        CognitoCredentialsError: The service did not do it.
    """
    name = check_provider(provider, "unlink")
    if parts.logins.is_guest:
        raise LoginRequiredError(
            "a guest has no logins to take off",
            hint="Sign in with a login of the identity first",
            topic="E-LINK",
        )
    parts.refresher.unlink(name)
    left = tuple(pair for pair in parts.logins.sources if pair[0] != name)
    if not left or len(left) == len(parts.logins.sources):
        return parts
    return parts.with_logins(dataclasses.replace(parts.logins, sources=left))


def _link(parts: Parts, identity_id: str) -> None:
    """Make *identity_id* that of the user of *parts*."""
    before = parts.logins.sources
    sources = tuple((name, source.for_guest(identity_id)) for name, source in before)
    if any(new is not source for (_, new), (_, source) in zip(sources, before, strict=True)):
        # A back end links by itself once it knows the guest, and its answer names the identity.
        parts.with_logins(dataclasses.replace(parts.logins, sources=sources)).refresher.refresh()
    else:
        parts.refresher.link(identity_id)


def _check_not_fixed(settings: Settings) -> None:
    if settings.identity_id is not None:
        origin = settings.origins.get("identity_id", "its setting")
        raise ConfigurationError(
            f"the identity is fixed by identity_id, which is from {origin}",
            hint="Remove identity_id: linking may end at another identity",
            topic="E-IDENTITY-ID",
        )
