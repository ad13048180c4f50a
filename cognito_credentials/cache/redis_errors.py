"""
What can be wrong with a Redis, and what the errors of redis-py mean.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from ..errors import clean

DOWN_AFTER: Final = 0.25
"""Seconds of the process's own running time without an answer, after which a Redis is down."""
NONSENSE: Final = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What redis-py raises, beside its own errors, where an answer is none of Redis's."""
_CODES: Final = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
}
"""Errors of redis-py whose text has lost the first word of the answer."""
_IN_SCRIPT: Final = re.compile(r"-([A-Z]{3,})\b")
_NO_TLS: Final = re.compile("handshake operation timed out|WRONG_VERSION_NUMBER")
NO_ANSWER: Final = "its answer is none of a Redis"
_REFUSALS: Final = {
    "OOM": "it is full",
    "READONLY": "it is a replica, which cannot be written",
    "LOADING": "it is still loading its data",
    "MISCONF": "it cannot write to its disk, and so takes nothing new",
    "NOREPLICAS": "it has too few replicas, and so takes nothing new",
    "MASTERDOWN": "it is a replica without its primary",
    "CLUSTERDOWN": "the cluster is down",
    "TRYAGAIN": "the cluster is moving the records",
    "BUSY": "it is busy with a script",
    "UNBLOCKED": "it became a replica",
}
"""First words of errors that pass by themselves, in words."""


class RedisUnavailable(Exception):  # noqa: N818  (it is no error of a caller: it says what is known)
    """
    It did not do what it was asked, and whoever asked goes on without.

    Args:
        cause: What is wrong, in some words, for people.
    """

    def __init__(self, cause: str) -> None:
        self.cause = clean(cause, 200)
        super().__init__(self.cause)

    def again(self) -> RedisUnavailable:
        """Return the same, without the frames that this one has passed through."""
        return RedisUnavailable(self.cause)


class RedisRefused(RedisUnavailable):
    """
    The same, and a person has to mend something.

    Args:
        hint: What to do.
    """

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.hint = hint

    def again(self) -> RedisRefused:
        """Return the same, without the frames that this one has passed through."""
        return RedisRefused(self.cause, self.hint)


class Judgement(NamedTuple):
    """What an error of redis-py means."""

    problem: RedisUnavailable
    is_down: bool
    """Whether nobody should ask for a while; otherwise it did not do this one thing."""
    may_pass: bool = False
    """Whether the same on a new connection may work."""


def judge(redis: Any, error: Exception) -> Judgement:
    """
    Say what *error* means.

    Words of the server are not repeated: some of its errors hold what was sent.

    Args:
        redis: Of `load`.
        error: Of redis-py, or one of `NONSENSE`.
    """
    errors = redis.exceptions
    if isinstance(error, errors.RedisClusterException):
        return _in_cluster(redis, error)
    text = str(error)
    # What a command in a script met, Redis 6.2 tells within the script's own error: "…: -READONLY You…".
    met = _IN_SCRIPT.search(text) if "user_script" in text else None
    code = met[1] if met else _CODES.get(type(error).__name__) or text.partition(" ")[0]
    refused = _refused(errors, error, code, text)
    if refused is not None:
        return Judgement(refused, is_down=isinstance(error, errors.ConnectionError))
    if code in _REFUSALS:
        is_answer = not isinstance(error, (errors.ConnectionError, errors.ClusterDownError))
        return Judgement(
            RedisUnavailable(_REFUSALS[code]), is_down=not is_answer, may_pass=code == "READONLY"
        )
    if _NO_TLS.search(f"{text} {error.__context__}"):  # redis-py has other words for a wait that was too long
        return Judgement(
            RedisUnavailable("it did not answer as TLS does; write redis:// if it has no TLS"), is_down=True
        )
    if isinstance(error, errors.TimeoutError):
        return Judgement(
            RedisUnavailable(f"it did not answer within {round(DOWN_AFTER * 1000)} ms"), is_down=True
        )
    if isinstance(error, (errors.ConnectionError, OSError)):
        return Judgement(RedisUnavailable(_words(text)), is_down=True, may_pass=True)
    if isinstance(error, errors.ResponseError):
        return Judgement(RedisUnavailable(f"it refuses a command ({clean(code, 20)})"), is_down=False)
    return Judgement(RedisUnavailable(NO_ANSWER), is_down=True)


def _refused(errors: Any, error: Exception, code: str, text: str) -> RedisRefused | None:
    """Return what a person has to mend."""
    if isinstance(error, errors.NoPermissionError) or code == "NOPERM":
        return RedisRefused(
            "its user may not run a command that is needed", "Allow the user +@all on the keys of this cache"
        )
    if isinstance(error, (errors.AuthenticationError, errors.AuthenticationWrongNumberOfArgsError)):
        what = (
            "needs a password" if "Authentication required" in text else "refuses the user name or password"
        )
        return RedisRefused(
            f"it {what}", "Correct the URL's user name and password, or AWS_COGNITO_CACHE_PASSWORD"
        )
    if isinstance(error, errors.MovedError) or code == "MOVED":
        return RedisRefused("it is one server of a cluster", "Write redis-cluster:// in place of redis://")
    if "DB index" in text:
        return RedisRefused("it has no such database", "Correct the number after the last '/' of the URL")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return RedisRefused(
            "its certificate is not valid for it", "Name the certificates to trust: …?ca_certs=/path.pem"
        )
    return None


def _in_cluster(redis: Any, error: Exception) -> Judgement:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, redis.exceptions.RedisClusterException) or "mode is not enabled" in str(error):
        return Judgement(
            RedisRefused("it is no cluster", "Write redis:// in place of redis-cluster://"), True
        )
    if isinstance(cause, RedisUnavailable):
        return Judgement(cause.again(), is_down=True)
    if isinstance(cause, (redis.exceptions.RedisError, *NONSENSE)):
        return judge(redis, cause)
    return Judgement(RedisUnavailable("the cluster is not whole"), is_down=True)


def _words(text: str) -> str:
    """Shorten redis-py's words to what the system said, "Error 111 connecting to host:1. Refused."."""
    return clean(text.rstrip(".").rpartition(". ")[2], 160) or "it cannot be reached"
