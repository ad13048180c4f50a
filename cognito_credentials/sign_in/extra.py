"""The error for a missing library of the extra ``login``; they are imported only when they are needed."""

from __future__ import annotations

from ..errors import ConfigurationError, clean, replaced


def needs_extra() -> replaced:
    """
    Return a context in which a library that is not installed is an error that names the extra.

    Raises:
        ConfigurationError: A library is not installed.
    """
    return replaced(ModuleNotFoundError, by=_missing)


def _missing(error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"signing in needs '{clean(error.name or 'a library', 40)}', which is not installed",
        hint="pip install 'cognito-credentials[login]'",
    )
