"""
`IdentityPool`: one Amazon Cognito identity pool, and who one is in it.

Joins settings, wire, cache and policy, and announces changed identities; holds no rule of its own.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from ..cache.waiting import SingleFlight
from ..clock import Clock
from ..logins import Logins
from ..settings.settings import Settings, check_arguments, load
from . import linking, signing_in
from .logins import logins_of
from .parts import Parts
from .status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..credentials import TemporaryCredentials
    from ..secret import Secret
    from ..sign_in.source import SignInSource
    from .parts import Shortcut
    from .signing_in import SignedOut

    IdentityChanged = Callable[[str | None, str, str], None]

_log = logging.getLogger(__name__)


class IdentityPool:
    """
    AWS credentials of one identity in an Amazon Cognito identity pool.

    Building one costs no network call and no disk read. All methods may be called from many threads;
    a child process may go on using its parent's.

    Args:
        identity_pool_id: ``region:guid``; otherwise from the environment or the profile.
        profile_name: Profile of the AWS config file to take the other settings from.
        clock: Time; the machine's own.
        environ: Environment variables; the process's own.
        arguments: Any setting of the README's table by its name: ``logins``, ``user``, ``flow``, …

    Raises:
        ConfigurationError: An argument is missing or malformed.
    """

    def __init__(
        self,
        identity_pool_id: str | None = None,
        *,
        profile_name: str | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> None:
        self._profile_name = profile_name
        self._clock = clock or Clock()
        self._environ = os.environ if environ is None else environ
        self._listeners: list[IdentityChanged] = []
        self._building = SingleFlight()
        self._parts: Parts | None = None
        self._configured: Logins | None = None
        self._is_resolved = False
        # What is wrong for certain is said here; the rest once the config file has been read.
        given = {"identity_pool_id": identity_pool_id, **arguments}
        self._arguments = check_arguments(given, environ=self._environ)
        if "logins" in self._arguments:
            self._arguments["logins"] = Logins.of(
                self._arguments["logins"]
            )  # tokens are secrets from here on

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        logins: Logins | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> IdentityPool:
        """
        Make one of *settings* that are loaded already.

        Args:
            settings: All of the pool's.
            logins: Of its user; those that the settings name by default.
            clock: Time; the machine's own.
            environ: Environment variables; the process's own.

        Raises:
            ConfigurationError: The settings name a login that is malformed.
        """
        pool = cls(settings.identity_pool_id, profile_name=settings.profile, clock=clock, environ=environ)
        if logins is None:
            logins = logins_of(settings, pool._environ)
        pool._parts = Parts(settings, logins, pool._clock, pool._environ)
        pool._is_resolved = True
        return pool

    @property
    def settings(self) -> Settings:
        """
        The settings, resolved on first use.

        Raises:
            ConfigurationError: A setting is missing or malformed.
        """
        return self._built().settings

    @property
    def logins(self) -> Logins:
        """
        The logins that are used now, those of `link` included.

        Raises:
            ConfigurationError: A setting is missing or malformed.
        """
        return self._built().logins

    def credentials(self) -> TemporaryCredentials:
        """
        Return credentials that are valid now: from memory, from the cache, or new.

        Raises:
            LoginRequiredError: A login token is needed and there is none.
            RefusedError: Cognito or STS refused.
            ServiceError: The service cannot be reached, and nothing valid is held.
            ConfigurationError: A setting is missing or malformed.
        """
        parts = self._built()
        try:
            return parts.refresher.credentials().credentials
        finally:
            if parts.exchanger.identities.news:
                self._announce(parts)

    def identity_id(self) -> str:
        """
        Return the identity id: offline when it is known, otherwise from the service.

        Raises:
            CognitoCredentialsError: It is not known, and the service did not give one.
        """
        parts = self._built()
        try:
            return parts.identification.identity_id()
        finally:
            self._announce(parts)

    def open_id_token(self) -> Secret:
        """
        Get an OpenID token of this identity, for use without any IAM role. Never stored.

        Returns:
            The token, valid for ten minutes; `Secret.reveal` gives its text.

        Raises:
            CognitoCredentialsError: The service did not give one.

        Source: Cognito Identity API, GetOpenIdToken.
        """
        parts = self._built()
        try:
            return parts.identification.open_id_token()
        finally:
            self._announce(parts)

    def refresh(self) -> TemporaryCredentials:
        """
        Get new credentials now.

        Raises:
            CognitoCredentialsError: That failed; what was held is still held.
        """
        parts = self._built()
        try:
            return parts.refresher.refresh().credentials
        finally:
            self._announce(parts)

    def invalidate(self, access_key_id: str) -> None:
        """
        Say that a service rejected the credentials with *access_key_id*; ignored unless they are those held.
        """
        self._built().refresher.invalidate(access_key_id)

    def on_identity_changed(self, callback: IdentityChanged) -> None:
        """
        Call *callback* with (old identity id or None, new identity id, reason) after each change.

        Reasons: ``created`` (the first), ``recovered`` (the service refused the old one), ``adopted`` (the
        service answered with another), ``switched`` (somebody else has signed in). It runs outside all locks
        and may use this pool.
        """
        self._listeners.append(callback)

    def clear(self, *, identities: bool = False) -> int:
        """
        Forget the credentials, and with *identities* the identity too: a guest then becomes another one.

        Returns:
            How many stored records were removed.
        """
        parts = self._built()
        who = parts.who()
        if who is None:
            parts.refresher.forget()
            return 0
        return parts.refresher.clear(who, identities=identities)

    def sign_in(self, *, link_guest: bool = False, provider: str | None = None, **options: Any) -> str:
        """
        Have a person sign in to what the logins name (`UserPool`, `OidcLogin`); returns the user's name.

        Args:
            link_guest: Whether the identity that this machine has as a guest becomes the user's. A user who
                has an identity keeps that one; the guest's is gone.
            provider: Which login, where there are several.
            options: ``prompt``, ``way``, ``store``, ``open_browser``, ``username`` of the source's `sign_in`.

        Raises:
            ConfigurationError: There is nothing to sign in to.
            CognitoCredentialsError: Nobody signed in.
        """
        parts = self._built()
        try:
            return signing_in.sign_in(parts, link_guest=link_guest, provider=provider, options=options)
        finally:
            self._announce(parts)

    def login_source(self, provider: str | None = None) -> SignInSource:
        """Return the login that a person signs in to; of *provider*, where there are several."""
        return signing_in.source_to_sign_in(self._built(), provider)

    def guest_identity(self) -> str | None:
        """Return the identity that this machine has as a guest of the pool, offline; None for none."""
        return linking.guest_identity(self._built())

    def sign_out(self, scope: str = "login", *, revoke: bool = True) -> SignedOut:
        """
        Sign out; logins of `link` are dropped, too.

        Args:
            scope: ``credentials`` forgets these alone, ``login`` ends the sign-in, too, ``identity`` forgets
                who one was, too: a guest then becomes another one.
            revoke: Whether the issuer is asked to take back the refresh token.

        Raises:
            CacheError: A file could not be removed; whatever could be is. A keyring that cannot be used is
                told by ``left`` of the answer.
        """
        parts = self._built()
        done = signing_in.sign_out(parts, scope, revoke=revoke)
        if scope != "credentials" and self._configured is not None:
            self._parts = parts.with_logins(self._configured)
        return done

    def link(self, logins: object, *, user: str | None = None) -> str:
        """
        Sign in with *logins*, and keep the identity: a guest becomes a user, a user gets one more login.

        From then on this pool is that user's, until `sign_out`. Where the logins have an identity already,
        that one is taken, and `on_identity_changed` hears of it; the guest's is gone either way.

        Args:
            logins: As the constructor takes them.
            user: Who this is, where the logins cannot tell.

        Returns:
            The identity id.

        Raises:
            CognitoCredentialsError: They were not linked; everything is as it was.
        """
        built, logins = self._built(), Logins.of(logins)  # tokens are secrets from here on
        parts = linking.link(built, logins, user)
        self._configured = self._configured or built.logins
        self._parts = parts
        self._announce(parts)
        return self.identity_id()

    def unlink(self, provider: str) -> None:
        """
        Take the login of *provider* off the identity (UnlinkIdentity).

        Without its last login an identity is lost: the same user then gets another one.

        Raises:
            LoginRequiredError: Nobody is signed in.
            CognitoCredentialsError: The service did not do it.
        """
        parts = self._built()
        try:
            self._parts = linking.unlink(parts, provider)
            self._configured = self._configured or parts.logins
        finally:
            self._announce(parts)

    def status(self) -> Status:
        """Tell what is known, asking neither the network nor a login source that is a program."""
        parts = self._built()
        return status_of(parts)

    def shortcut(self) -> Shortcut | None:
        """Say where the credentials are kept; None when a later process could not know whose they are."""
        return self._built().shortcut()

    def shortcut_depends(self) -> tuple[tuple[str, str], ...] | None:
        """Say which files and variables decide whose the credentials are; None when more does."""
        return self._built().depends()

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks and what is held stay behind; a login token among the arguments refuses by itself.
        if self._is_resolved:
            raise TypeError("an IdentityPool made from resolved settings refuses to be pickled")
        return _rebuild, (self._profile_name, self._arguments)

    def __repr__(self) -> str:
        parts = self._parts
        return f"IdentityPool({parts.settings.identity_pool_id!r})" if parts else "IdentityPool(…)"

    def _built(self) -> Parts:
        parts = self._parts
        if parts is not None:
            return parts
        self._building.enter(float("inf"))
        try:
            if self._parts is None:
                settings = load(self._arguments, environ=self._environ, profile=self._profile_name)
                given = self._arguments.get("logins")
                logins = (
                    given.of_user(settings.user)
                    if isinstance(given, Logins)
                    else logins_of(settings, self._environ)
                )
                self._parts = Parts(settings, logins, self._clock, self._environ)
            return self._parts
        finally:
            self._building.leave()

    def _announce(self, parts: Parts) -> None:
        while news := parts.exchanger.identities.next_news():
            for callback in list(self._listeners):
                try:
                    callback(news.old, news.new, news.reason)
                except Exception:  # noqa: BLE001, PERF203
                    # Theirs to mend; it must neither hide credentials that are here nor stop the others.
                    _log.exception("a callback of on_identity_changed failed")


def _rebuild(profile_name: str | None, arguments: dict[str, Any]) -> IdentityPool:
    return IdentityPool(profile_name=profile_name, **arguments)
