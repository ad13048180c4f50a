"""
Phrases that several commands use for the same fact.
"""

from __future__ import annotations

from ..clock import span
from ..errors import shell_word
from .command import PROGRAM
from .terminal import printable


def time_left(seconds: int | None) -> str | None:
    """Say how long credentials still last; None where *seconds* is None."""
    if seconds is None:
        return None
    return f"{span(seconds)} left" if seconds > 0 else f"expired {span(-seconds)} ago"


def clock_difference(offset: int) -> str:
    """
    Say how wrong this machine's clock is.

    Args:
        offset: Seconds to add to it to get the service's time.
    """
    return f"{span(abs(offset))} {'behind' if offset > 0 else 'ahead of'} the service"


def sign_in_place(store: str | None) -> str:
    """Say where a sign-in is kept: ``keyring`` or ``file``."""
    return "a plain file, only for you" if store == "file" else "the keyring"


def command_line(command: str, profile: str | None) -> str:
    """Write the command line that runs *command* for *profile*, in quotes."""
    return f"'{PROGRAM} {command}{f' --profile {shell_word(printable(profile))}' if profile else ''}'"
