"""
What follows when somebody has signed in, and is said.

Imports `account`; the rest is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .issuers.issuer import Verified
    from .kept.account import Account
    from .source import SignInSource
    from .ways.interaction import Prompt


def with_what_follows(
    source: SignInSource, keep: Callable[[Verified], Account], prompt: Prompt
) -> Callable[[Verified], Account]:
    """
    Return *keep* with what follows from it.

    Args:
        source: What is signed in to.
        keep: Makes what was verified the sign-in.
        prompt: The person.
    """

    def keeps(verified: Verified) -> Account:
        account = keep(verified)
        _end_earlier(source, prompt)
        source.ends_at = None if verified.refresh_token else float(verified.claims["exp"])
        if source.ends_at is not None:
            # Nobody expects to be asked again within the hour.
            until = time.strftime("%H:%M", time.localtime(source.ends_at))
            prompt.say(f"The issuer gave no refresh token: this sign-in lasts until {until}, and no longer.")
        return account

    return keeps


def _end_earlier(source: SignInSource, prompt: Prompt) -> None:
    for done in source.end_earlier():
        if done.still_here:
            prompt.say(f"{done.still_here}.")
            continue
        prompt.say(f"Ended the sign-in of {done.shown}, which this profile had before.")
        if done.problem:
            prompt.say(f"Its refresh token could not be revoked: {done.problem}.")
