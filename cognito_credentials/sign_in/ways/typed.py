"""
What a person types to sign in to a user pool, asked for again where it cannot be meant.

Imports `errors` and `interaction`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import LoginRejectedError, clean

if TYPE_CHECKING:
    from ...secret import Secret
    from .interaction import Prompt

TRIES: Final = 3
"""Of each thing, the first included; a user pool locks a user out for a while after five wrong passwords."""


def user_name(prompt: Prompt) -> str:
    """
    Ask who signs in.

    Raises:
        EOFError: There will be no answer.
    """
    for _ in range(TRIES):
        name = prompt.ask("User name").strip()
        if name:
            return name
        prompt.say("The user name is empty; try again.")
    raise EOFError


def choice(prompt: Prompt, question: str, choices: list[str]) -> str:
    """
    Ask for one of *choices*, by number or name, until it is one.

    Raises:
        EOFError: There will be no answer.
    """
    shown = ", ".join(f"{number} = {clean(name, 40)}" for number, name in enumerate(choices, 1))
    while True:
        answer = prompt.ask(f"{question} ({shown})")
        if answer.isascii() and answer.isdigit() and 1 <= int(answer[:3]) <= len(choices):
            return choices[int(answer[:3]) - 1]
        if answer in choices:
            return answer


def new_password(prompt: Prompt) -> Secret:
    """
    Ask for a new password, twice.

    Raises:
        LoginRejectedError: The two differed each time.
        EOFError: There will be no answer.
    """
    for left in range(TRIES - 1, -1, -1):
        new = prompt.ask_secret("New password")
        if new == prompt.ask_secret("The new password again"):
            return new
        if left:
            prompt.say("The two new passwords differ; try again.")
    raise LoginRejectedError("the two new passwords differ", hint="Sign in again")
