"""
What follows when somebody has signed in, and is said.

Imports `account`; the rest is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..errors import CacheError

if TYPE_CHECKING:
    from .account import Account
    from .interaction import Prompt
    from .issuer import Verified
    from .sign_in import SignedOut


def with_what_follows(
    keep: Callable[[Verified], Account], prompt: Prompt, end_earlier: Callable[[], Iterable[SignedOut]]
) -> Callable[[Verified], Account]:
    """
    Return *keep* with what follows from it.

    Args:
        keep: Makes what was verified the sign-in.
        prompt: The person.
        end_earlier: Ends what the new sign-in takes the place of.
    """

    def keeps(verified: Verified) -> Account:
        account = keep(verified)
        _end(end_earlier, prompt)
        if verified.refresh_token is None:
            # Nobody expects to be asked again within the hour.
            until = time.strftime("%H:%M", time.localtime(verified.claims["exp"]))
            prompt.say(f"The issuer gave no refresh token: this sign-in lasts until {until}, and no longer.")
        return account

    return keeps


def _end(end_earlier: Callable[[], Iterable[SignedOut]], prompt: Prompt) -> None:
    try:
        for done in end_earlier():
            prompt.say(f"Ended the sign-in of {done.shown}, which this profile had before.")
            if done.problem:
                prompt.say(f"Its refresh token could not be revoked: {done.problem}.")
    except CacheError as error:  # the new one stands without that
        prompt.say(f"An earlier sign-in of this profile could not be ended: {error.message}.")
