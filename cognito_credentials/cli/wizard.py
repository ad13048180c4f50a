"""
The questions of ``configure``: few, each with what is there already as its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from ..errors import ConfigurationError, clean
from .config_text import nested, section_header
from .failures import line
from .pool_options import read_logins
from .sign_in_options import keys_of, no_sign_in, questions_of
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
    logins: Mapping[str | None, str] | None
    """Login provider name, or None where the source knows it, to source; empty for guest access, None to
    leave them as they are."""
    current: Mapping[str, str]
    """What the profile has now, by its keys."""
    sign_in: Mapping[str, str] = field(default_factory=dict)
    """How people sign in, by the keys of the profile; empty text removes one."""


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
    answers = replace(answers, settings=settings, region=region)
    return answers if answers.logins is not None or answers.sign_in else _ask_who(terminal, answers)


def _ask_who(terminal: Terminal, answers: Answers) -> Answers:
    """Ask how users sign in: one question, whose answer's form says which of four it is."""
    current = answers.current
    written = current.get("cognito_logins", "")
    is_alone = written.strip().startswith("developer:")
    logins = written if is_alone else ", ".join(f"{name}={text}" for name, text in nested(written).items())
    shown = logins or current.get("cognito_user_pool_id") or current.get("cognito_oidc_issuer") or _NOBODY
    terminal.say(
        "Who signs in where? The ID of a user pool; an issuer, https://…; PROVIDER=SOURCE for tokens from "
        "elsewhere, such as accounts.google.com=file:/run/token; developer:https://… for a back end of your "
        "own; none for guest access."
    )

    def check(answer: str) -> Answers:
        if answer == shown and answer != _NOBODY:
            return answers
        if answer.lower() == _NOBODY:
            return replace(answers, logins={}, sign_in=no_sign_in(current))
        keys = keys_of(answer)
        if keys is None:
            return replace(answers, logins=read_logins([answer]), sign_in=no_sign_in(current))
        return replace(answers, logins={}, sign_in={**no_sign_in(current), **keys})

    answers = _ask(terminal, "Login", shown, check)
    questions = questions_of(answers.sign_in)
    return replace(
        answers,
        sign_in={
            **answers.sign_in,
            **{key: _ask(terminal, text, current.get(key, preset), str) for key, text, preset in questions},
        },
    )


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
    from ..settings.checks import pool_id

    return pool_id(answer, "the identity pool ID")


def _region(answer: str) -> str:
    from ..regions import is_region

    if not is_region(answer):
        raise ConfigurationError(f"'{clean(answer, 40)}' is no region", hint="it is such as us-east-1")
    return answer
