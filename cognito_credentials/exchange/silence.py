"""
botocore's wire log says nothing about our calls, and goes on about everybody else's.

At DEBUG, botocore logs the login token ("Making request … with params") and the secret key ("Response
body") by intent (boto/botocore#2626). A filter on the loggers concerned drops what is logged while a
context variable of ours is set: in this thread, during this call.

The filter is added once to each logger and stays. Taking it away again after each call would not be safer
but leak: `Filterer.filter` iterates over the very list that another thread would be removing from, so that
thread's own filter could be skipped. Left in place, it lets everything through that is not ours.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
from collections.abc import Iterator
from typing import Final

LOGGERS: Final = (
    "botocore.endpoint",
    "botocore.parsers",
    "botocore.hooks",
    "botocore.awsrequest",
    "botocore.httpsession",
    "botocore.retries.standard",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.response",
    "urllib3.util.retry",
)
"""Those that see parameters, bodies, headers or errors made of them. Filters are not inherited by name."""

_SILENT: contextvars.ContextVar[bool] = contextvars.ContextVar("cognito_credentials_silent", default=False)


class WireFilter(logging.Filter):
    """Drops records that are made during our own calls."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 (whose it is counts, not what it says)
        """Tell whether *record* may be logged."""
        return not _SILENT.get()


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep botocore and urllib3 from logging what is done inside."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(f, WireFilter) for f in logger.filters):
            logger.addFilter(WireFilter())
    token = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(token)
