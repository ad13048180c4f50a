"""
The questions of ``configure``: few, each with what is there already as its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from ..errors import ConfigurationError, clean
from .config_text import nested, section_header
from .failures import line
from .pool_options import read_logins
from .terminal import Terminal

T = TypeVar("T")
_NOBODY: Final = "none"
"""The answer that takes logins away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a profile shall be."""

    profile: str
    settings: Mapping[str, str]
    """By the names of `IdentityPool`'s arguments; empty text removes one."""
    region: str | None
    logins: Mapping[str, str] | None
    """Login provider name to source; empty for guest access, None to leave them as they are."""
    current: Mapping[str, str]
    """What the profile has now, by its keys."""


def ask_all(
    terminal: Terminal, answers: Answers, current_of: Callable[[str], Mapping[str, str]], *, is_named: bool
) -> Answers:
    """
    Ask for whatever the options did not say.

    Args:
        terminal: Where.
        answers: What the options said.
        current_of: Returns what a profile has now.
        is_named: Whether the options name the profile.

    Raises:
        EOFError: There are no more answers.
    """
    if not is_named:
        profile = _ask(terminal, "Profile", answers.profile, _profile)
        answers = replace(answers, profile=profile, current=current_of(profile))
    current = answers.current
    settings = dict(answers.settings)
    pool_id = _ask(terminal, "Identity pool ID", current.get("cognito_identity_pool_id", ""), _pool_id)
    settings["identity_pool_id"] = pool_id
    region = answers.region
    if region is None:
        region = _ask(terminal, "Region", current.get("region") or pool_id.partition(":")[0], _region)
    logins = answers.logins
    if logins is None:
        logins = _ask_logins(terminal, current.get("cognito_logins", ""))
    return replace(answers, settings=settings, region=region, logins=logins)


def _ask_logins(terminal: Terminal, current: str) -> Mapping[str, str] | None:
    shown = ", ".join(f"{name}={source}" for name, source in nested(current).items())
    question = (
        "Login as PROVIDER=SOURCE, such as accounts.google.com=file:/run/token, or none for guest access"
    )

    def check(answer: str) -> Mapping[str, str] | None:
        if answer == shown and shown:
            return None
        return {} if answer.lower() == _NOBODY else read_logins([answer])

    return _ask(terminal, question, shown or _NOBODY, check)


def _ask(terminal: Terminal, question: str, current: str, check: Callable[[str], T]) -> T:
    """Ask until the answer is one."""
    while True:
        try:
            return check(terminal.ask(question, current))
        except ConfigurationError as error:  # noqa: PERF203  (a person is slower)
            terminal.say(line(error.message, error.hint))


def _profile(answer: str) -> str:
    section_header(answer)
    return answer


def _pool_id(answer: str) -> str:
    from ..shapes import pool_id

    return pool_id(answer, "the identity pool ID")


def _region(answer: str) -> str:
    from ..regions import is_region

    if not is_region(answer):
        raise ConfigurationError(f"'{clean(answer, 40)}' is no region", hint="it is such as us-east-1")
    return answer
