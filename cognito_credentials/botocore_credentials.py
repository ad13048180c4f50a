"""
What botocore signs with, and botocore's kind of our errors.

For each signature botocore calls `IdentityPoolCredentials.get_frozen_credentials`, which asks the pool. It is
one of botocore's `RefreshableCredentials`, since many programs ask for that class and read its private
attributes. The refresh policy is the pool's: botocore's own raises when a refresh fails although the
credentials are still valid. Source: https://github.com/boto/botocore/blob/develop/botocore/credentials.py

`tests/session/test_credentials.py` lists what botocore's class has, and fails when that changes.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import botocore.exceptions
from botocore.credentials import DeferredRefreshableCredentials, ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError

from .credentials import iso
from .errors import CognitoCredentialsError, replaced
from .pool.pool import IdentityPool, held_by

if TYPE_CHECKING:
    from .credentials import TemporaryCredentials

METHOD: Final = "cognito-identity-pool"


def as_botocore_error(error: CognitoCredentialsError) -> CognitoCredentialsError:
    """
    Return *error* as an exception that is also botocore's `CredentialRetrievalError`.

    Both ``except BotoCoreError`` and ``except LoginRequiredError`` catch it. Newer botocores have
    `RefreshNonRecoverableError`, which their own retries let pass; an error that no retry can mend is one of
    those, too.
    """
    kinds: list[type] = [type(error), CredentialRetrievalError]
    final = getattr(botocore.exceptions, "RefreshNonRecoverableError", None)
    if final is not None and not error.retryable and not issubclass(CredentialRetrievalError, final):
        kinds.append(final)
    members = {
        "__init__": _init,
        "__reduce__": _reduce,
        "__str__": type(error).__str__,
        "_kind": type(error),
    }
    raised: CognitoCredentialsError = type(type(error).__name__, tuple(kinds), members)(error)
    return raised


def _init(self: Any, error: CognitoCredentialsError) -> None:
    CredentialRetrievalError.__init__(self, provider=METHOD, error_msg=error.message)
    CognitoCredentialsError.__init__(self, error.message, **error.details())


def _reduce(self: Any) -> tuple[Any, ...]:
    # Each process makes its own class, which pickle would not find.
    return as_botocore_error, (self._kind(self.message, **self.details()),)


BOTOCORES_ERRORS: Final = replaced(CognitoCredentialsError, by=as_botocore_error)
"""Made once, since each signature passes through it."""


class IdentityPoolCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]  # botocore has no types
    """
    What botocore signs with: always the pool's current credentials.

    It may be shared between threads and used after a fork. It never raises while credentials are valid.

    `access_key`, `secret_key`, `token`, `account_id` and `get_frozen_credentials` refresh when that is due by
    the pool's policy. Everything else tells what the pool holds in memory, and asks neither disk nor network.
    Before the first use it holds nothing, like botocore's own deferred credentials.
    """

    # super().__init__() is not called: it makes the lock and the parts that the pool has instead.
    def __init__(self, pool: IdentityPool) -> None:
        self.pool = pool
        self.method = METHOD
        self._signed_with: tuple[TemporaryCredentials | None, ReadOnlyCredentials] = (None, None)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """
        Return key, secret and token of one generation, for one signature.

        Raises:
            botocore.exceptions.CredentialRetrievalError: No credentials are valid, and new ones cannot be
                obtained. It is also a `CognitoCredentialsError`.
        """
        return self._frozen(self._current())

    def _frozen(self, credentials: TemporaryCredentials) -> ReadOnlyCredentials:
        """Return *credentials* in botocore's form, made once."""
        known, frozen = self._signed_with
        if known is not credentials:
            frozen = ReadOnlyCredentials(
                credentials.access_key_id,
                credentials.secret_access_key.reveal(),
                credentials.session_token.reveal(),
                credentials.account_id,
            )
            # One assignment of one tuple: another thread sees the old pair or the new one, never a mixture.
            self._signed_with = (credentials, frozen)
        return frozen

    @property
    def access_key(self) -> str:
        """The access key id; `get_frozen_credentials` returns it with the secret that belongs to it."""
        return str(self.get_frozen_credentials().access_key)

    @property
    def secret_key(self) -> str:
        """The secret access key."""
        return str(self.get_frozen_credentials().secret_key)

    @property
    def token(self) -> str:
        """The session token."""
        return str(self.get_frozen_credentials().token)

    @property
    def account_id(self) -> str | None:
        """The AWS account, where it is known."""
        return self._current().account_id

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """
        Tell whether the next use asks for new credentials. Nothing is asked for here.

        Args:
            refresh_in: Tell instead whether less than this many seconds are left.
        """
        held, clock = held_by(self.pool)
        if held is None:
            return True
        return not held.is_fresh(clock) if refresh_in is None else held.seconds_left(clock) < refresh_in

    @property
    def _expiry_time(self) -> datetime | None:
        """The end of what the pool holds, as the service sent it; None before the first use."""
        held, _ = held_by(self.pool)
        return None if held is None else held.record.credentials.expiration

    def _time_fetcher(self) -> datetime:
        """Return the service's time, by which the expiration counts, and not this machine's."""
        held, clock = held_by(self.pool)
        now = clock.wall() if held is None else held.record.seen.now(clock)
        return datetime.fromtimestamp(now, timezone.utc)

    @property
    def _frozen_credentials(self) -> ReadOnlyCredentials | None:
        """What was signed with last; None before that."""
        return self._signed_with[1]

    def _refresh(self) -> None:
        self._current()

    def _protected_refresh(self, is_mandatory: bool) -> None:  # noqa: ARG002  (botocore's)
        """Get new credentials now: programs call it to force a refresh."""
        with BOTOCORES_ERRORS:
            self.pool.refresh()

    def _refresh_using(self) -> dict[str, str | None]:
        """Return what botocore's other classes take from a refresh: a copy of them renews from this pool."""
        self.get_frozen_credentials()
        credentials, frozen = self._signed_with
        assert credentials is not None  # noqa: S101  (for the type checker; it has just been set)
        return {**frozen._asdict(), "expiry_time": iso(credentials.expires_at)}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.pool,)

    def __deepcopy__(self, memo: object) -> IdentityPoolCredentials:
        # A copy of the pool would be another guest where the cache is in memory.
        return type(self)(self.pool)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pool!r})"

    def _current(self) -> TemporaryCredentials:
        with BOTOCORES_ERRORS:
            return self.pool.credentials()
