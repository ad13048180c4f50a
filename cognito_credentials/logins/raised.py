"""
What an exception of a program, or of a library of it, says: an outage, or a matter of the program's.

Libraries are known by the names of their classes. None is imported for this.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Iterator
from typing import Final

from ..errors import CognitoCredentialsError

_UNREACHABLE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN))
"""Error numbers of outages that Python has no class for."""
_NO_ANSWER: Final = {
    "socket": ("gaierror", "herror", "timeout"),
    "_socket": ("gaierror", "herror", "timeout"),  # PyPy
    "ssl": ("SSLError",),
    "urllib": ("URLError",),
    "http": ("BadStatusLine", "IncompleteRead"),
    "asyncio": ("TimeoutError",),  # before Python 3.11
    "concurrent": ("TimeoutError",),
    "botocore": ("HTTPClientError", "ConnectionError", "IncompleteReadError", "ResponseStreamingError"),
    "urllib3": (
        "TimeoutError",
        "MaxRetryError",
        "NewConnectionError",
        "ProtocolError",
        "ProxyError",
        "SSLError",
    ),
    "requests": ("ConnectionError", "Timeout", "ChunkedEncodingError", "RetryError"),
    "httpx": ("TimeoutException", "NetworkError", "ProxyError", "RemoteProtocolError"),
    "httpcore": ("TimeoutException", "NetworkError", "ProxyError", "RemoteProtocolError"),
    "aiohttp": ("ClientConnectionError", "ClientPayloadError"),
}
"""Package -> its classes for a request without a whole answer; subclasses count, in other packages, too."""
_BUSY: Final = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable")
"""How codes of AWS services begin, or go on, that ask to come back later."""
_LONGEST_CHAIN: Final = 20


def is_outage(error: BaseException, more: tuple[type[BaseException], ...] = ()) -> bool:
    """
    Tell an outage, which says nothing of the sign-in, from a refusal and from a fault of this machine.

    What an error is raised from, or raised while handling, counts where it says nothing by itself.

    Args:
        more: Classes that are outages, too.
    """
    for each in _chain(error):
        if isinstance(each, more):
            return True
        says = _says_outage(each)
        if says is not None:
            return says
    return False


def is_from_signal_handler(error: BaseException) -> bool:
    """
    Tell whether a signal handler of the program raised *error*, as for a time limit of a task.

    It comes out of whatever was running, and says nothing of that.
    """
    handlers = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        function = getattr(handler, "__func__", handler)
        handlers.add(getattr(function, "__code__", None))
    handlers.discard(None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        trace = trace.tb_next
    return False


def from_signal_handler(error: BaseException, handled: BaseException | None) -> BaseException | None:
    """
    Return what a signal handler of the program raised, where *error* is that or took its place; else None.

    A handler that cuts through a wait of `threading` leaves a lock unlocked: its RuntimeError comes out.

    Args:
        handled: What was being handled before. It is the context of each error since then, and no reason.
    """
    return next((each for each in _chain(error, handled) if is_from_signal_handler(each)), None)


def _chain(error: BaseException, end: BaseException | None = None) -> Iterator[BaseException]:
    """
    Yield *error*, the errors of a group, and what each was raised from or beside; the outermost first.

    Args:
        end: Left out, with all that is behind it.
    """
    waiting = [error]
    seen = {id(end)}
    while waiting and len(seen) < _LONGEST_CHAIN:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = getattr(each, "exceptions", None)
        if isinstance(members, tuple):
            waiting += [member for member in members if isinstance(member, BaseException)]
        context = None if each.__suppress_context__ else each.__context__
        waiting += [other for other in (each.__cause__, context) if other is not None]


def _says_outage(error: BaseException) -> bool | None:
    """Tell what *error* says by itself; None for nothing."""
    if isinstance(error, CognitoCredentialsError):
        return error.retryable
    status, code = _answer(error)
    if status is not None or code:
        return status == 429 or (status or 0) >= 500 or any(part in code for part in _BUSY)
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    if any((package, name) in kinds for package, names in _NO_ANSWER.items() for name in names):
        return True
    if not isinstance(error, OSError) or isinstance(
        error, ValueError
    ):  # requests has a malformed URL as both
        return None
    is_of_network = any(package in _NO_ANSWER for package, _ in kinds)
    is_known = isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _UNREACHABLE
    return True if is_of_network or is_known else None


def _answer(error: BaseException) -> tuple[int | None, str]:
    """
    Read the status and the service's code of an answer that *error* is about.

    urllib has the status in ``code``, aiohttp in ``status``, requests and httpx in the response, and botocore
    in a dictionary.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        metadata, details = response.get("ResponseMetadata"), response.get("Error")
        status = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
        code = details.get("Code") if isinstance(details, dict) else None
        return status if isinstance(status, int) else None, code if isinstance(code, str) else ""
    found = (getattr(error, "code", None), getattr(error, "status", None))
    for status in (*found, getattr(response, "status_code", None), getattr(response, "status", None)):
        if isinstance(status, int) and 100 <= status <= 599:
            return status, ""
    return None, ""
