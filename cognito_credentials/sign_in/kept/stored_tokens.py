"""
The tokens of a sign-in, as the secret store has them: read, and exchanged for new ones.

An exchange and the storing of its result are one unit. An issuer that rotates refresh tokens accepts each
only once: a process that asks and then loses the answer has signed the user out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ...errors import CacheError, CognitoCredentialsError, LoginRequiredError, ServiceError
from ...secret import Secret
from ..issuers.tokens import Device, SignInEnded
from .account import Account, account_at

if TYPE_CHECKING:
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Tokens
    from .place import SignInPlace
    from .stores import SecretStore

_VERSION: Final = 1
_log = logging.getLogger(__name__)


class StoredTokens(NamedTuple):
    """
    What the secret store has: one of the two tokens.

    A crash can come between the writing of the account file and of the secret. The principal beside the token
    prevents one user's token from then being taken for another user's.
    """

    refresh_token: Secret | None
    id_token: Secret | None
    """Stored only where the issuer gave no refresh token."""
    expires_at: int
    """When the ID token expires, seconds since the epoch."""
    principal: str | None
    """`Account.principal` of the user; None in what early versions of this package have stored."""
    device: Device | None = None
    """The device that a user pool has bound the refresh token to."""

    def encode(self) -> Secret:
        """Write it as one line of JSON."""
        values: dict[str, object] = {"v": _VERSION, "principal": self.principal}
        if self.refresh_token is not None:
            values["refresh_token"] = self.refresh_token.reveal()
        elif self.id_token is not None:
            values |= {"id_token": self.id_token.reveal(), "expires_at": self.expires_at}
        if self.device is not None:
            values["device"] = {**self.device._asdict(), "password": self.device.password.reveal()}
        return Secret(json.dumps(values, separators=(",", ":")))

    @classmethod
    def decode(cls, secret: Secret) -> StoredTokens | None:
        """Read what `encode` wrote, in this or an earlier version; None if anything in it is wrong."""
        try:
            values = json.loads(secret.reveal())
        except (ValueError, RecursionError):
            return None
        if not isinstance(values, dict) or values.get("v") != _VERSION:
            return None
        principal, refresh_token = values.get("principal"), values.get("refresh_token")
        id_token, expires_at = values.get("id_token"), values.get("expires_at")
        if not isinstance(principal, (str, type(None))):
            return None
        if isinstance(refresh_token, str):
            return cls(Secret(refresh_token), None, 0, principal, _device(values.get("device")))
        # The ID token is handed out as it is, so its user must be known. Refreshed tokens are verified again.
        if isinstance(id_token, str) and isinstance(expires_at, int) and principal is not None:
            return cls(None, Secret(id_token), expires_at, principal)
        return None


def _device(value: object) -> Device | None:
    """Read a device; None if anything in it is wrong. Then the pool refuses the refresh."""
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in Device._fields):
        return None
    return Device(value["key"], value["group_key"], Secret(value["password"]), value["username"])


class TokenExchange:
    """
    Reads the tokens of one account, and exchanges them for new ones; use it with the lock of *place* held.

    Args:
        issuer: Makes the issuer; called only when the issuer is asked.
        remedy: How to sign in, for people.
    """

    def __init__(
        self,
        place: SignInPlace,
        store: SecretStore,
        account: Account,
        issuer: Callable[[], Issuer],
        remedy: str,
    ) -> None:
        self._place = place
        self._store = store
        self._account = account
        self._issuer = issuer
        self._remedy = remedy

    def load(self) -> StoredTokens:
        """
        Read the tokens.

        Raises:
            LoginRequiredError: The store has no tokens of this account.
            CacheError: The store cannot be read.
        """
        secret = self._store.load()
        stored = None if secret is None else StoredTokens.decode(secret)
        # Tokens without a principal are from an early version; the token that a refresh gives names the user.
        if stored is None or stored.principal not in (self._account.principal, None):
            raise sign_in_required(
                self._remedy, f"the sign-in of {self._account.shown} is gone from {self._store.location}"
            )
        return stored

    def exchange(self, stored: StoredTokens) -> Tokens:
        """
        Exchange a refresh token for new tokens, not yet verified, and store the new refresh token.

        Args:
            stored: The result of `load`, with a refresh token.

        Raises:
            LoginRequiredError: The sign-in has ended; or somebody has signed out meanwhile.
            ServiceError: The issuer does not answer; or somebody has signed in meanwhile.
            CacheError: The store cannot be read.
        """
        stored, tokens = self._refresh(stored)
        rotated = None if tokens.refresh_token == stored.refresh_token else tokens.refresh_token
        problem = self.changed_account()
        if problem is not None:
            # Another machine that mounts this directory has no part in the lock. What it wrote stays.
            if rotated is not None:
                self._revoke(rotated, stored)
            raise problem
        if rotated is not None:
            # Before anything else can fail: the issuer no longer accepts the old one.
            self._store_rotated(stored._replace(refresh_token=rotated, principal=self._account.principal))
        self._remove_end_mark()
        return tokens

    def changed_account(self) -> CognitoCredentialsError | None:
        """Return the error for a changed account file; None if it is the same, or cannot be read."""
        try:
            now = account_at(self._place)
        except CacheError as error:
            _log.debug("who is signed in cannot be read: %s", error)
            return None
        if now is None:
            return sign_in_required(self._remedy, "nobody is signed in")
        if now != self._account:
            return ServiceError("somebody has signed in meanwhile", hint="Try again", topic="E-SIGN-IN")
        return None

    def _refresh(self, stored: StoredTokens) -> tuple[StoredTokens, Tokens]:
        """
        Ask the issuer for new tokens; return the stored ones that it accepted, too.

        A refused token may have been rotated by whoever the lock does not reach: another machine that mounts
        this directory, or another object of an app's store without a lock, as where a part of a program is
        reloaded. So the store is read once more before the sign-in counts as ended.
        """
        issuer = self._issuer()
        for is_last in (False, True):
            assert stored.refresh_token is not None  # noqa: S101  (for the type checker; both callers look)
            try:
                return stored, issuer.refresh(stored.refresh_token, stored.device)
            except SignInEnded as ended:
                why = f": {ended.why}" if ended.why else ""
            self._place.reload()
            again = self.load()
            if is_last or again.refresh_token in (None, stored.refresh_token):
                break
            stored = again
        self._write_end_mark()
        raise sign_in_required(self._remedy, f"the sign-in of {self._account.shown} has ended{why}")

    def _write_end_mark(self) -> None:
        try:
            self._place.write("ended", self._account.encode())
        except CacheError as error:
            _log.debug("that the sign-in has ended could not be noted: %s", error)

    def _remove_end_mark(self) -> None:
        # An issuer may accept a refresh token again that it refused before.
        try:
            if has_ended(self._place, self._account):
                self._place.remove("ended")
        except CacheError as error:
            # Only `status` is wrong then.
            _log.debug("that the sign-in has not ended could not be noted: %s", error)

    def _store_rotated(self, rotated: StoredTokens) -> None:
        try:
            self._store.store(rotated.encode())
        except CognitoCredentialsError as error:
            # The ID token is valid for about an hour more, so the caller still gets it.
            _log.warning("the new refresh token could not be kept, so the sign-in ends soon: %s", error)

    def _revoke(self, refresh_token: Secret, stored: StoredTokens) -> None:
        try:
            self._issuer().revoke(refresh_token, stored.device)
        except CognitoCredentialsError as error:
            _log.warning("a refresh token that is no longer used could not be revoked: %s", error)


def has_ended(place: SignInPlace, account: Account) -> bool:
    """Tell whether the issuer refused to refresh the sign-in of *account* when it was last asked."""
    return place.read("ended") == account.encode()


def sign_in_required(remedy: str, what: str) -> LoginRequiredError:
    """Make the error that asks the user to sign in."""
    return LoginRequiredError(what, hint=remedy)
