"""
Signing in to what a pool's logins name, and out again, down to the last trace.

Imports `linking` and `parts`; the sign-ins themselves are the login sources' own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import CognitoCredentialsError, ConfigurationError, clean
from ..logins.source import describe
from . import linking

if TYPE_CHECKING:
    from ..logins import Logins, Source
    from ..sign_in.source import SignInSource
    from .parts import Parts

SCOPES: Final = ("credentials", "login", "identity")


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What signing out of a pool did."""

    scope: str
    users: tuple[str, ...] = ()
    """Who was signed in, as people call them."""
    revoked: bool = False
    """Whether an issuer took back a refresh token."""
    problems: tuple[str, ...] = ()
    """Why a refresh token was not taken back, for people."""
    is_unreached: bool = False
    """Whether an issuer could not be told for now: no network, or it is asked too often."""
    others: tuple[str, ...] = ()
    """Logins that come from elsewhere: only there can they be ended."""
    had_credentials: bool = False
    """Whether there were credentials; those handed out stay valid until they expire."""
    identity_id: str | None = None
    """The identity that this machine has forgotten."""
    left: tuple[str, ...] = ()
    """Why the keyring has a key still, for people; it opens nothing any more."""
    kept: tuple[str, ...] = ()
    """Earlier sign-ins that were not ended, and why, for people."""


@dataclass(slots=True)
class _Ending:
    """What has been done so far."""

    users: list[str] = field(default_factory=list)
    revoked: bool = False
    problems: list[str] = field(default_factory=list)
    is_unreached: bool = False
    others: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    error: CognitoCredentialsError | None = None


def sign_ins(logins: Logins) -> list[SignInSource]:
    """Return the logins that people sign in to; nothing of `sign_in` is loaded where there are none."""
    return [cast("SignInSource", source) for _, source in logins.sources if source.is_sign_in]


def source_to_sign_in(parts: Parts, provider: str | None = None) -> SignInSource:
    """
    Find the login that a person signs in to.

    Raises:
        ConfigurationError: There is none, or there are several.
    """
    sources = sign_ins(parts.logins)
    if provider is not None:
        sources = [source for source in sources if source.provider == provider]
    if len(sources) == 1:
        return sources[0]
    if sources:
        raise ConfigurationError(
            "there are several logins to sign in to", hint="Say which by the name of its login provider"
        )
    profile = parts.settings.profile
    where = f"profile '{clean(profile, 80)}'" if profile else "this pool"
    elsewhere = ", ".join(describe(source) for _, source in parts.logins.sources)
    raise ConfigurationError(
        f"{where} names nothing to sign in to"
        + (f": its login comes from {elsewhere}" if elsewhere else "; it is a guest's"),
        hint="Set cognito_user_pool_id and cognito_client_id, or cognito_oidc_issuer and its client id",
    )


def sign_in(parts: Parts, *, link_guest: bool, provider: str | None, options: dict[str, Any]) -> str:
    """
    Have a person sign in.

    Args:
        parts: Of the pool.
        link_guest: Whether the identity of this machine's guest becomes the user's.
        provider: Which login, where there are several.
        options: Of `SignInSource.sign_in`.

    Returns:
        What people call the user.

    Raises:
        CognitoCredentialsError: Nobody signed in; or the guest could not be carried over, then the user is
            signed in all the same.
    """
    source = source_to_sign_in(parts, provider)
    account = parts.refresher.switch_user(lambda: source.sign_in(**options))
    if link_guest:
        linking.link_guest(parts)
    return account.shown


def sign_out(parts: Parts, scope: str, *, revoke: bool) -> SignedOut:
    """
    Sign out.

    Args:
        parts: Of the pool.
        scope: ``credentials`` alone; the ``login``, too; or the ``identity``, too.
        revoke: Whether the issuer is told.

    Raises:
        ConfigurationError: There is no such scope.
        CacheError: Something could not be removed; whatever could be is.
    """
    if scope not in SCOPES:
        raise ConfigurationError(
            f"there is no scope '{clean(str(scope), 40)}'",
            hint=f"Use {', '.join(SCOPES[:-1])} or {SCOPES[-1]}",
        )
    principal = parts.refresher.principal()  # before nobody can tell any more
    ending = _Ending()
    if scope != "credentials":
        # First: from here on no other process of this user gets new credentials, so that none come back.
        for _, source in parts.logins.sources:
            _end(source, ending, revoke=revoke)
    forgotten = parts.refresher.forget(principal, identity=scope == "identity")
    if ending.error is not None:
        raise ending.error
    return SignedOut(
        scope,
        tuple(ending.users),
        ending.revoked,
        tuple(ending.problems),
        ending.is_unreached,
        tuple(ending.others),
        forgotten.had_credentials,
        forgotten.identity_id,
        tuple(ending.left),
        tuple(ending.kept),
    )


def _end(source: Source, ending: _Ending, *, revoke: bool) -> None:
    if not source.is_sign_in:
        ending.others.append(describe(source))
        return
    try:
        done = cast("SignInSource", source).sign_out(revoke=revoke)
    except CognitoCredentialsError as error:
        ending.error = error
        return
    if done.account is not None:
        ending.users.append(done.account.shown)
    ending.kept += [each.still_here for each in done.earlier if each.is_kept]
    ending.is_unreached |= any(each.is_unreached for each in done.earlier)
    earlier = tuple(each for each in done.earlier if not each.is_kept)
    ending.users += [each.shown for each in earlier]
    for each in (done, *earlier):
        ending.revoked |= each.is_revoked
        ending.is_unreached |= each.is_unreached
        if each.problem:
            ending.problems.append(each.problem)
        if each.left:
            ending.left.append(each.left)
