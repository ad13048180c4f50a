"""
awscrt, and so the AWS IoT SDK and every other client of the AWS Common Runtime: a provider over the pool.

awscrt asks its provider for each signature, on the caller's thread or on a thread of its event loops, where
anything that waits stops all connections of that loop. It keeps nothing: memory, disk, locks and renewal are
the pool's.

An exception of the provider does not reach the program: Python prints it, and awscrt reports nothing but
``AWS_AUTH_CREDENTIALS_PROVIDER_DELEGATE_FAILURE``. So the error is also logged here.

Source: `new_delegate` in https://github.com/awslabs/aws-crt-python/blob/main/awscrt/auth.py, and
``source/auth_credentials.c`` there.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from ..errors import CognitoCredentialsError, ConfigurationError, replaced
from ..pool.pool import IdentityPool, parts_of
from .extra import needs

if TYPE_CHECKING:
    from ..credentials import TemporaryCredentials

with needs("awscrt", "crt"):
    from awscrt.auth import AwsCredentials, AwsCredentialsProvider

_log = logging.getLogger(__name__)

_TOO_LITTLE: Final = 10.0
"""Seconds of validity: what is signed with less left may come too late at AWS."""


def credentials_provider(pool: IdentityPool) -> AwsCredentialsProvider:
    """
    Return a provider for awscrt whose credentials are the pool's.

    While credentials are held that are valid for ten seconds more, awscrt gets them at once; a thread renews
    them when that is due. Otherwise the thread that asks waits for the pool. A program that calls
    ``pool.credentials()`` before it connects spares awscrt's event loop that wait, and gets the error itself
    if there is one.

    The provider keeps the pool alive. Do not make it a member of awscrt's `new_chain`, which waits for ever
    when a member like this one fails.

    Args:
        pool: Any number of providers may share it, and the program may go on using it.

    Raises:
        ConfigurationError: *pool* is something else.
    """
    if not isinstance(pool, IdentityPool):
        raise ConfigurationError(
            f"awscrt's provider needs an IdentityPool, not {type(pool).__name__}",
            hint="Write credentials_provider(IdentityPool(…)), or for an AsyncIdentityPool its `pool`",
            topic="E-ARGUMENT",
        )
    return AwsCredentialsProvider.new_delegate(_Delegate(pool))


def _logged(error: CognitoCredentialsError) -> CognitoCredentialsError:
    _log.error("awscrt gets no credentials: %s", error)
    return error.with_traceback(None)  # Python prints the rest of it


class _Delegate:
    """What awscrt calls for each signature."""

    def __init__(self, pool: IdentityPool) -> None:
        self._pool = pool
        self._converted: tuple[TemporaryCredentials | None, AwsCredentials | None] = (None, None)
        self._renewal: threading.Thread | None = None

    def __call__(self) -> AwsCredentials:
        credentials = self._credentials()
        known, converted = self._converted
        if known is not credentials:
            converted = AwsCredentials(
                credentials.access_key_id,
                credentials.secret_access_key.reveal(),
                credentials.session_token.reveal(),
                credentials.expiration,
            )
            # One assignment of one tuple: another thread sees the old pair or the new one, never a mixture.
            self._converted = (credentials, converted)
        return converted

    def __repr__(self) -> str:
        """Python prints this where it prints an error: ``Exception ignored in: …``."""
        return f"<awscrt's provider for {self._pool!r}>"

    def _credentials(self) -> TemporaryCredentials:
        with replaced(CognitoCredentialsError, by=_logged):
            refresher = parts_of(self._pool).refresher
            refresher.look_at_owners()  # a file at most, once a second
            record, is_due = refresher.at_once(_TOO_LITTLE)
            if record is None:
                return self._pool.credentials()
        if is_due:
            self._renew_in_background()
        return record.credentials

    def _renew_in_background(self) -> None:
        """
        Let a thread ask the pool, which decides whether and how it refreshes.

        At most one does so. The race of two callers costs a second thread, which the pool sends back.
        """
        if self._renewal is not None and self._renewal.is_alive():
            return
        # A daemon, so that the interpreter does not wait for the service at its end.
        renewal = threading.Thread(target=self._renew, name="cognito-credentials-renewal", daemon=True)
        try:
            renewal.start()
        except RuntimeError:
            return  # the interpreter is ending, and starts no thread any more
        self._renewal = renewal

    def _renew(self) -> None:
        try:
            self._pool.credentials()
        except CognitoCredentialsError as error:
            # The credentials that were handed out have expired meanwhile; the next caller gets this error.
            _log.debug("not renewed: %s", error)
