"""
Sign-ins on this machine that no profile leads to any more: found by their files, ended at their own issuer.

A profile that is given another issuer or client leads to another sign-in. The refresh token of the one before
stays valid for weeks, and must not go to the issuer that is configured now. The account file names the issuer
that it was made at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from ..errors import CognitoCredentialsError, ConfigurationError
from ..importing import IMPORTING
from ..logins.signed_out import SignedOut
from ..regions import is_loopback, is_user_pool_id, original_issuer, user_pool_issuer
from .extra import needs_extra
from .kept.account import Account, account_at
from .kept.place import Place, key_of, keys_in, sign_in_directory
from .kept.sign_in import SignIn

if TYPE_CHECKING:
    from ..clock import Clock
    from .issuers.issuer import Issuer

_OF_ANOTHER_CONFIG: Final = (
    "it may be of a profile of this name in another config file; 'cognito-credentials logout --all' ends it"
)


class Profile(NamedTuple):
    """What the files of a profile's sign-ins are named by, and how its issuers are reached."""

    name: str | None
    """None for the sign-ins of programs that name no profile."""
    settings: Mapping[str, Any]
    """The profile's keys, for the CA bundle."""
    endpoint_url: str | None
    """The endpoint of the user pools API, where it is not AWS's."""


class Leftover(NamedTuple):
    """The files of a sign-in."""

    place: Place
    account: Account | None
    """None where only a secret is left."""
    profile: Profile | None = None
    """The profile that signed in; None where the name of the files matches none."""
    endpoint_url: str | None = None
    """The endpoint that the profile signed in at, where it is not AWS's."""


def find(environ: Mapping[str, str], profiles: Sequence[Profile]) -> list[Leftover]:
    """
    List all sign-ins on this machine, each with the one of *profiles* that made it.

    Raises:
        CacheError: The user has no home directory, or the directory cannot be used.
    """
    directory = sign_in_directory(environ)
    return [_read(Place(directory, key), profiles) for key in keys_in(directory)]


def end(leftover: Leftover, environ: Mapping[str, str], clock: Clock, *, revoke: bool) -> SignedOut:
    """
    End a sign-in, and have the issuer that it was made at revoke its refresh token.

    Raises:
        CacheError: A file cannot be removed.
        ServiceError: Another process is using the sign-in.
    """
    sign_in = SignIn(leftover.place, lambda: _make_issuer(leftover, environ, clock), clock, "Sign in again")
    done = sign_in.end(revoke=revoke, is_proven=leftover.profile is not None)
    account = leftover.account
    return done if account is None else replace(done, users=(account.shown_with_issuer,))


def end_earlier(
    profile: Profile,
    current: tuple[str, str],
    config: str,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    revoke: bool,
) -> list[SignedOut]:
    """
    End what *profile* signed in to before its issuer or client was changed. Errors are among the results.

    A sign-in at another endpoint of the same issuer and client is none of these: an environment variable that
    names the endpoint may have another value tomorrow.

    Args:
        current: The profile's issuer and client id now.
        config: `account.config_of` the profile; the sign-ins of another config file are not ended.
    """
    try:
        found = find(environ, [profile])
    except CognitoCredentialsError as error:
        return [_not_ended(None, error.message, is_unreached=True)]
    done = []
    for each in found:
        account = each.account
        if account is None or each.profile is None or (_issuer_of(account), account.client_id) == current:
            continue
        if account.config != config:
            done.append(_not_ended(account, _OF_ANOTHER_CONFIG))
            continue
        try:
            done.append(end(each, environ, clock, revoke=revoke))
        except CognitoCredentialsError as error:
            done.append(_not_ended(account, error.message, is_unreached=True))
    return done


def _not_ended(account: Account | None, why: str, *, is_unreached: bool = False) -> SignedOut:
    what = "What this profile had before"
    if account is not None:
        what = f"The sign-in of {account.shown_with_issuer}"
    return SignedOut(kept=(f"{what} is still here: {why}",), is_unreached=is_unreached)


def _read(place: Place, profiles: Sequence[Profile]) -> Leftover:
    account = account_at(place)
    if account is None:
        return Leftover(place, None)
    issuer, client_id = _issuer_of(account), account.client_id
    for profile in profiles:
        for endpoint in dict.fromkeys((None, profile.endpoint_url, _user_pool_of(account)[1])):
            if place.key == key_of(profile.name, issuer, client_id, endpoint):
                return Leftover(place, account, profile, endpoint)
    return Leftover(place, account)


def _user_pool_of(account: Account) -> tuple[str | None, str | None]:
    """
    Read a user pool out of an issuer's address.

    Returns:
        The pool's id; None for another issuer. And the endpoint, where it is an emulator's on this machine
        that signs with its own address as the issuer.
    """
    address, _, pool_id = account.issuer.rpartition("/")
    if not is_user_pool_id(pool_id):
        return None, None
    if original_issuer(account.issuer) == user_pool_issuer(pool_id):
        return pool_id, None
    return (pool_id, address) if is_loopback(urlsplit(address).hostname or "") else (None, None)


def _issuer_of(account: Account) -> str:
    """Return the issuer as `SignInSource.issuer` has it: for an emulated user pool, AWS's address."""
    pool_id, _ = _user_pool_of(account)
    return account.issuer if pool_id is None else user_pool_issuer(pool_id)


def _make_issuer(leftover: Leftover, environ: Mapping[str, str], clock: Clock) -> Issuer:
    account, profile = leftover.account, leftover.profile or Profile(None, {}, None)
    assert account is not None  # noqa: S101  (for the type checker; nothing is revoked without an account)
    pool_id, own_endpoint = _user_pool_of(account)
    endpoint = leftover.endpoint_url or own_endpoint
    if pool_id and endpoint is None and leftover.profile is None:
        # It may be an emulator's that signs as AWS. AWS would accept its token and call it revoked.
        raise ConfigurationError(
            "the endpoint that it was made at is not known; have the user pool end the user's sign-ins, and "
            "next time set AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER as the program had it",
            topic="E-ISSUER",
        )
    with needs_extra():
        with IMPORTING:
            from ..exchange.http import Network
            from .issuers.oidc import OidcIssuer
            from .issuers.user_pool import UserPoolIssuer

        network = Network(
            clock=clock,
            environ=environ,
            region=pool_id.partition("_")[0] if pool_id else "",
            endpoint_url=endpoint,
            profile=profile.name,
            profile_settings=profile.settings,
        )
        if pool_id:
            return UserPoolIssuer(network, pool_id, account.client_id)
        return OidcIssuer(network, account.issuer, account.client_id)
