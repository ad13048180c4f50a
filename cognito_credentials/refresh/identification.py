"""
Who one is, for those who ask for that alone: the identity id, and a token that says so.

The other use of the policy's locks and back-off: two processes that ask at once must not become two guests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import CognitoCredentialsError

if TYPE_CHECKING:
    from ..secret import Secret
    from .exchanger import Exchanger
    from .identities import Who
    from .refresher import Refresher


class Identification:
    """
    Answers who one is.

    Args:
        exchanger: Finds out.
        refresher: Whose turn it is, and what it holds.
    """

    def __init__(self, exchanger: Exchanger, refresher: Refresher) -> None:
        self._exchanger = exchanger
        self._refresher = refresher

    def identity_id(self) -> str:
        """
        Return the identity id, asking the service only when it is not known here.

        Raises:
            CognitoCredentialsError: It is not known and cannot be had.
        """
        identities = self._exchanger.identities
        who = self._exchanger.identify_offline()
        known = None if who is None else identities.known(who)
        if known is not None and (who is None or not self._refresher.is_of_another(who)):
            return known
        with self._refresher.alone():
            who = self._exchanger.identify()
            # what is handed out and who one is must be of one person
            self._refresher.drop_if_of_another(who)
            return self._identity_of(who)

    def open_id_token(self) -> Secret:
        """
        Get an OpenID token of the identity (GetOpenIdToken).

        Raises:
            CognitoCredentialsError: There is none.
        """
        with self._refresher.alone():
            who = self._exchanger.identify()
            self._identity_of(who)  # first, and under the lock: two processes must not be two guests
            return self._exchanger.open_id_token(who)

    def _identity_of(self, who: Who) -> str:
        """Return the identity of *who*; one process of the machine asks, and a failure is everybody's."""
        identities, backoff = self._exchanger.identities, self._refresher.backoff

        def is_settled() -> bool:
            return identities.known(who) is not None or backoff.shared(who.credentials_key) is not None

        known = identities.known(who)
        if known is not None:
            return known
        with self._refresher.locked(who, is_settled):
            known, failure = identities.known(who), backoff.shared(who.credentials_key)
            if known is not None:
                return known
            if failure is not None:
                raise failure
            try:
                return self._exchanger.new_identity(who)
            except CognitoCredentialsError as error:
                backoff.failed(who.credentials_key, None, error)
                raise
