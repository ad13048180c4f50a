"""
The question before something is lost for ever: asked on a terminal, and answered by ``--yes`` elsewhere.
"""

from __future__ import annotations

from .command import Invocation
from .failures import StoppedError, UsageError


def confirm(invocation: Invocation, action: str, warning: str) -> None:
    """
    Ask whether to do *action*, unless ``--yes`` was given.

    Args:
        action: What is to be done, as an order: ``forget the guest …``.
        warning: A sentence that says what is lost.

    Raises:
        UsageError: Nobody can be asked.
        StoppedError: The answer is no.
    """
    terminal = invocation.terminal
    if invocation.options.yes:
        return
    if not terminal.can_ask:
        raise UsageError(
            f"nothing was changed: there is no terminal to ask on whether to {action}",
            f"Add --yes if that is what you want. {warning}",
        )
    terminal.say(warning)
    if not terminal.agrees(f"{action[:1].upper()}{action[1:]}?"):
        raise StoppedError("nothing was changed")
