"""
The libraries of the extra ``login``: asked for only when somebody signs in, and named when they are missing.

Imports `errors` only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..errors import ConfigurationError, clean


@contextlib.contextmanager
def needs_extra() -> Iterator[None]:
    """
    Say which extra has what is not installed.

    Raises:
        ConfigurationError: A library is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = error.name
    else:
        return
    raise ConfigurationError(
        f"signing in needs '{clean(name or 'a library', 40)}', which is not installed",
        hint="pip install 'cognito-credentials[login]'",
    )
