"""Signing in to the login source of a pool, and signing out of it. The sources keep the sign-ins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar, cast

from ..errors import CognitoCredentialsError, ConfigurationError, clean
from ..importing import IMPORTING
from ..logins.signed_out import SignedOut
from ..logins.source import describe
from . import linking

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..logins import Logins
    from ..secret import Secret
    from ..sign_in.signed_in import SignedIn
    from ..sign_in.source import Asked, SignInSource
    from .parts import Parts

T = TypeVar("T")
_KEYS: Final = "cognito_user_pool_id and cognito_client_id, or cognito_oidc_issuer and its client id"
SCOPES: Final = ("credentials", "login", "identity")


def sign_ins(logins: Logins) -> list[SignInSource]:
    """Return the logins that people sign in to. Nothing of `sign_in` is loaded for this."""
    return [cast("SignInSource", source) for _, source in logins.sources if source.is_sign_in]


def source_to_sign_in(parts: Parts, provider: str | None = None) -> SignInSource:
    """
    Return the login that a person signs in to; of *provider*, where there are several.

    Raises:
        ConfigurationError: No login can be signed in to, or several can.
    """
    sources = sign_ins(parts.logins)
    if provider is not None:
        sources = [source for source in sources if source.provider == provider]
    if len(sources) == 1:
        return sources[0]
    if sources:
        raise ConfigurationError(
            "there are several logins to sign in to",
            hint="Say which by the name of its login provider",
            topic="E-LOGINS",
        )
    profile = parts.settings.profile
    where = f"profile '{clean(profile, 80)}'" if profile else "this pool"
    elsewhere = ", ".join(describe(source) for _, source in parts.logins.sources)
    raise ConfigurationError(
        f"{where} names nothing to sign in to"
        + (f": its login comes from {elsewhere}" if elsewhere else "; it is a guest's"),
        hint=f"Set {_KEYS}"
        if profile
        else f"Give logins=UserPool(…) or logins=OidcLogin(…) in Python; or a profile with {_KEYS}",
        topic="E-LOGINS",
    )


def sign_in(parts: Parts, begin: Callable[[SignInSource], T], *, link_guest: bool, provider: str | None) -> T:
    """
    Have a person sign in.

    Args:
        begin: Calls `SignInSource.sign_in`, or another of its ways.
        link_guest: Whether the identity of this machine's guest becomes the user's.
        provider: The login provider, where there are several logins.

    Returns:
        What *begin* returns.

    Raises:
        CognitoCredentialsError: Nobody signed in; or the guest could not be linked, but the user is
            signed in.
    """
    source = source_to_sign_in(parts, provider)
    account = parts.refresher.switch_user(lambda: begin(source))
    if link_guest:
        linking.link_guest(parts)
    return account


def refresh_token(given: object) -> Secret:
    """
    Check a refresh token that a program gives.

    Raises:
        ConfigurationError: It is no text, or empty.
    """
    with IMPORTING:
        from ..sign_in import checks

    return checks.refresh_token(given, "token from argument")


def typed(username: object, password: object) -> tuple[str, Secret | None]:
    """
    Check what a person has typed into a form.

    Raises:
        LoginRejectedError: Something is empty.
        ConfigurationError: Something is no text.
    """
    with IMPORTING:
        from ..sign_in import checks

    return checks.typed_name(username), None if password is None else checks.typed(password, "the password")


def step(
    parts: Parts, act: Callable[[], SignedIn | Asked], *, link_guest: bool, announce: Callable[[], None]
) -> SignedIn:
    """
    Do one step of a sign-in that a form of an app drives.

    Args:
        act: Begins the sign-in, or answers a question.
        link_guest: As `sign_in` has it.
        announce: Announces a change of the identity; called after each step.

    Raises:
        ChallengeRequired: There is a question to the person.
        CognitoCredentialsError: As `sign_in`.
    """
    with IMPORTING:
        from ..sign_in.challenge import ChallengeRequired
        from ..sign_in.source import Asked

    def signed_in() -> SignedIn:
        outcome = act()
        if not isinstance(outcome, Asked):
            return outcome
        # Raised within `switch_user`: nobody has signed in, and what is held stays.
        raise ChallengeRequired(
            outcome.question,
            lambda text, attributes: step(
                parts, lambda: outcome.answer(text, attributes), link_guest=link_guest, announce=announce
            ),
        )

    try:
        account = parts.refresher.switch_user(signed_in)
        if link_guest:
            linking.link_guest(parts)
        return account
    finally:
        announce()


def sign_out(parts: Parts, scope: str, *, revoke: bool) -> SignedOut:
    """
    Sign out.

    Args:
        scope: ``credentials`` removes these; ``login`` also ends the sign-in; ``identity`` also forgets the
            identity id.
        revoke: Whether the issuer is asked to revoke the refresh token.

    Raises:
        ConfigurationError: *scope* is none of these.
        CacheError: Something could not be removed; everything else is.
    """
    if scope not in SCOPES:
        raise ConfigurationError(
            f"there is no scope '{clean(str(scope), 40)}'",
            hint=f"Use {', '.join(SCOPES[:-1])} or {SCOPES[-1]}",
            topic="E-LOGINS",
        )
    principal = parts.refresher.principal()  # before the sign-in is removed
    done, error = SignedOut(scope=scope), None
    try:
        # Before the credentials are removed: another process cannot get new ones from here on.
        for _, source in parts.logins.sources if scope != "credentials" else ():
            if not source.is_sign_in:
                done += SignedOut(others=(describe(source),))
                continue
            try:
                done += cast("SignInSource", source).sign_out(revoke=revoke)
            except CognitoCredentialsError as problem:
                error = problem
    except BaseException:
        # Ctrl-C: a sign-out that has begun goes on to its end, and nothing leads to the credentials after it.
        if any(source.principal() is None for source in sign_ins(parts.logins)):
            parts.refresher.forget(principal, identity=scope == "identity")
        raise
    forgotten = parts.refresher.forget(principal, identity=scope == "identity")
    if error is not None:
        raise error
    return replace(done, had_credentials=forgotten.had_credentials, identity_id=forgotten.identity_id)
