"""The library of an adapter: where it is not installed, one error names the extra that has it."""

from __future__ import annotations

from ..errors import ConfigurationError, replaced
from ..extras import install_command


def needs(library: str, extra: str) -> replaced:
    """
    Return a context for the imports of an adapter.

    Args:
        library: What is imported, for messages.
        extra: The extra that has it.

    Raises:
        ConfigurationError: It, or what it imports itself, is not installed.
    """

    def missing(error: ModuleNotFoundError) -> ConfigurationError:
        absent = (error.name or library).partition(".")[0].removeprefix("_")
        of_it = "" if absent == library else f", which {library} needs,"
        return ConfigurationError(
            f"'{absent}'{of_it} is not installed",
            hint=f"Run: {install_command(extra)}",
            topic="E-NOT-INSTALLED",
        )

    return replaced(ModuleNotFoundError, by=missing)
