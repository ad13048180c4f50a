"""
`IdentityPool`: one Amazon Cognito identity pool, as programs use it.

It resolves its settings on first use, hands each call on to its parts (`parts.py`), and announces changed
identities. What is done for credentials is decided in `refresh/refresher.py`.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from ..cache.waiting import SingleFlight
from ..clock import Clock
from ..logins import Logins
from ..settings.load import check_arguments, load
from . import linking, signing_in
from .logins import logins_of
from .parts import Parts, load_for_refreshes
from .status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..credentials import TemporaryCredentials
    from ..logins.signed_out import SignedOut
    from ..secret import Secret
    from ..settings.settings import Settings

    IdentityChanged = Callable[[str | None, str, str], None]

_log = logging.getLogger(__name__)


class IdentityPool:
    """
    AWS credentials of one identity in an Amazon Cognito identity pool.

    Building one makes no network call and reads no file. All methods may be called from many threads, and a
    child process may go on using its parent's pool.

    Args:
        identity_pool_id: ``region:guid``; otherwise from the environment or the profile.
        profile_name: Profile of the AWS config file to take the other settings from.
        clock: By default the machine's own.
        environ: By default the process's own environment.
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
        self._logins_before_link: Logins | None = None
        # A malformed argument is an error here; the rest is checked once the config file has been read.
        given = {"identity_pool_id": identity_pool_id, **arguments}
        checked = check_arguments(given, environ=self._environ)
        if "logins" in checked:
            checked["logins"] = Logins.of(checked["logins"])  # from here on tokens are secrets
        self._arguments: dict[str, object] | None = checked

    @property
    def settings(self) -> Settings:
        """
        The settings, resolved on first use.

        Raises:
            ConfigurationError: A setting is missing or malformed.
        """
        return self._built().settings

    def credentials(self) -> TemporaryCredentials:
        """
        Return credentials that are valid now: from memory, from the cache, or new.

        Raises:
            LoginRequiredError: A login token is needed, and no source gives one.
            RefusedError: Cognito or STS refused.
            ServiceError: The service cannot be reached, and nothing valid is held.
            ConfigurationError: A setting is missing or malformed.
        """
        parts = self._built()
        try:
            return parts.refresher.credentials().credentials
        finally:
            if parts.refresher.identity_changes:
                self._announce(parts)

    def identity_id(self) -> str:
        """
        Return the identity id: offline when it is known, otherwise from the service.

        Raises:
            CognitoCredentialsError: It is not known, and the service did not give one.
        """
        parts = self._built()
        try:
            return parts.refresher.identity_id()
        finally:
            self._announce(parts)

    def open_id_token(self) -> Secret:
        """
        Get an OpenID token of this identity, for use without any IAM role. It is never stored.

        Returns:
            The token, valid for ten minutes; `Secret.reveal` returns its text.

        Raises:
            CognitoCredentialsError: The service did not give one.

        Source: https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdToken.html
        """
        parts = self._built()
        try:
            return parts.refresher.open_id_token()
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
        Report that a service rejected the credentials with *access_key_id*; the next call asks for new ones.

        After a recent failure it asks only when the back-off has ended. If none can be had, the rejected ones
        are returned as long as they are valid. Nothing happens unless this object holds these credentials:
        others may have taken their place already. `Refresher.invalidate` says what other processes do.
        """
        self._built().refresher.invalidate(access_key_id)

    def on_identity_changed(self, callback: IdentityChanged) -> None:
        """
        Call *callback* with (old identity id or None, new identity id, reason) after each change.

        Reasons: ``created`` (the first), ``recovered`` (the service refused the old one), ``adopted`` (the
        service answered with another one), ``switched`` (another person has signed in). The callback runs
        outside all locks and may use this pool.
        """
        self._listeners.append(callback)

    def clear(self, *, identities: bool = False) -> int:
        """
        Forget the credentials, and with *identities* the identity too: a guest then becomes another one.

        Returns:
            How many stored records were removed.
        """
        refresher = self._built().refresher
        forgotten = refresher.forget(refresher.principal(), identity=identities)
        return forgotten.had_credentials + forgotten.had_identity

    def sign_in(self, *, link_guest: bool = False, provider: str | None = None, **options: Any) -> str:
        """
        Have a person sign in to what the logins name (`UserPool`, `OidcLogin`); returns the user's name.

        Args:
            link_guest: Whether the identity that this machine has as a guest becomes the user's. A user who
                has an identity keeps that one; the guest's is gone.
            provider: Which login, where there are several.
            options: ``prompt``, ``way``, ``store``, ``open_browser``, ``username`` of the source's `sign_in`.

        Raises:
            ConfigurationError: The logins name nothing to sign in to.
            CognitoCredentialsError: Nobody signed in.
        """
        parts = self._built()
        try:
            return signing_in.sign_in(parts, link_guest=link_guest, provider=provider, options=options)
        finally:
            self._announce(parts)

    def sign_out(self, scope: str = "login", *, revoke: bool = True) -> SignedOut:
        """
        Sign out. Logins that `link` added are dropped, too.

        Args:
            scope: ``credentials`` forgets the credentials alone; ``login`` also ends the sign-in;
                ``identity`` also forgets the identity, so that a guest becomes another one.
            revoke: Whether the issuer is asked to revoke the refresh token.

        Raises:
            CacheError: A file could not be removed; all others were. A keyring that could not be used is no
                error: ``left`` of the result says so.
        """
        parts = self._built()
        done = signing_in.sign_out(parts, scope, revoke=revoke)
        if scope != "credentials" and self._logins_before_link is not None:
            self._parts = parts.with_logins(self._logins_before_link)
        return done

    def link(self, logins: object, *, user: str | None = None) -> str:
        """
        Sign in with *logins*, and keep the identity: a guest becomes a user, a user gets one more login.

        From then on this pool is that user's, until `sign_out`. Where the logins have an identity already,
        that one is adopted, and `on_identity_changed` is called. The guest's identity is lost either way.

        Args:
            logins: As the constructor takes them.
            user: Who this is, where the logins cannot tell.

        Returns:
            The identity id.

        Raises:
            CognitoCredentialsError: They were not linked; everything is as it was.
        """
        before, logins = self._built(), Logins.of(logins)  # from here on tokens are secrets
        parts = linking.link(before, logins, user)
        self._logins_before_link = self._logins_before_link or before.logins
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
            self._logins_before_link = self._logins_before_link or parts.logins
        finally:
            self._announce(parts)

    def status(self) -> Status:
        """Return what is known, asking neither the network nor a login source that is a program."""
        return status_of(self._built())

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks and credentials stay behind. A login token among the arguments refuses by itself.
        if self._arguments is None:
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
                arguments = self._arguments or {}
                settings = load(arguments, environ=self._environ, profile=self._profile_name)
                given = arguments.get("logins")
                if isinstance(given, Logins):
                    logins = given.of_user(settings.user)
                else:
                    logins = logins_of(settings, self._environ)
                load_for_refreshes()
                self._parts = Parts(settings, logins, self._clock, self._environ)
            return self._parts
        finally:
            self._building.leave()

    def _announce(self, parts: Parts) -> None:
        changes = parts.refresher.identity_changes
        while changes:
            try:
                change = changes.popleft()
            except IndexError:
                return  # another thread announces the last one
            for callback in list(self._listeners):
                try:
                    callback(*change)
                except Exception:  # noqa: BLE001, PERF203
                    # One callback's error must neither hide the credentials nor stop the other callbacks.
                    _log.exception("a callback of on_identity_changed failed")


def _rebuild(profile_name: str | None, arguments: dict[str, Any]) -> IdentityPool:
    return IdentityPool(profile_name=profile_name, **arguments)


# For `session.py` and the command line; not part of the public interface.


def pool_of(
    settings: Settings,
    *,
    logins: Logins | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> IdentityPool:
    """
    Make a pool of *settings* that are loaded already.

    Args:
        settings: What `load` returned.
        logins: By default those that the settings name.
        clock: By default the machine's own.
        environ: By default the process's own environment.

    Raises:
        ConfigurationError: The settings name a login that is malformed.
    """
    clock, environ = clock or Clock(), os.environ if environ is None else environ
    pool = IdentityPool(
        settings.identity_pool_id, profile_name=settings.profile, clock=clock, environ=environ
    )
    logins = logins_of(settings, environ) if logins is None else logins
    pool._parts = Parts(settings, logins, clock, environ)  # noqa: SLF001  (the class of this file)
    pool._arguments = None  # noqa: SLF001
    return pool


def parts_of(pool: IdentityPool) -> Parts:
    """
    Return what *pool* is made of now.

    Raises:
        ConfigurationError: A setting is missing or malformed.
    """
    return pool._built()  # noqa: SLF001  (the class of this file)
