"""
A login token from an environment variable.

Every process of the user and every child can read it; a file is better where there is a choice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import LoginRequiredError, clean
from ..secret import Secret
from .source import LOGIN_TOKEN, Source


class EnvironmentSource(Source):
    """
    An environment variable that holds the token, looked up each time.

    Args:
        name: The variable.
        environ: Where to look it up; None for this process's environment.
        holds: What is in it, for messages.
    """

    is_quick = True

    def __init__(self, name: str, environ: Mapping[str, str] | None = None, holds: str = LOGIN_TOKEN) -> None:
        self._holds = holds
        self._name = name
        self._environ = environ
        self.description = f"env:{clean(name)}"

    def token(self) -> Secret:
        """
        Look up the token.

        Raises:
            LoginRequiredError: The variable is not set, or empty.
        """
        environ = os.environ if self._environ is None else self._environ
        text = environ.get(self._name, "").strip()
        if not text:
            first = "Sign in again and set it" if self._holds == LOGIN_TOKEN else "Set it"
            raise LoginRequiredError(
                f"the environment variable {clean(self._name)} holds no {self._holds}",
                hint=f"{first}, or name another source",
                topic="E-LOGIN-SOURCE",
            )
        return Secret(text)

    def depends(self) -> tuple[tuple[str, str], ...]:
        """Return the variable."""
        return (("env", self._name),)

    def token_at_hand(self) -> Secret | None:
        """Return the token; None when there is none."""
        try:
            return self.token()
        except LoginRequiredError:
            return None

    def __repr__(self) -> str:
        return f"EnvironmentSource({clean(self._name)!r})"
