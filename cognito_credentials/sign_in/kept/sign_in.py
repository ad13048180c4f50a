"""
One sign-in: stored, refreshed under a lock, ended.

An account file says who is signed in, and a secret store has the refresh token; or an app's own place has
both. ID and access token are held in memory. New ones are fetched with the refresh token only when somebody
asks for one, by one process at a time. Access tokens are nowhere else: whoever has the refresh token can have
new ones. An issuer that rotates refresh tokens accepts each only once, so the new one is stored before the
lock is released.

When the issuer ends the sign-in, the account file stays, so that cached credentials of the user that are
still valid are found.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from ...cache.waiting import SingleFlight
from ...errors import CacheError, CognitoCredentialsError, LoginRejectedError
from ...exchange.deadline import to_its_end
from ...importing import IMPORTING
from ...logins.signed_out import SignedOut
from .account import Account, account_at, mark_of_this_program
from .keyring_store import KeyringStore
from .place import LOCK_BUDGET, busy
from .replacing import NewSignIn
from .stored_tokens import StoredTokens, TokenExchange, has_ended, sign_in_required
from .stores import open_store

if TYPE_CHECKING:
    from ...clock import Clock
    from ...secret import Secret
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Device, LoginTokens, Verified
    from .place import SignInPlace

REFRESH_BUDGET: Final = 14.0
"""Seconds for a whole refresh: keyring, discovery, token request, storing, and the issuer's keys."""
VERIFY_BUDGET: Final = 2.0
"""The part of it that is reserved for the issuer's keys, which are fetched after the lock is released."""
SIGN_OUT_BUDGET: Final = 20.0
"""Seconds for the requests of signing out: three, where a user pool has to forget a device."""
MARGIN_SECONDS: Final = 60.0
"""An ID token is not handed out in its last minute: it must still be valid when it reaches the service."""
LOOK_SECONDS: Final = 1.0
"""How long what an app's store said is taken for true, where other processes may change it."""
_log = logging.getLogger(__name__)


class HeldTokens(NamedTuple):
    """The tokens in memory, of one generation. The clock is `Clock.elapsed`, which nobody can set."""

    account: Account
    id_token: Secret
    good_until: float
    """Until when the ID token is handed out."""
    access_token: Secret | None
    both_good_until: float
    """Until when the two tokens are handed out together."""
    expiration: float
    """When the first of the two expires, by the issuer's time, seconds since the epoch."""


class SignIn:
    """
    The sign-in of one profile at one issuer.

    A pool's (`is_of_pool`) is the person's who signs in by `begin`. If another person signs in to the same
    files on another pool of this program, this object gives no token of theirs, and does not end their
    sign-in. A program is a process with all its forks, such as the workers of a server. A sign-in by another
    program is followed: ``login``, or a second window.

    Args:
        issuer: Makes the issuer; called only when the issuer is asked.
        remedy: How to sign in, for people.
        is_of_pool: Whether this is one pool's alone.
        person: `Account.principal` of who has signed in by this object; None for whoever is signed in.
    """

    def __init__(
        self,
        place: SignInPlace,
        issuer: Callable[[], Issuer],
        clock: Clock,
        remedy: str,
        *,
        is_of_pool: bool = False,
        person: str | None = None,
    ) -> None:
        self._place = place
        self._issuer = issuer
        self._clock = clock
        self._remedy = remedy
        self._is_of_pool = is_of_pool
        self.person = person
        self._held: HeldTokens | None = None
        self._look_at = 0.0
        self._single = SingleFlight()

    @property
    def is_at_hand(self) -> bool:
        """Whether who is signed in is known without asking an app."""
        return self._place.is_at_hand

    def account(self) -> Account | None:
        """
        Read from the disk who is signed in; None for nobody.

        Raises:
            CacheError: The directory cannot be used.
        """
        return account_at(self._place)

    def own_account(self) -> Account | None:
        """
        Read from the disk who is signed in; None for nobody, or for another person than this object's.

        Raises:
            CacheError: The directory cannot be used.
        """
        account = self.account()
        return None if account is None or self._is_of_another(account) else account

    def _is_of_another(self, account: Account) -> bool:
        if not self._is_of_pool or self.person in (None, account.principal):
            return False
        return self._place.read("process") == mark_of_this_program(account)

    def has_ended(self) -> bool:
        """
        Tell whether the issuer has ended the sign-in, as far as that is known offline.

        Raises:
            CacheError: The directory cannot be used.
        """
        account = self.account()
        return account is not None and has_ended(self._place, account)

    def id_token(self) -> Secret:
        """
        Return a valid ID token, from memory or by a refresh.

        Raises:
            LoginRequiredError: Nobody is signed in, or the sign-in has ended.
            ServiceError: The issuer does not answer.
            CacheError: The store cannot be read.
        """
        return self._current(lambda: self._in_memory(with_access=False), self._refreshed).id_token

    def tokens(self) -> LoginTokens:
        """
        Return valid tokens of one generation, from memory or by a refresh.

        Raises:
            LoginRequiredError: Nobody is signed in, the sign-in has ended, or it has no access token here.
            ServiceError: The issuer does not answer.
            CacheError: The store cannot be read.
        """
        with IMPORTING:
            from datetime import datetime, timezone

            from ..issuers.tokens import LoginTokens

        held = self._current(lambda: self._in_memory(with_access=True), self._refreshed_with_access)
        assert held.access_token is not None  # noqa: S101  (for the type checker; both ways make sure of it)
        return LoginTokens(
            id_token=held.id_token,
            access_token=held.access_token,
            expiration=datetime.fromtimestamp(held.expiration, timezone.utc),
        )

    def _current(
        self, in_memory: Callable[[], HeldTokens | None], refreshed: Callable[[], HeldTokens]
    ) -> HeldTokens:
        held = in_memory()
        if held is not None:
            return held
        with self._single.turn(LOCK_BUDGET) as is_mine:
            if not is_mine:
                raise busy(LOCK_BUDGET)
            return in_memory() or refreshed()  # another thread may have refreshed them meanwhile

    def reject(self, token: Secret) -> None:
        """Do not return *token* again: the service refused it, whatever this machine's clock says."""
        if self._held is not None and self._held.id_token == token:
            self._held = None

    @contextlib.contextmanager
    def begin(
        self, store_name: str, timeout_seconds: float, config: str = ""
    ) -> Iterator[Callable[[Verified], Account]]:
        """
        Begin a new sign-in. The store is tried first, and left as it was if nobody signs in.

        Args:
            store_name: ``keyring`` or ``file``, or the name of the app's place.
            timeout_seconds: How long a keyring may take; it may ask the user for a password.
            config: `account.config_of` the profile; empty for a program's.

        Yields:
            A function that stores the new sign-in.

        Raises:
            CacheError: The store does not work.
        """
        store = open_store(store_name, self._place, timeout_seconds)
        new = NewSignIn(self._place, store, self._issuer, self._clock, config)

        def keep(verified: Verified) -> Account:
            account = new.keep(verified)
            self.person = account.principal
            self._hold(account, verified)
            return account

        try:
            with self._place.lock(to_sign_in=True):
                store.check()  # it may make a key, which `abandon` deletes
            yield keep
        finally:
            if new.account is None:
                new.abandon()

    def device(self) -> Device | None:
        """
        Return the device that the user pool remembers for the user who was signed in last.

        Returns:
            None for none, or where it cannot be read: this machine is then a new device.
        """
        try:
            with self._place.lock():
                account = self.account()
                return None if account is None else self._exchange_of(account).load().device
        except CognitoCredentialsError as error:
            _log.debug("the device that the user pool remembers cannot be read: %s", error)
            return None

    def end(self, *, revoke: bool, is_proven: bool = True) -> SignedOut:
        """
        Sign out: remove the account file and the secret, and have the issuer revoke the refresh token.

        A keyring that cannot be used prevents nothing: the file that its key opens is removed. Once begun,
        this goes on to its end, even on Ctrl-C: forgetting a device uses up the refresh token.

        Args:
            is_proven: Whether the name of the files proves the issuer. Otherwise a refresh token of an early
                version, which does not name its user, is not sent to the issuer that the account file names.

        Raises:
            CacheError: A file cannot be removed; the others are.
            ServiceError: Another process is using the sign-in.
        """
        with self._place.lock():
            return to_its_end(lambda: self._end(revoke=revoke, is_proven=is_proven), SIGN_OUT_BUDGET)

    def _end(self, *, revoke: bool, is_proven: bool) -> SignedOut:
        account = self.account()
        self._held = None
        if account is not None and self._is_of_another(account):
            return SignedOut()
        done = SignedOut() if account is None else SignedOut(users=(account.shown,))
        if account and revoke:
            done += self._revoke(account, is_proven=is_proven)
        keyring = KeyringStore(self._place)
        items = keyring.items()  # before the file goes that names them
        # Without an account, too: an earlier sign-in may have used another store.
        has_key = (account and account.store == "keyring") or self._may_have("sealed")
        # Before the keyring is asked: from here on nobody is signed in.
        self._place.remove("sign-in")
        problems: list[str] = []
        with contextlib.ExitStack() as last_first:  # runs every callback, whichever of them fails
            if has_key:
                last_first.callback(_remove_keys, keyring, items, problems)
            last_first.callback(self._place.remove, "sealed")
            last_first.callback(self._place.remove, "secret")
            last_first.callback(self._place.remove, "ended")
            last_first.callback(self._place.remove, "process")
        return done + SignedOut(left=tuple(problems))

    def _may_have(self, kind: str) -> bool:
        try:
            return self._place.read(kind) is not None
        except CacheError:
            return True

    def _in_memory(self, *, with_access: bool) -> HeldTokens | None:
        held = self._held
        if held is None or (with_access and held.access_token is None):
            return None
        if self._clock.elapsed() >= (held.both_good_until if with_access else held.good_until):
            return None
        # In another process the user may have signed out, or another user signed in.
        self._look_again()
        return held if self.account() == held.account else None

    def _look_again(self) -> None:
        """Look for changes by other processes, at most once a second: an app may ask at each request."""
        if self._clock.elapsed() < self._look_at:
            return
        try:
            self._place.look_again()
        except CognitoCredentialsError as error:
            _log.debug("whether the sign-in has changed cannot be seen: %s", error)
        self._look_at = self._clock.elapsed() + LOOK_SECONDS

    def _refreshed_with_access(self) -> HeldTokens:
        held = self._refreshed()
        if held.access_token is None:
            raise sign_in_required(self._remedy, self._no_access_token(held.account))
        return held

    def _refreshed(self) -> HeldTokens:
        with IMPORTING:
            from ...exchange.http import bounded

        with self._place.lock():
            ends_at = time.monotonic() + REFRESH_BUDGET
            account = self.account()
            if account is None:
                raise sign_in_required(self._remedy, "nobody is signed in")
            if self._is_of_another(account):
                raise sign_in_required(
                    "Sign in again; give each user of a program a pool of their own name (user)",
                    f"{account.shown} has signed in meanwhile, in place of the user of this pool",
                )
            exchange = self._exchange_of(account)
            stored = exchange.load()
            if stored.refresh_token is None:
                return self._stored_id_token(stored, account)  # no access token is stored beside it
            budget = ends_at - VERIFY_BUDGET - time.monotonic()
            tokens = to_its_end(lambda: exchange.exchange(stored), budget)
        # Without the lock: the new refresh token is on the disk.
        issuer = self._issuer()
        verified = bounded(lambda: issuer.verified(tokens), account.issuer, ends_at - time.monotonic())
        if verified.claims["sub"] != account.subject:
            raise LoginRejectedError(
                "the issuer refreshed the sign-in with another user's token",
                hint=self._remedy,
                topic="E-ID-TOKEN",
            )
        problem = exchange.changed_account()
        if problem is not None:
            raise problem
        return self._hold(account, verified)

    def _no_access_token(self, account: Account) -> str:
        return (
            f"the sign-in of {account.shown} has no access token in this process: its issuer gave none, or "
            "no refresh token to get one with (add offline_access to the scopes, if it knows that)"
        )

    def _stored_id_token(self, stored: StoredTokens, account: Account) -> HeldTokens:
        if stored.id_token is None or stored.expires_at - MARGIN_SECONDS <= self._clock.wall():
            raise sign_in_required(
                self._remedy,
                f"the sign-in of {account.shown} has ended; its issuer gave no refresh token "
                "(add offline_access to the scopes, if it knows that)",
            )
        return HeldTokens(account, stored.id_token, 0, None, 0, stored.expires_at)

    def _revoke(self, account: Account, *, is_proven: bool) -> SignedOut:
        """Ask the issuer to revoke the refresh token; an error does not stop the sign-out."""
        try:
            stored = self._exchange_of(account).load()
            if stored.principal is None and not is_proven:
                # Anybody who can write the account file could have the token sent to an issuer of theirs.
                return SignedOut(problems=("it does not say which issuer it is from",))
            if stored.refresh_token is None:
                return SignedOut()
            if self._issuer().revoke(stored.refresh_token, stored.device):
                return SignedOut(revoked=True)
        except CognitoCredentialsError as error:
            return SignedOut(problems=(error.message,), is_unreached=error.retryable)
        return SignedOut(problems=("the issuer cannot revoke",))

    def _exchange_of(self, account: Account) -> TokenExchange:
        store = open_store(account.store, self._place)
        return TokenExchange(self._place, store, account, self._issuer, self._remedy)

    def _hold(self, account: Account, verified: Verified) -> HeldTokens:
        ends_at = float(verified.claims["exp"])
        first_ends_at = ends_at if verified.access_ends_at is None else min(ends_at, verified.access_ends_at)
        self._held = held = HeldTokens(
            account,
            verified.id_token,
            self._good_until(ends_at - verified.now),
            verified.access_token,
            self._good_until(first_ends_at - verified.now),
            first_ends_at,
        )
        return held

    def _good_until(self, lifetime: float) -> float:
        return self._clock.elapsed() + lifetime - min(MARGIN_SECONDS, lifetime / 10)


def _remove_keys(keyring: KeyringStore, items: list[str], problems: list[str]) -> None:
    try:
        keyring.delete_keys(items)
    except CacheError as error:
        problems.append(error.message)
