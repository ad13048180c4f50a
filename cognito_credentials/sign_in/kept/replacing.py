"""
A sign-in that takes the place of the one before, or of none: whole or not at all.

The secret is written first and the account last, so that until the new sign-in stands whoever was signed in
still is; what fails in between, or is given up, is put back. Whom it replaced has his refresh token revoked.

Imports `account`, `kept`, `place`, `stores`; the issuer is handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import CacheError, CognitoCredentialsError
from .account import Account, account_at
from .kept import Kept, opened
from .stores import SecretStore, open_store

if TYPE_CHECKING:
    from ...clock import Clock
    from ...secret import Secret
    from ..issuers.issuer import Issuer, Verified
    from .place import Place

_log = logging.getLogger(__name__)


class NewSignIn:
    """
    The sign-in that is begun.

    Args:
        place: Its files.
        store: Where its secret shall be.
        issuer: Makes the issuer.
        clock: This machine's clocks.
        config: Of the account.
    """

    def __init__(
        self, place: Place, store: SecretStore, issuer: Callable[[], Issuer], clock: Clock, config: str
    ) -> None:
        self._place = place
        self._store = store
        self._issuer = issuer
        self._clock = clock
        self._config = config
        self.account: Account | None = None
        """Who has signed in, as soon as the sign-in stands."""

    def keep(self, verified: Verified) -> Account:
        """
        Make *verified* the sign-in.

        Raises:
            CacheError: It cannot be kept; what was there stays.
        """
        account = Account(
            issuer=verified.claims["iss"],
            client_id=_client_id(verified),
            subject=verified.claims["sub"],
            name=verified.name,
            store=self._store.name,
            signed_in_at=int(self._clock.wall()),
            config=self._config,
        )
        id_token = None if verified.refresh_token else verified.id_token
        expires_at = int(verified.claims["exp"])
        new = Kept(verified.refresh_token, id_token, expires_at, account.principal, verified.device)
        with self._place.lock():
            before = account_at(self._place)
            old = self._read_before(before)
            self._write(new, account, before, old)
            self.account = account
            if before is not None and before.store != self._store.name:
                self._clear(before.store)
        if before is not None:
            self._take_back(old, before, new)
        return account

    def leave(self) -> None:
        """Leave the store as it was, unless it holds a sign-in: an earlier one, or one made since."""
        try:
            with self._place.lock():
                account = account_at(self._place)
                if account is None or account.store != self._store.name:
                    # With less patience than for a person: a keyring that hung does so once more.
                    open_store(self._store.name, self._place).delete()
        except CognitoCredentialsError as error:
            _log.debug("the store could not be left as it was: %s", error)

    def _read_before(self, before: Account | None) -> Secret | None:
        """Read the secret that is about to be replaced, as it is stored."""
        try:
            return open_store(before.store, self._place).load() if before is not None else None
        except CacheError as error:
            _log.debug("the secret that is replaced cannot be read: %s", error)
            return None

    def _write(self, new: Kept, account: Account, before: Account | None, old: Secret | None) -> None:
        try:
            self._store.store(new.encode())
            # Last and at once: until then whoever was signed in still is.
            self._place.remove("ended")
            self._place.write("sign-in", account.encode())
        except BaseException:
            if old is not None and before is not None and before.store == self._store.name:
                self._restore(old, account)
            raise

    def _restore(self, old: Secret, new: Account) -> None:
        """Put *old* back after a failure or Ctrl-C, unless *new* has made it to the disk by then."""
        try:
            if account_at(self._place) != new:
                self._store.store(old)
        except CacheError as error:
            _log.warning("the earlier sign-in could not be put back: %s", error)

    def _clear(self, store_name: str) -> None:
        """Forget what an earlier sign-in left in another store; the new one stands without that."""
        try:
            open_store(store_name, self._place).delete()
        except CacheError as error:
            _log.warning(
                "what the earlier sign-in kept in the %s could not be removed: %s", store_name, error
            )

    def _take_back(self, old: Secret | None, before: Account, new: Kept) -> None:
        """Have the issuer revoke what nobody has any more: somebody else has signed in over it."""
        was = opened(old) if old is not None else None
        if was is None or was.refresh_token is None or was.principal != before.principal:
            return
        if was.principal == new.principal:
            return
        try:
            self._issuer().revoke(was.refresh_token, was.device)
        except CognitoCredentialsError as error:
            _log.warning("the refresh token of %s could not be revoked: %s", before.shown, error)


def _client_id(verified: Verified) -> str:
    audience = verified.claims["aud"]
    return str(audience if isinstance(audience, str) else verified.claims.get("azp", audience[0]))
