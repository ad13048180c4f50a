"""
Keeps the credentials of a pool renewed while nobody waits for them, and words the answer of each moment.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..errors import CognitoCredentialsError, ServiceError
from ..refresh.policy import RECHECK_SECONDS
from .protocol import Answer, failure

if TYPE_CHECKING:
    from ..credentials import TemporaryCredentials
    from ..pool.pool import IdentityPool

_log = logging.getLogger(__name__)


class Renewal:
    """
    Asks *pool* for its credentials once a second, in a thread of its own. Use it as a context manager.

    While they are fresh, that costs microseconds. When they are due, who refreshes and how long nobody does
    after a failure, the pool decides. Once a second it also notices that somebody has signed out, or that
    another process has newer credentials. A single wait until they are due would not end in time after a
    suspend.
    """

    def __init__(self, pool: IdentityPool) -> None:
        self._pool = pool
        self._failure: CognitoCredentialsError | None = None
        self._answered: tuple[TemporaryCredentials | None, Answer] = (None, Answer(503, b""))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cognito-credentials-renewal", daemon=True)

    def __enter__(self) -> Renewal:  # noqa: PYI034  (typing.Self came with Python 3.11)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()  # it is not waited for: it may be waiting for the service

    def answer(self) -> Answer:
        """Return the credentials that are held, or why there are none that are valid; at once."""
        held = self._pool.current()
        if held is None:
            return self._failed()
        credentials, answer = self._answered
        if credentials is not held:
            answer = Answer(200, held.to_container().encode("ascii"))
            self._answered = (held, answer)
        return answer

    def _failed(self) -> Answer:
        error = self._failure or ServiceError(
            "the credentials have expired and are being renewed", topic="E-EXPIRED"
        )
        said = failure(type(error).__name__, f"cognito-credentials: {error}")
        return Answer(503 if error.retryable else 424, said)

    def _run(self) -> None:
        while not self._ended.wait(RECHECK_SECONDS):
            self.renew()

    def renew(self) -> None:
        """Ask the pool, which asks the service if that is due."""
        before, self._failure = self._failure, self._why_not()
        if self._failure is not None and type(self._failure) is not type(before):
            # Not every SDK shows what it was answered: the log does. Once for each kind of failure: in an
            # outage the text changes every second.
            _log.warning("clients get no credentials: %s", self._failure)

    def _why_not(self) -> CognitoCredentialsError | None:
        """Ask the pool for credentials; return why it gives none."""
        try:
            self._pool.credentials()
        except CognitoCredentialsError as error:
            return error.with_traceback(None)
        except Exception as error:  # noqa: BLE001  (the thread must not end)
            # Its type only: the text of an unknown exception may hold a secret.
            return ServiceError(f"unexpected {type(error).__name__}; this is a bug", topic="E-BUG")
        return None
