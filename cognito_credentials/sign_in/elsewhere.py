"""
The sign-ins that lie on this machine, whatever the profiles say now.

A profile that is given another issuer or client finds another sign-in, or none; the refresh token of the one
before stays valid for weeks, and it must not go to the issuer that is configured now. Its account file says
whose it is, so it is ended there.

Imports `account`, `place`, `sign_in`; the issuers when there is something to tell them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from ..clock import Clock
from ..errors import CognitoCredentialsError, ConfigurationError
from ..loopback import is_loopback
from ..regions import user_pool_issuer
from . import shapes
from .account import Account, account_at
from .extra import needs_extra
from .place import Place, key_of, keys_in, sign_in_directory
from .sign_in import EndedSignIn, SignIn

if TYPE_CHECKING:
    from .issuer import Issuer


_PERHAPS_ANOTHERS: Final = (
    "it may be of a profile of this name in another config file; 'cognito-credentials logout --all' ends it"
)


class Found(NamedTuple):
    """A sign-in, or what is left of one."""

    place: Place
    account: Account | None
    """None where only a secret is left."""
    endpoint_url: str | None = None
    """Of the user pools API, where the sign-in is known to have been made at another than AWS's."""


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
        profile_name: Whose settings to send requests with; None for none.
        profile_settings: They, for the CA bundle.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        profile_name: str | None = None,
        profile_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._environ = environ
        self._clock = clock or Clock()
        self._profile_name = profile_name
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
        own = []
        for place, account, _ in self.found():
            for endpoint in dict.fromkeys((None, endpoint_url, _stand_in(account))):
                # A file's name is the hash of what it belongs to: it is this profile's if that comes out.
                if account is not None and place.key == key_of(
                    profile_name, _issuer_of(account), account.client_id, endpoint
                ):
                    own.append(Found(place, account, endpoint))
                    break
        return own

    def end(self, found: Found, *, revoke: bool = True) -> EndedSignIn:
        """
        End one, and have its own issuer revoke the refresh token where it can.

        Raises:
            CacheError: Something could not be removed.
            ServiceError: Another process is using it.
        """
        return SignIn(found.place, self._issuer(found), self._clock, "sign in again").end(revoke=revoke)

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

    def end_all(self, *, revoke: bool = True) -> tuple[list[EndedSignIn], CognitoCredentialsError | None]:
        """
        End every one of them; returns what could not be removed, too.

        Raises:
            CacheError: As `found`.
        """
        done, problem = [], None
        for found in self.found():
            try:
                done.append(self.end(found, revoke=revoke))
            except CognitoCredentialsError as error:  # noqa: PERF203  (none shall keep the others)
                problem = error
        return done, problem

    def _issuer(self, found: Found) -> Callable[[], Issuer]:
        """Make the very issuer that the sign-in was made at: nobody else may see its refresh token."""

        def make() -> Issuer:
            account = found.account
            assert account is not None  # noqa: S101  (for the type checker; without one nothing is revoked)
            pool = _user_pool_id(account)
            with needs_extra():
                from .http import Network
                from .oidc import OidcIssuer
                from .user_pool import UserPoolIssuer

                network = Network(
                    clock=self._clock,
                    environ=self._environ,
                    region=pool.partition("_")[0] if pool else "",
                    endpoint_url=found.endpoint_url or _stand_in(account),
                    profile=self._profile_name,
                    profile_settings=self._profile_settings,
                )
                if pool:
                    return UserPoolIssuer(network, pool, account.client_id)
                return OidcIssuer(network, account.issuer, account.client_id)

        return make


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
