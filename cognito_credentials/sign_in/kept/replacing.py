"""
A new sign-in, stored in place of the one before: whole or not at all.

In files the secret is written first and the account file last. Until the account file is written, whoever was
signed in still is; a failure or Ctrl-C in between puts the file of the old secret back, also where a locked
keyring does not open it at that moment (`Place.replace`). An app's place gets one text. If another user was
signed in before, the issuer is asked to revoke that user's refresh token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import CacheError, CognitoCredentialsError
from ...secret import Secret
from .account import Account, account_at, mark_of_this_program
from .stored_tokens import StoredTokens
from .stores import SecretStore, open_store

if TYPE_CHECKING:
    from ...clock import Clock
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Verified
    from .place import SignInPlace

_log = logging.getLogger(__name__)


class NewSignIn:
    """
    A sign-in that has begun.

    Args:
        store: Where its secret will be.
        issuer: Makes the issuer; called only when a refresh token is revoked.
        config: `account.config_of` the profile; empty for a program's.
    """

    def __init__(
        self, place: SignInPlace, store: SecretStore, issuer: Callable[[], Issuer], clock: Clock, config: str
    ) -> None:
        self._place = place
        self._store = store
        self._issuer = issuer
        self._clock = clock
        self._config = config
        self.account: Account | None = None
        """Who has signed in; None until the sign-in is stored."""

    def keep(self, verified: Verified) -> Account:
        """
        Store *verified* as the sign-in.

        Raises:
            CacheError: It cannot be stored; the sign-in before stays.
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
        # By this machine's clock, which may be wrong: the stored token is compared with it.
        expires_at = int(verified.claims["exp"] - verified.now + self._clock.wall())
        new = StoredTokens(verified.refresh_token, id_token, expires_at, account.principal, verified.device)
        with self._place.lock(to_sign_in=True):
            before = account_at(self._place)
            old = self._read_secret_of(before)
            self._write(new, account)
            self.account = account
            if before is not None and before.store != self._store.name:
                self._clear(before.store)
        if before is not None:
            self._revoke_of_other_user(old, before, new)
        return account

    def abandon(self) -> None:
        """Leave the store as it was before `SecretStore.check`."""
        if not self._store.has_made_a_key:
            return
        try:
            with self._place.lock(to_sign_in=True):
                self._store.abandon()
        except CognitoCredentialsError as error:
            _log.debug("the store could not be left as it was: %s", error)

    def _read_secret_of(self, account: Account | None) -> Secret | None:
        try:
            return None if account is None else open_store(account.store, self._place).load()
        except CacheError as error:
            _log.debug("the secret that is replaced cannot be read: %s", error)
            return None

    def _write(self, new: StoredTokens, account: Account) -> None:
        self._place.replace(
            {
                self._store.kind: self._store.sealed(new.encode()),
                "process": mark_of_this_program(account),
                "sign-in": account.encode(),
            }
        )

    def _clear(self, store_name: str) -> None:
        try:
            open_store(store_name, self._place).delete()
        except CacheError as error:
            _log.warning(
                "what the earlier sign-in kept in the %s could not be removed: %s", store_name, error
            )

    def _revoke_of_other_user(self, old: Secret | None, before: Account, new: StoredTokens) -> None:
        stored = None if old is None else StoredTokens.decode(old)
        if stored is None or stored.refresh_token is None or stored.principal != before.principal:
            return
        # Not the same user's: some issuers revoke the whole grant, the new refresh token included.
        if stored.principal == new.principal:
            return
        try:
            self._issuer().revoke(stored.refresh_token, stored.device)
        except CognitoCredentialsError as error:
            _log.warning("the refresh token of %s could not be revoked: %s", before.shown, error)


def _client_id(verified: Verified) -> str:
    audience = verified.claims["aud"]
    return str(audience if isinstance(audience, str) else verified.claims.get("azp", audience[0]))
