"""
The sign-ins that lie on this machine, whatever the profiles say now.

A profile that is given another issuer or client finds another sign-in, or none; the refresh token of the one
before stays valid for weeks, and it must not go to the issuer that is configured now. Its account file says
whose it is, so it is ended there.

Imports `account`, `place`, `sign_in`; the issuers when there is something to tell them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from ...clock import Clock
from ...errors import CognitoCredentialsError, ConfigurationError
from ...regions import is_loopback, user_pool_issuer
from .. import shapes
from ..extra import needs_extra
from .account import Account, account_at
from .place import Place, key_of, keys_in, sign_in_directory
from .sign_in import EndedSignIn, SignIn

if TYPE_CHECKING:
    from ..issuers.issuer import Issuer
    from ..source import SignInSource


_log = logging.getLogger(__name__)
_PERHAPS_ANOTHERS: Final = (
    "it may be of a profile of this name in another config file; 'cognito-credentials logout --all' ends it"
)


class Profile(NamedTuple):
    """What is configured."""

    name: str | None
    """None for what programs sign in to without naming a profile."""
    settings: Mapping[str, Any]
    """For the CA bundle."""
    endpoint_url: str | None
    """Of the user pools API, where it is not AWS's."""


class Found(NamedTuple):
    """A sign-in, or what is left of one."""

    place: Place
    account: Account | None
    """None where only a secret is left."""
    endpoint_url: str | None = None
    """Of the user pools API, where the sign-in is known to have been made at another than AWS's."""
    profile: Profile | None = None
    """The one that has or had it: then its issuer and endpoint are known, by the name of its files."""


class Own(NamedTuple):
    """What a profile signs in to now."""

    profile_name: str | None
    config: str
    """`account.config_of` it."""
    issuer: str
    client_id: str
    endpoint_url: str | None
    """Of the user pools API, where it is not AWS's."""


class SignInsHere:
    """
    All sign-ins of this user on this machine.

    Args:
        environ: Environment variables.
        clock: Time.
        profile_settings: Those of the profile that `of_profile` is asked for, for the CA bundle.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        profile_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._environ = environ
        self._clock = clock or Clock()
        self._profile_settings = dict(profile_settings or {})

    def found(self) -> list[Found]:
        """
        List them.

        Raises:
            CacheError: There is no home, or the directory cannot be used.
        """
        path = sign_in_directory(self._environ)
        places = [Place(path, key) for key in keys_in(path)]
        return [Found(place, account_at(place)) for place in places]

    def of_profile(self, profile_name: str | None, endpoint_url: str | None) -> list[Found]:
        """
        List those that *profile_name* has or had, by any issuer and client.

        Args:
            profile_name: Its name.
            endpoint_url: Of the user pools API, as it is configured now.

        Raises:
            CacheError: As `found`.
        """
        profile = Profile(profile_name, self._profile_settings, endpoint_url)
        return [each for found in self.found() if (each := _recognized(found, profile))]

    def end(self, found: Found, *, revoke: bool = True) -> EndedSignIn:
        """
        End one, and have its own issuer revoke the refresh token where it can.

        Raises:
            CacheError: Something could not be removed.
            ServiceError: Another process is using it.
        """
        sign_in = SignIn(found.place, self._issuer(found), self._clock, "sign in again")
        return sign_in.end(revoke=revoke, is_proven=found.profile is not None)

    def end_others(self, own: Own, *, revoke: bool) -> list[EndedSignIn]:
        """
        End those of a profile that are not its own any more.

        Args:
            own: What it has now.
            revoke: Whether their issuers are told.

        Raises nothing: what its caller has done stands, and none keeps the others.
        """
        try:
            found = self.of_profile(own.profile_name, own.endpoint_url)
        except CognitoCredentialsError as error:
            return [_kept(None, error)]
        # At another endpoint it is one that stands beside it: variables lead there today, and back tomorrow.
        others = [each for each in found if not _is_of(each.account, own)]
        return [self._ended_or_kept(each, own, revoke=revoke) for each in others]

    def _ended_or_kept(self, found: Found, own: Own, *, revoke: bool) -> EndedSignIn:
        if found.account is None or found.account.config != own.config:
            return EndedSignIn(found.account, False, _PERHAPS_ANOTHERS, is_kept=True)
        try:
            return self.end(found, revoke=revoke)
        except CognitoCredentialsError as error:
            return _kept(found.account, error)

    def end_all(
        self,
        profiles: Sequence[Profile] = (),
        sources: Sequence[SignInSource] = (),
        *,
        revoke: bool = True,
    ) -> tuple[list[EndedSignIn], CognitoCredentialsError | None]:
        """
        End every one of them; returns what could not be removed, too.

        Args:
            profiles: All that are configured.
            sources: Theirs; each ends its own, since it may have a client secret that issuers ask for.
            revoke: Whether their issuers are told.

        Raises:
            CacheError: As `found`.
        """
        done, problem = _ended_by(sources, revoke=revoke), None
        profiles = (Profile(None, {}, None), *profiles)
        for found in self.found():
            known = next((each for profile in profiles if (each := _recognized(found, profile))), found)
            try:
                done.append(self.end(known, revoke=revoke))
            except CognitoCredentialsError as error:
                problem = error
        return done, problem

    def _issuer(self, found: Found) -> Callable[[], Issuer]:
        """Make the very issuer that the sign-in was made at: nobody else may see its refresh token."""

        def make() -> Issuer:
            account = found.account
            assert account is not None  # noqa: S101  (for the type checker; without one nothing is revoked)
            pool, profile = _user_pool_id(account), found.profile or Profile(None, {}, None)
            endpoint = found.endpoint_url or _stand_in(account)
            if pool and endpoint is None and found.profile is None:
                # Stand-ins sign as AWS, too: what one of them gave must not go to AWS, nor count as revoked.
                raise ConfigurationError("the endpoint that it was made at is not known")
            with needs_extra():
                from ...exchange.http import Network
                from ..issuers.oidc import OidcIssuer
                from ..issuers.user_pool import UserPoolIssuer

                network = Network(
                    clock=self._clock,
                    environ=self._environ,
                    region=pool.partition("_")[0] if pool else "",
                    endpoint_url=endpoint,
                    profile=profile.name,
                    profile_settings=profile.settings,
                )
                if pool:
                    return UserPoolIssuer(network, pool, account.client_id)
                return OidcIssuer(network, account.issuer, account.client_id)

        return make


def _ended_by(sources: Sequence[SignInSource], *, revoke: bool) -> list[EndedSignIn]:
    done: list[EndedSignIn] = []
    for source in sources:
        try:
            if source.account() is not None:
                ended = source.sign_out(revoke=revoke)
                done += [each for each in (ended, *ended.earlier) if not each.is_kept]
        except CognitoCredentialsError as error:  # noqa: PERF203  (none shall keep the others)
            # What is left of it is found among the files, and ended as those of no profile are.
            _log.debug("%r could not sign out: %s", source, error)
    return done


def _recognized(found: Found, profile: Profile) -> Found | None:
    """Return *found* with what is known of it, if *profile* has or had it; None otherwise."""
    place, account = found.place, found.account
    if account is None:
        return None
    for endpoint in dict.fromkeys((None, profile.endpoint_url, _stand_in(account))):
        # A file's name is the hash of what it belongs to: it is this profile's if that comes out.
        if place.key == key_of(profile.name, _issuer_of(account), account.client_id, endpoint):
            return Found(place, account, endpoint, profile)
    return None


def _is_of(account: Account | None, own: Own) -> bool:
    return account is not None and (_issuer_of(account), account.client_id) == (own.issuer, own.client_id)


def _kept(account: Account | None, error: CognitoCredentialsError) -> EndedSignIn:
    return EndedSignIn(account, False, error.message, is_unreached=True, is_kept=True)


def _user_pool_id(account: Account) -> str | None:
    """Return the id of the user pool that the account is of; None for another issuer."""
    base, _, name = account.issuer.rpartition("/")
    try:
        pool = shapes.user_pool_id(name, "issuer")
    except ConfigurationError:
        return None
    return pool if account.issuer == user_pool_issuer(pool) or _is_here(base) else None


def _stand_in(account: Account | None) -> str | None:
    """Return the endpoint of a stand-in on this machine that signs as itself."""
    if account is None or _user_pool_id(account) is None:
        return None
    base = account.issuer.rpartition("/")[0]
    return base if _is_here(base) else None


def _issuer_of(account: Account) -> str:
    """Return the issuer as the settings have it."""
    pool = _user_pool_id(account)
    return account.issuer if pool is None else user_pool_issuer(pool)


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
