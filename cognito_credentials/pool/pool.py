"""
`IdentityPool`: one Amazon Cognito identity pool, as programs use it.

It resolves its settings on first use, hands each call on to its parts (`parts.py`), and announces changed
identities. What is done for credentials is decided in `refresh/refresher.py`.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from ..awaiting import one_operation
from ..cache.waiting import SingleFlight
from ..clock import Clock
from ..digest import digest
from ..errors import CognitoCredentialsError, replaced
from ..exchange.calls import SPARING
from ..exchange.client import close_idle_connections
from ..exchange.interruption import drops_frames_on_error
from ..logins import Logins
from ..secret import Secret
from ..settings import checks
from ..settings.load import check_arguments, load
from ..settings.shared_cache import cache_key as cache_key_of
from . import linking, signing_in
from .logins import logins_of
from .parts import Parts, load_for_refreshes
from .status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..awaiting import Caller
    from ..credentials import TemporaryCredentials
    from ..logins.signed_out import SignedOut
    from ..refresh.held import Held
    from ..settings.settings import Arguments, Settings
    from ..sign_in.issuers.tokens import LoginTokens
    from ..sign_in.signed_in import SignedIn
    from ..sign_in.ways.prompt import Prompt

    IdentityChanged = Callable[[str | None, str, str], None]
    _MadeBy = tuple[Callable[..., "IdentityPool"], tuple[Any, ...]]

_log = logging.getLogger(__name__)
_LONGEST_TURN: Final = 12.0
"""Seconds that `wait_for_turn` and the request after it may take: the lock of the user is held meanwhile."""
_WHO_CHARACTERS: Final = 20


class IdentityPool:
    """
    AWS credentials of one identity in an Amazon Cognito identity pool.

    Building one makes no network call and reads no file. All methods may be called from many threads, and a
    child process may go on using its parent's pool.

    Args:
        identity_pool_id: ``region:guid``; otherwise from the environment or the profile.
        profile_name: Profile of the AWS config file to take the other settings from.
        logins: A mapping of login provider name to token, function or source; or one of these alone; none
            for a guest.
        identity_id: ``region:guid`` of a known identity, which is used as it is.
        account_id: 12 digits, put on the credentials.
        developer_headers: Text of a source of HTTP headers, for a login ``developer:URL`` of the profile.
        user: Who this is, where the logins cannot tell. Whoever names a user is that user: see `for_user`.
        flow: ``enhanced`` or ``basic``.
        custom_role_arn: Enhanced flow: which of several roles.
        role_arn: Basic flow: the role to assume.
        role_session_name: Basic flow: 2 to 64 characters.
        duration_seconds: Basic flow: 900 to 43200 seconds.
        policy: Basic flow: session policy, JSON.
        cache: ``file``, ``memory``, or where a Redis or Valkey is that hosts share: ``redis://HOST:PORT/0``,
            ``rediss://``, ``unix://``, ``redis-cluster://``.
        cache_key: For a Redis: the 32 bytes that seal what is kept there, as bytes or in base64; two as
            ``NEW,OLD`` while the key is being changed. Without it, only a Redis of this machine is used.
        requests_per_second: For a Redis: what all hosts together may ask for, by operation of the service:
            ``{"GetId": 20}`` or ``"GetId=20"``; by default the quotas that AWS publishes.
        users_in_memory: Of how many users of `for_user` this process holds credentials when no object of
            theirs is in use; 10,000 by default. Who was asked for last stays. One takes 4 KiB at most.
        directory: A directory of the program's own, absolute, where cache and sign-ins lie (``cache``,
            ``sign-in``).
        endpoint_url: Address of Cognito Identity, where it is not AWS's: https, or http on this machine.
        sts_endpoint_url: The same of STS, for the basic flow.
        outage: What else a login function raises when it cannot reach its issuer: a class of errors, or a
            tuple of them. Those of Python, botocore, urllib3, requests, httpx and aiohttp are known.
        clock: By default the machine's own.
        environ: By default the process's own environment.

    Raises:
        ConfigurationError: An argument is missing or malformed.
    """

    @drops_frames_on_error
    def __init__(
        self,
        identity_pool_id: str | None = None,
        *,
        profile_name: str | None = None,
        logins: object = None,
        identity_id: str | None = None,
        account_id: str | None = None,
        developer_headers: str | None = None,
        user: str | None = None,
        flow: str | None = None,
        custom_role_arn: str | None = None,
        role_arn: str | None = None,
        role_session_name: str | None = None,
        duration_seconds: int | None = None,
        policy: str | None = None,
        cache: str | None = None,
        cache_key: bytes | str | Sequence[bytes | str] | None = None,
        requests_per_second: Mapping[str, float] | str | None = None,
        users_in_memory: int | None = None,
        directory: str | os.PathLike[str] | None = None,
        endpoint_url: str | None = None,
        sts_endpoint_url: str | None = None,
        outage: type[BaseException] | tuple[type[BaseException], ...] | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        given: Arguments = {
            "identity_pool_id": identity_pool_id,
            "logins": logins,
            "identity_id": identity_id,
            "account_id": account_id,
            "developer_headers": developer_headers,
            "user": user,
            "flow": flow,
            "custom_role_arn": custom_role_arn,
            "role_arn": role_arn,
            "role_session_name": role_session_name,
            "duration_seconds": duration_seconds,
            "policy": policy,
            "cache": cache,
            "cache_key": cache_key,
            "requests_per_second": requests_per_second,
            "users_in_memory": users_in_memory,
            "directory": directory,
            "endpoint_url": endpoint_url,
            "sts_endpoint_url": sts_endpoint_url,
        }
        self._profile_name = profile_name
        self._clock = clock or Clock()
        self._environ = os.environ if environ is None else environ
        # A malformed argument is an error here; the rest is checked once the config file has been read.
        checked = check_arguments(given, environ=self._environ)
        if "logins" in checked:
            checked["logins"] = Logins.of(checked["logins"])  # from here on tokens are secrets
        if "cache_key" in checked:
            checked["cache_key"] = cache_key_of(checked["cache_key"], "cache_key from argument")
        if checks.cache_has_password(checked.get("cache")):
            checked["cache"] = Secret(str(checked["cache"]))
        self._arguments: dict[str, object] = checked
        self._outage = checks.outage(outage, "outage from argument")
        self._building = SingleFlight()
        remade = {**checked, "outage": self._outage} if self._outage else checked
        self._begin(None, (_rebuild, (profile_name, remade)))

    def _begin(self, parts: Parts | None, made_by: _MadeBy | None) -> None:
        """
        Start without listeners.

        Args:
            parts: None to build them of the arguments on first use.
            made_by: What makes the same pool in another process, for pickle; None to refuse.
        """
        self._listeners: list[IdentityChanged] = []
        self._make_parts: Callable[[], Parts] | None = None
        self._parts = parts
        self._logins_before_link: Logins | None = None
        self._made_by = made_by

    @drops_frames_on_error
    def for_user(self, user: str, *, logins: object = None) -> IdentityPool:
        """
        Return the pool as another user has it: with the same settings, cache and connections.

        It costs some KiB, so that one process may have many users. A back end may call this anew with each
        request: what the process holds of the user stays when the object goes, for as many users as
        ``users_in_memory`` says. ``Session(pool=…)`` and ``install(session, …)`` take the object for boto3
        and botocore. Each call returns an object of its own, with its own logins and callbacks. All objects
        of one user have the same credentials; what one of them clears or rejects is gone for all of them,
        and for no other user. Credentials are renewed only for who asks for them.

        Verify the token first: whoever names a user is that user. Credentials that are kept under *user* are
        returned without a look at *logins*, which are asked only when new credentials are due.

        Args:
            user: The user's name, by which credentials and identity are found again. It comes from a token
                that the program has verified, such as its ``iss`` and ``sub``, or from the program's own
                session of that user; never from what a request merely says.
            logins: The user's, as the constructor takes them; ``{}`` for a guest of that name. They may be
                left out where this pool is a guest's. Logins and identity_id of this pool are not passed on.

        Raises:
            ConfigurationError: *user* or *logins* are malformed, *logins* are left out although this pool
                has logins or an identity_id, or a setting of the pool is missing or malformed.
        """
        name = checks.user(user, "user from argument")
        given = None if logins is None else Logins.of(logins)
        return _made_of(self._built().for_user(name, given), (_rebuild_for_user, (self, name, given)))

    def close(self) -> None:
        """
        Close the idle connections of this process; also at the end of ``with IdentityPool(…) as pool:``.

        The pool itself has nothing to close: it owns no thread and no connection, and may be used again.
        Connections belong to the process, which keeps at most four for some seconds. Other pools and users
        share them and open new ones when they need them, so this is for the end of a program or of a phase.
        """
        close_idle_connections()

    def __enter__(self) -> IdentityPool:  # noqa: PYI034  (typing.Self came with Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def current(self) -> TemporaryCredentials | None:
        """
        Return what is held in memory, if it is valid and was not rejected; else None.

        It asks neither disk nor network and waits for nothing, so any thread and any event loop may call it.
        It renews nothing, and does not notice that another person has signed in: `credentials` does both.
        """
        parts = self._parts
        held = None if parts is None else parts.refresher.held
        if parts is None or held is None or not held.is_good(parts.clock):
            return None
        return held.record.credentials

    def identity_id(self) -> str:
        """
        Return the identity id: offline when it is known, otherwise from the service.

        Raises:
            CognitoCredentialsError: It is not known, and the service did not give one.
        """
        parts = self._built()
        try:
            with one_operation():
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

    def wait_for_turn(self, operation: str, user: str) -> None:
        """
        Wait until the hosts that share a Redis may send one more request of *operation*.

        It is for requests that the program sends itself, such as those of `back_end.developer_token`, since
        the quota is that of the account. Without a Redis, and for an operation without a quota, it returns at
        once.

        Args:
            operation: Such as ``GetOpenIdTokenForDeveloperIdentity``.
            user: Names the user. A user who has to come again keeps a place in the line under this name.

        Raises:
            ServiceError: The turn would come too late; `retry_after` says when.
        """
        parts = self._built()
        name = digest(checks.user(user, "user from argument"))[:_WHO_CHARACTERS]
        if parts.budget is not None:
            queue = parts.budget.of(operation, name, is_renewal=SPARING.get())
            if queue is not None:
                queue.wait_for_turn(_LONGEST_TURN)

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
        are returned as long as they are valid; but where the user must sign in first, that call raises
        `LoginRequiredError`. Nothing happens unless these credentials are held: others may have taken their
        place already.

        A process that reads these credentials from the cache replaces them first. One that holds them in
        memory uses them until its own `invalidate` is called, or until its own refresh is due.
        """
        self._built().refresher.invalidate(access_key_id)

    def on_identity_changed(self, callback: IdentityChanged) -> None:
        """
        Call *callback* with (old identity id or None, new identity id, reason) after each change.

        Reasons: ``created`` (the first), ``recovered`` (the service refused the old one), ``adopted`` (the
        service answered with another one), ``switched`` (another person has signed in). The callback runs
        outside all locks and may use this pool.

        Raises:
            ConfigurationError: *callback* cannot be called.
        """
        checks.callback(callback)
        self._listeners.append(callback)

    def clear(self, *, identities: bool = False) -> int:
        """
        Forget the credentials, and with *identities* the identity too: a guest then becomes another one.

        Returns:
            How many stored records were removed.

        Raises:
            CacheError: Something in the store could not be removed; all else is forgotten.
        """
        refresher = self._built().refresher
        with one_operation():
            forgotten = refresher.forget(refresher.principal(), identity=identities)
        return forgotten.had_credentials + forgotten.had_identity

    def sign_in(
        self,
        *,
        link_guest: bool = False,
        provider: str | None = None,
        prompt: Prompt | None = None,
        way: str | None = None,
        store: str | None = None,
        open_browser: Callable[[str], bool] | None = None,
        username: str | None = None,
    ) -> str:
        """
        Have a person sign in to what the logins name (`UserPool`, `OidcLogin`); returns the user's name.

        Args:
            link_guest: Whether the identity that this machine has as a guest becomes the user's. A user who
                has an identity keeps that one; the guest's is gone.
            provider: Which login, where there are several.
            prompt: Talks to the person; the terminal by default.
            way: ``browser``, ``no-browser``, ``device`` or ``password``; by default that of the login.
            store: ``keyring`` or ``file``; by default that of the login, or of the previous sign-in.
            open_browser: Opens an address; returns False when it cannot.
            username: The user name for ``password``; asked for by default.

        Raises:
            ConfigurationError: The logins name nothing to sign in to.
            CognitoCredentialsError: Nobody signed in.
        """
        parts = self._built()
        try:
            return signing_in.sign_in(
                parts,
                lambda source: source.sign_in(
                    prompt=prompt, way=way, store=store, open_browser=open_browser, username=username
                ),
                link_guest=link_guest,
                provider=provider,
            ).shown
        finally:
            self._announce(parts)

    def sign_in_with_refresh_token(
        self,
        token: str | Secret,
        *,
        link_guest: bool = False,
        provider: str | None = None,
        store: str | None = None,
    ) -> SignedIn:
        """
        Bring along a user who signed in elsewhere: in an earlier version of the app, or with another library.

        The issuer is asked once for new tokens, which are verified as at any sign-in. From then on the
        sign-in is kept here. Where the issuer rotates refresh tokens, the one that was given is used up.
        After a `ServiceError` or `CacheError`, call this again with the same token: what came for it is held
        in memory until it is stored.

        Args:
            token: A refresh token of the same issuer and client. That of a remembered device of a user pool
                does not work without the device's password.
            link_guest: As `sign_in` has it.
            provider: Which login, where there are several.
            store: As `sign_in` has it.

        Raises:
            LoginRejectedError: The issuer does not take the token, or its answer is not valid.
            ServiceError: The issuer does not answer.
            ConfigurationError: The logins name nothing to sign in to, or *token* is no text.
            CacheError: The sign-in cannot be stored.
        """
        given = signing_in.refresh_token(token)
        del token  # this frame stays in the traceback of an error
        parts = self._built()
        try:
            return signing_in.sign_in(
                parts,
                lambda source: source.sign_in_with_refresh_token(given, store=store),
                link_guest=link_guest,
                provider=provider,
            )
        finally:
            self._announce(parts)

    @drops_frames_on_error
    def sign_in_with_password(
        self,
        username: str,
        password: str | Secret | None = None,
        *,
        first_factor: str | None = None,
        link_guest: bool = False,
        provider: str | None = None,
        store: str | None = None,
    ) -> SignedIn:
        """
        Sign in to a user pool with what a person has typed into the app's own form; one attempt.

        ::

            try:
                account = pool.sign_in_with_password(username, password)
            except ChallengeRequired as challenge:      # show a field for challenge.kind, keep the challenge
                account = challenge.answer(text)        # which returns the account, or raises in the same way

        The password is proven without being sent. Nothing is tried again by itself: five wrong passwords lock
        the user out for a while. `sign_in` asks on a terminal instead, and has all other ways.

        Args:
            username: The user name, or an e-mail address or telephone number where the pool takes these.
            password: None to sign in without one, or to ask for it later.
            first_factor: Where there is no password: ``sms`` or ``email`` (a code), ``password``, or
                ``choice`` of what the pool offers. By default that of the `UserPool`, else ``choice``. The
                app client needs ALLOW_USER_AUTH for it; for a password alone, ALLOW_USER_SRP_AUTH.
            link_guest: As `sign_in` has it.
            provider: Which login, where there are several.
            store: As `sign_in` has it.

        Raises:
            ChallengeRequired: The pool asks for a code, a new password or a choice.
            LoginRejectedError: User name or password is wrong or empty, or the user cannot sign in now.
            RefusedError: The pool asks for what only a browser can do, such as a passkey.
            ServiceError: The pool does not answer.
            ConfigurationError: The logins name no user pool, or its app client cannot be used.
            CacheError: The sign-in cannot be stored.
        """
        name, secret = signing_in.typed(username, password)
        del password  # what a store of the app raises keeps this frame
        parts = self._built()
        source = signing_in.source_to_sign_in(parts, provider)
        return signing_in.step(
            parts,
            lambda: source.begin_with_password(name, secret, first_factor=first_factor, store=store),
            link_guest=link_guest,
            announce=lambda: self._announce(parts),
        )

    def tokens(self, provider: str | None = None) -> LoginTokens:
        """
        Return the ID and access tokens of who is signed in, of one generation, as `UserPool.tokens` does.

        Args:
            provider: Which login, where there are several.

        Raises:
            LoginRequiredError: Nobody is signed in, the sign-in has ended, or it gives no access token.
            ServiceError: The issuer does not answer.
            ConfigurationError: The logins name nothing to sign in to.
            CacheError: The store cannot be used.
        """
        return signing_in.source_to_sign_in(self._built(), provider).tokens()

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
        with one_operation():
            done = signing_in.sign_out(parts, scope, revoke=revoke)
        if scope != "credentials" and self._logins_before_link is not None:
            self._parts = parts.with_logins(self._logins_before_link)
        return done

    @drops_frames_on_error
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
        """Return identity, time left and where they are kept; neither the network nor a program is asked."""
        return status_of(self._built())

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks and credentials stay behind. A login token among the arguments refuses by itself.
        if self._made_by is None:
            raise TypeError("an IdentityPool made from resolved settings refuses to be pickled")
        return self._made_by

    def __repr__(self) -> str:
        parts = self._parts
        return f"IdentityPool({parts.settings.identity_pool_id!r})" if parts else "IdentityPool(…)"

    def _built(self) -> Parts:
        parts = self._parts
        if parts is not None:
            return parts
        with self._building.turn(float("inf")):
            if self._parts is None:
                self._parts = (self._make_parts or self._load_parts)()
            return self._parts

    def _load_parts(self) -> Parts:
        # The frames of these errors hold the environment, which may have tokens and passwords in it.
        with replaced(CognitoCredentialsError, by=lambda error: error.with_traceback(None)):
            settings = load(self._arguments, environ=self._environ, profile=self._profile_name)
            given = self._arguments.get("logins")
            if isinstance(given, Logins):
                logins = given.of_user(settings.user, settings.sign_in_dir)
            else:
                logins = logins_of(settings, self._environ)
        load_for_refreshes()
        if self._outage:
            logins = dataclasses.replace(logins, outage=self._outage)
        return Parts(settings, logins, self._clock, self._environ)

    def _announce(self, parts: Parts) -> None:
        changes = parts.refresher.identity_changes
        while changes:
            try:
                change = changes.pop(0)
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


def _made_of(parts: Parts | None, made_by: _MadeBy | None) -> IdentityPool:
    pool = IdentityPool.__new__(IdentityPool)
    pool._begin(parts, made_by)  # noqa: SLF001  (the class of this file)
    return pool


def _rebuild_for_user(pool: IdentityPool, user: str, logins: Logins | None) -> IdentityPool:
    return pool.for_user(user, logins=logins)


# For `session.py`, `async_pool.py` and the command line; not part of the public interface.


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
    logins = logins_of(settings, environ) if logins is None else logins
    return _made_of(Parts(settings, logins, clock, environ), None)


def user_later(pool: IdentityPool, user: str, logins: object) -> IdentityPool:
    """
    Return what `IdentityPool.for_user` returns, but read no file now.

    Where the settings of *pool* are not resolved yet, that happens at the first use of the user.

    Raises:
        ConfigurationError: *user* or *logins* are malformed.
    """
    if pool._parts is not None:  # noqa: SLF001  (the class of this file)
        return pool.for_user(user, logins=logins)
    name = checks.user(user, "user from argument")
    given = None if logins is None else Logins.of(logins)
    made = _made_of(None, (_rebuild_for_user, (pool, name, given)))
    made._building, made._clock = SingleFlight(), pool._clock  # noqa: SLF001
    made._make_parts = lambda: parts_of(pool).for_user(name, given)  # noqa: SLF001
    return made


def is_waited_for(pool: IdentityPool, callers: Sequence[Caller]) -> bool:
    """Tell whether a thread that refreshes works for *callers*, and waits for a login of theirs."""
    parts = pool._parts  # noqa: SLF001  (the class of this file)
    return parts is not None and parts.refresher.is_waited_for(callers)


def may_save(pool: IdentityPool) -> bool:
    """Tell whether a call of *pool* may renew a sign-in, and so have to keep a new refresh token."""
    parts = pool._parts  # noqa: SLF001  (the class of this file)
    return parts is None or bool(signing_in.sign_ins(parts.logins))


def held_by(pool: IdentityPool) -> tuple[Held | None, Clock]:
    """Return what *pool* holds in memory, valid or not, and its clock; neither disk nor network is asked."""
    parts = pool._parts  # noqa: SLF001  (the class of this file)
    if parts is None:
        return None, pool._clock  # noqa: SLF001
    return parts.refresher.held, parts.clock


def parts_of(pool: IdentityPool) -> Parts:
    """
    Return what *pool* is made of now.

    Raises:
        ConfigurationError: A setting is missing or malformed.
    """
    return pool._built()  # noqa: SLF001  (the class of this file)
