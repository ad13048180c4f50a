"""
One sign-in, at rest and in use.

At rest: an account file (who) and a secret (the refresh token) in a store. In use: an ID token in memory,
made anew from the refresh token only when somebody asks for one, by one process at a time. An issuer that
rotates refresh tokens takes each only once, so the new one is stored before the lock is let go; and one that
is refused may have been rotated by somebody whom no lock kept out (another machine's mount), so the store is
read once more before the sign-in counts as ended.

Ending it takes nothing away: the account stays, so that credentials that are still valid are found and serve.

Imports `account`, `kept`, `kept_secret`, `place`, `stores`; what refreshes is handed in.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from ...cache.waiting import SingleFlight
from ...errors import CacheError, CognitoCredentialsError, LoginRejectedError, clean
from ...exchange.deadline import to_its_end
from .account import Account, account_at
from .kept import Device, Kept
from .kept_secret import KeptSecret, has_ended, required
from .place import LOCK_BUDGET, busy
from .replacing import NewSignIn
from .stores import open_store

if TYPE_CHECKING:
    from ...clock import Clock
    from ...secret import Secret
    from ..issuers.issuer import Issuer, Verified
    from .place import Place

REFRESH_BUDGET: Final = 14.0
"""Seconds for a whole refresh: keyring, discovery, token request, storing, and the issuer's keys."""
VERIFY_BUDGET: Final = 2.0
"""What of that is kept for the keys, which are fetched when the lock has been let go."""
SIGN_OUT_BUDGET: Final = 20.0
"""Seconds for the requests of signing out: three, where a user pool has to forget a device."""
MARGIN_SECONDS: Final = 60.0
"""An ID token this near its end is not handed out any more: it must survive the way to the service."""
_log = logging.getLogger(__name__)


class HeldToken(NamedTuple):
    """An ID token in memory."""

    account: Account
    token: Secret
    good_until: float
    """By `Clock.elapsed`, which nobody can set."""


class EndedSignIn(NamedTuple):
    """What signing out did."""

    account: Account | None
    """Who was signed in; None when nobody was."""
    is_revoked: bool
    """Whether the issuer was told, and took it."""
    problem: str = ""
    """Why it was not revoked, for people; empty otherwise."""
    is_unreached: bool = False
    """Whether the issuer could not be told for now: no network, asked too often, or in use here."""
    earlier: tuple[EndedSignIn, ...] = ()
    """The same of what the profile had at other issuers or clients."""
    left: str = ""
    """Why the keyring has its key still, which opens nothing any more; empty otherwise."""
    is_kept: bool = False
    """Whether it was not ended, and is as it was; *problem* says why."""

    @property
    def shown(self) -> str:
        """Who was signed in, and where; empty for nobody."""
        return "" if self.account is None else f"{self.account.shown} at {clean(self.account.issuer, 120)}"

    @property
    def still_here(self) -> str:
        """What was not ended, and why, for people; empty for what was."""
        what = f"The sign-in of {self.shown}" if self.shown else "What this profile had before"
        return f"{what} is still here: {self.problem}" if self.is_kept else ""


class SignIn:
    """
    The sign-in of one profile at one issuer.

    Args:
        place: Its files.
        issuer: Makes the issuer, when there is something to ask it.
        clock: This machine's clocks.
        remedy: How to sign in, for people.
    """

    def __init__(self, place: Place, issuer: Callable[[], Issuer], clock: Clock, remedy: str) -> None:
        self._place = place
        self._issuer = issuer
        self._clock = clock
        self._remedy = remedy
        self._held: HeldToken | None = None
        self._alone = SingleFlight()

    def account(self) -> Account | None:
        """
        Say who is signed in, from the disk; None for nobody.

        Raises:
            CacheError: The directory cannot be used.
        """
        return account_at(self._place)

    def has_ended(self) -> bool:
        """
        Tell whether the issuer has ended the sign-in, as far as is known offline.

        Raises:
            CacheError: The directory cannot be used.
        """
        account = self.account()
        return account is not None and has_ended(self._place, account)

    def id_token(self) -> Secret:
        """
        Return a valid ID token: from memory, else by the refresh token.

        Raises:
            LoginRequiredError: Nobody is signed in, or the sign-in has ended.
            ServiceError: The issuer does not answer.
            CacheError: The store cannot be read.
        """
        token = self._in_memory()
        if token is not None:
            return token
        if not self._alone.enter(LOCK_BUDGET):
            raise busy(LOCK_BUDGET)
        try:
            return self._in_memory() or self._renewed()  # another thread may have been here first
        finally:
            self._alone.leave()

    def reject(self, token: Secret) -> None:
        """Take note that *token* is not taken any more, whatever this machine's clock says."""
        if self._held is not None and self._held.token == token:
            self._held = None

    @contextlib.contextmanager
    def beginning(
        self, store_name: str, patience: float, config: str = ""
    ) -> Iterator[Callable[[Verified], Account]]:
        """
        Begin to sign in: the store is tried first, and left as it was if nobody signs in.

        Args:
            store_name: Where the secret shall be.
            patience: Seconds that a keyring may take while a person is there.
            config: Of the account.

        Yields:
            What keeps the result.

        Raises:
            CacheError: The store does not work.
        """
        store = open_store(store_name, self._place, patience)
        new = NewSignIn(self._place, store, self._issuer, self._clock, config)

        def keep(verified: Verified) -> Account:
            account = new.keep(verified)
            self._hold(account, verified)
            return account

        try:
            with self._place.lock():
                store.check()  # in here, since it may leave a key behind when it is given up
            yield keep
        finally:
            if new.account is None:
                new.leave()

    def device(self) -> Device | None:
        """
        Return the device that the issuer knows this machine as, for the user who was signed in last.

        None as well where that cannot be read: then it is a new device.
        """
        try:
            with self._place.lock():
                account = self.account()
                return None if account is None else self._secret_of(account).load().device
        except CognitoCredentialsError as error:
            _log.debug("what the issuer knows this machine as cannot be read: %s", error)
            return None

    def end(self, *, revoke: bool, is_proven: bool = True) -> EndedSignIn:
        """
        Sign out: forget who and the secret, and tell the issuer if it can be told.

        A keyring that cannot be used keeps nobody signed in: the file that its key opens is gone. Once begun
        it goes on to its end, whatever comes meanwhile: forgetting a device uses up the refresh token.

        Args:
            revoke: Whether the issuer is told.
            is_proven: Whether the secret is the issuer's even where it does not say whose it is.

        Raises:
            CacheError: A file cannot be removed; what could be is.
        """
        with self._place.lock():
            return to_its_end(lambda: self._ended(revoke=revoke, is_proven=is_proven), SIGN_OUT_BUDGET)

    def _ended(self, *, revoke: bool, is_proven: bool) -> EndedSignIn:
        account = self.account()
        self._held = None
        done = EndedSignIn(account, False)
        if account and revoke:
            done = self._revoked(account, is_proven=is_proven)
        # First, so that from here on nobody is signed in, whatever the keyring says.
        self._place.remove("sign-in")
        left: list[str] = []
        with contextlib.ExitStack() as last_first:  # each runs, whichever of them fails
            # Without an account too: left from before, when another store was chosen since.
            if (account and account.store == "keyring") or self._place.read("sealed") is not None:
                last_first.callback(self._remove_key, left)
            last_first.callback(self._place.remove, "sealed")
            last_first.callback(self._place.remove, "secret")
            last_first.callback(self._place.remove, "ended")
        return done._replace(left="".join(left))

    def _remove_key(self, left: list[str]) -> None:
        try:
            open_store("keyring", self._place).delete()
        except CacheError as error:
            left.append(error.message)

    def _in_memory(self) -> Secret | None:
        held = self._held
        if held is None or self._clock.elapsed() >= held.good_until:
            return None
        # Another process may have signed out, or somebody else in.
        return held.token if self.account() == held.account else None

    def _renewed(self) -> Secret:
        """Get a new ID token."""
        from ...exchange.http import bounded

        with self._place.lock():
            ends_at = time.monotonic() + REFRESH_BUDGET
            account = self.account()
            if account is None:
                raise required(self._remedy, "nobody is signed in")
            secret = self._secret_of(account)
            kept = secret.load()
            if kept.refresh_token is None:
                return self._still_good(kept, account)
            budget = ends_at - VERIFY_BUDGET - time.monotonic()
            tokens = to_its_end(lambda: secret.trade(kept), budget)
        # Without the lock: what others need is on the disk.
        issuer = self._issuer()
        verified = bounded(lambda: issuer.verified(tokens), account.issuer, ends_at - time.monotonic())
        if verified.claims["sub"] != account.subject:
            raise LoginRejectedError(
                "the issuer refreshed the sign-in with another user's token", hint=self._remedy
            )
        problem = secret.replaced()
        if problem is not None:
            raise problem
        self._hold(account, verified)
        return verified.id_token

    def _still_good(self, kept: Kept, account: Account) -> Secret:
        if kept.id_token is None or kept.expires_at - MARGIN_SECONDS <= self._clock.wall():
            raise required(
                self._remedy,
                f"the sign-in of {account.shown} has ended; its issuer gave no refresh token "
                "(add offline_access to the scopes, if it knows that)",
            )
        return kept.id_token

    def _revoked(self, account: Account, *, is_proven: bool) -> EndedSignIn:
        """Tell the issuer; whatever it says, the sign-out goes on."""
        try:
            kept = self._secret_of(account).load()
            if kept.principal is None and not is_proven:
                # Only the account file names the issuer then, and it may be another's.
                return EndedSignIn(account, False, "it does not say which issuer it is from")
            if kept.refresh_token is None or self._issuer().revoke(kept.refresh_token, kept.device):
                return EndedSignIn(account, kept.refresh_token is not None)
        except CognitoCredentialsError as error:
            return EndedSignIn(account, False, error.message, error.retryable)
        return EndedSignIn(account, False, "the issuer cannot revoke")

    def _secret_of(self, account: Account) -> KeptSecret:
        store = open_store(account.store, self._place)
        return KeptSecret(self._place, store, account, self._issuer, self._remedy)

    def _hold(self, account: Account, verified: Verified) -> None:
        lifetime = float(verified.claims["exp"]) - verified.now
        margin = min(MARGIN_SECONDS, lifetime / 10)
        self._held = HeldToken(account, verified.id_token, self._clock.elapsed() + lifetime - margin)
