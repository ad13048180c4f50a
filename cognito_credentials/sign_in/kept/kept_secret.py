"""
The secret of who is signed in: read, and traded for new tokens.

A trade and the storing of what came are one unit. An issuer that rotates refresh tokens takes each only once:
whoever asks and then drops the answer has signed the user out.

Imports `account`, `kept`, `stores`; the issuer is handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import CacheError, CognitoCredentialsError, LoginRequiredError, ServiceError
from .account import Account, account_at
from .kept import Kept, opened

if TYPE_CHECKING:
    from ...secret import Secret
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Tokens
    from .place import Place
    from .stores import SecretStore

_log = logging.getLogger(__name__)


class KeptSecret:
    """
    The secret of one account; use it with the lock of *place* held.

    Args:
        place: The files of the sign-in.
        store: Where the secret is.
        account: Whose it is.
        issuer: Makes the issuer, when there is something to ask it.
        remedy: How to sign in, for people.
    """

    def __init__(
        self, place: Place, store: SecretStore, account: Account, issuer: Callable[[], Issuer], remedy: str
    ) -> None:
        self._place = place
        self._store = store
        self._account = account
        self._issuer = issuer
        self._remedy = remedy

    def load(self) -> Kept:
        """
        Read it.

        Raises:
            LoginRequiredError: It is gone.
            CacheError: The store cannot be read.
        """
        secret = self._store.load()
        kept = None if secret is None else opened(secret)
        # Never one user's name on another's secret: a crash may have come between the two writes. What does
        # not say whose it is must give a token of this user when it is used.
        if kept is None or kept.principal not in (self._account.principal, None):
            raise required(
                self._remedy, f"the sign-in of {self._account.shown} is gone from {self._store.location}"
            )
        return kept

    def trade(self, kept: Kept) -> Tokens:
        """
        Trade a refresh token for new tokens, not yet verified, and store the new refresh token.

        Args:
            kept: What `load` returned, with a refresh token.

        Raises:
            LoginRequiredError: The sign-in has ended, or was ended meanwhile.
            ServiceError: The issuer does not answer; or somebody has signed in meanwhile.
            CacheError: The store cannot be read.
        """
        kept, tokens = self._asked(kept)
        rotated = None if tokens.refresh_token == kept.refresh_token else tokens.refresh_token
        problem = self.replaced()
        if problem is not None:
            # No lock kept out whoever did that; it stands.
            if rotated is not None:
                self._revoke(rotated, kept)
            raise problem
        if rotated is not None:
            # Before anything else can fail: the old one is worth nothing from now on.
            new = kept._replace(refresh_token=rotated, principal=self._account.principal)
            self._store_rotated(new)
        self._take_back_the_end()
        return tokens

    def replaced(self) -> CognitoCredentialsError | None:
        """Say what came in place of the account; None where it still stands, or that cannot be told."""
        try:
            now = account_at(self._place)
        except CacheError as error:
            _log.debug("who is signed in cannot be read: %s", error)
            return None
        if now is None:
            return required(self._remedy, "nobody is signed in")
        if now != self._account:
            return ServiceError("somebody has signed in meanwhile", hint="Try again")
        return None

    def _asked(self, kept: Kept) -> tuple[Kept, Tokens]:
        """Ask the issuer; return what it took, too."""
        from ..issuers.issuer import SignInEnded

        issuer = self._issuer()
        for is_last in (False, True):
            assert kept.refresh_token is not None  # noqa: S101  (for the type checker; both callers look)
            try:
                return kept, issuer.refresh(kept.refresh_token, kept.device)
            except SignInEnded as ended:
                why = f": {ended.why}" if ended.why else ""
            again = self.load()
            if is_last or again.refresh_token in (None, kept.refresh_token):
                break
            kept = again
        self._note_the_end()
        raise required(self._remedy, f"the sign-in of {self._account.shown} has ended{why}")

    def _note_the_end(self) -> None:
        try:
            self._place.write("ended", self._account.encode())
        except CacheError as error:
            _log.debug("that the sign-in has ended could not be noted: %s", error)

    def _take_back_the_end(self) -> None:
        """Note that the issuer has thought better of it, if it had ended the sign-in before."""
        try:
            if has_ended(self._place, self._account):
                self._place.remove("ended")
        except CacheError as error:
            # It misleads `status` alone; the new tokens are what counts.
            _log.debug("that the sign-in has not ended could not be noted: %s", error)

    def _store_rotated(self, rotated: Kept) -> None:
        try:
            self._store.store(rotated.encode())
        except CacheError as error:
            # The ID token in hand is good for an hour; failing now would help nobody.
            _log.warning("the new refresh token could not be kept, so the sign-in ends soon: %s", error)

    def _revoke(self, refresh_token: Secret, kept: Kept) -> None:
        try:
            self._issuer().revoke(refresh_token, kept.device)
        except CognitoCredentialsError as error:
            _log.warning("a refresh token that nobody has any more could not be revoked: %s", error)


def has_ended(place: Place, account: Account) -> bool:
    """Tell whether the issuer has ended the sign-in of *account*, when it was asked last."""
    return place.read("ended") == account.encode()


def required(remedy: str, what: str) -> LoginRequiredError:
    """Say that somebody must sign in: *what* is so, and the *remedy*."""
    return LoginRequiredError(what, hint=remedy)
