"""
Which failed request is sent again, and when: as botocore's standard mode does, inside our deadline.

Three attempts; a random part of 50 ms, then of 100 ms, or of 1 s and 2 s where the service says that it is
asked too often; and a quota, so that an outage is not answered by three times the requests.

Source: https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from .deadline import remaining
from .faults import HTTPClientError
from .requests import Refusal

if TYPE_CHECKING:
    from ..budget.budget import Queue
    from ..clock import ServerTime

T = TypeVar("T")

TRANSIENT: Final = ("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete")
TRANSIENT_STATUS: Final = (500, 502, 503, 504)
THROTTLED: Final = (
    *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException"),
    *("TooManyRequestsException", "ProvisionedThroughputExceededException"),
    *("TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded"),
    *("LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete"),
    "EC2ThrottledException",
)
_PROVIDER_SLOW: Final = "IDPCommunicationError"
_BASE: Final = 0.05
_BASE_THROTTLED: Final = 1.0
_LONGEST: Final = 20.0
_MORE_THAN_ASKED: Final = 5.0
_CAPACITY: Final = 500
_COST: Final = 14
_COST_THROTTLED: Final = 5


class Call:
    """
    What is learned on the wire during one API call, retries included.

    Args:
        makes_identity: Each request of it that arrives makes a new identity (a guest's GetId).
        is_single: Whether its request is sent only once, whatever happens to it.
        is_taken_once: Whether the service takes what is sent only once (a refresh token that is rotated).
            Such a request is not sent again where only its answer may have been lost.
        queue: Where each request of it waits for its turn; None where there is no budget.
    """

    def __init__(
        self,
        *,
        makes_identity: bool = False,
        is_single: bool = False,
        is_taken_once: bool = False,
        queue: Queue | None = None,
    ) -> None:
        self.makes_identity = makes_identity
        self.is_single = is_single
        self.is_taken_once = is_taken_once
        self.queue = queue
        self.was_crowded = False
        """Whether many users came at once."""
        self.unanswered = 0
        self.is_sent = False
        """Whether a connection was opened for a request; what failed before is of this process alone."""
        self.host = ""
        """Where the last request went, with the port where it is not the usual one; for messages."""
        self.seen: ServerTime | None = None


class Quota:
    """
    How many retries are left; a success gives back what its retries took, or one.

    It has no lock, which a forked child might inherit locked. An update that is lost between two threads is
    one retry more or less.
    """

    def __init__(self) -> None:
        self.left = _CAPACITY

    def take(self, cost: int) -> bool:
        """Take *cost*, if there is as much."""
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def give(self, amount: int) -> None:
        """Give *amount* back."""
        self.left = min(self.left + amount, _CAPACITY)


def attempt(send: Callable[[int], T], call: Call, quota: Quota, rng: random.Random, attempts: int = 3) -> T:
    """
    Call *send* until it succeeds, fails for good, or has been called *attempts* times.

    Args:
        send: Sends the request; gets the number of the attempt, from 1.
        call: What sending learned so far, and rules for it.

    Raises:
        Exception: What the last attempt raised.
        ServiceError: The budget has no turn for another one.
    """
    number, taken, queue = 1, 0, call.queue
    while True:
        if queue is not None:
            call.was_crowded |= queue.wait_for_turn(remaining())
        try:
            result = send(number)
        except (Refusal, HTTPClientError) as error:
            if queue is not None and _is_throttled(error):
                queue.was_too_often()
            is_last = call.is_single or (call.is_taken_once and call.unanswered) or number >= attempts
            if is_last or not is_retryable(error):
                raise
            cost = _COST_THROTTLED if _is_throttled(error) else _COST
            delay = backoff(error, number, rng)
            if delay >= remaining() or not quota.take(cost):
                raise
            taken = cost
        else:
            quota.give(taken or 1)
            return result
        time.sleep(delay)
        number += 1


def is_retryable(error: Refusal | HTTPClientError) -> bool:
    """Tell whether the same request may succeed a moment later."""
    if not isinstance(error, Refusal):
        return True
    is_provider_slow = error.service == "sts" and error.code == _PROVIDER_SLOW
    is_transient = error.code in TRANSIENT or error.status in TRANSIENT_STATUS
    return is_transient or is_provider_slow or _is_throttled(error)


def backoff(error: Refusal | HTTPClientError, number: int, rng: random.Random) -> float:
    """Return the seconds to wait after attempt *number*."""
    base = _BASE_THROTTLED if _is_throttled(error) else _BASE
    seconds: float = rng.random() * min(base * 2 ** (number - 1), _LONGEST)
    if isinstance(error, Refusal) and error.retry_after is not None:
        return max(seconds, min(error.retry_after, seconds + _MORE_THAN_ASKED))
    return seconds


def _is_throttled(error: Refusal | HTTPClientError) -> bool:
    if not isinstance(error, Refusal):
        return False
    return error.code in THROTTLED or (error.status == 429 and not _is_named(error))


def _is_named(error: Refusal) -> bool:
    """Tell whether the service has this code: then it means what its name says, whatever the status."""
    if error.service == "cognito-idp":
        return error.code.endswith("Exception")
    return error.code in _NAMED[error.service]


_NAMED: Final = {
    "cognito-identity": (
        *("InvalidParameterException", "ResourceNotFoundException", "NotAuthorizedException"),
        *("ResourceConflictException", "InternalErrorException", "ExternalServiceException"),
        "InvalidIdentityPoolConfigurationException",
    ),
    "sts": (
        *("MalformedPolicyDocument", "PackedPolicyTooLarge", "IDPRejectedClaim", "IDPCommunicationError"),
        *("InvalidIdentityToken", "ExpiredTokenException", "RegionDisabledException"),
    ),
}
"""The codes of the operations' own errors, but for those in `THROTTLED`."""
