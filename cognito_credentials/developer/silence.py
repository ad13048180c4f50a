"""
Keeps the calls that a back end has us make with its client out of botocore's wire log, and no others.

At DEBUG, botocore logs the login token ("Making request … with params") and the secret key ("Response
body") on purpose (https://github.com/boto/botocore/issues/2626). A filter on these loggers drops records that
are made while a context variable is set: in this thread, during this call.

The filter is added to each logger once and stays. Removing it after each call would leak secrets:
`Filterer.filter` iterates over the list from which another thread would be removing, so a filter could be
skipped. The filter lets every other record pass.
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
"""Loggers that see parameters, bodies, headers or errors. A logger does not inherit its parent's filters."""

_SILENT: contextvars.ContextVar[bool] = contextvars.ContextVar("cognito_credentials_silent", default=False)


class WireFilter(logging.Filter):
    """Drops records that are made during our own calls."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 (the context decides, not the record)
        """Tell whether *record* may be logged."""
        return not _SILENT.get()


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep botocore and urllib3 from logging requests inside this block: they hold tokens."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(f, WireFilter) for f in logger.filters):
            logger.addFilter(WireFilter())
    token = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(token)
