"""
The questions of ``configure``: few, each with what the profile has already as its answer.

Also the options of ``configure`` for signing in, since their keys are what the questions are about. Each
answer is checked when it is given: a wrong one is asked for again, and the others are not lost. The profile
is checked as a whole when it is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from ..errors import ConfigurationError, clean
from ..logins.schemes import names_its_provider
from ..regions import is_region, is_user_pool_id
from .command import Options
from .config_text import nested, section_header
from .failures import line
from .pool_options import read_logins
from .terminal import Terminal

T = TypeVar("T")

SIGN_IN_KEYS: Final = ("cognito_user_pool_id", "cognito_oidc_issuer")
"""One of them makes a profile one that people sign in to."""
DEFAULT_PORTS: Final = "8400,8401"

_OPTIONS: Final = (
    ("user-pool-id", "cognito_user_pool_id", "ID", "an Amazon Cognito user pool, REGION_NAME"),
    ("client-id", "cognito_client_id", "ID", "its app client, one without a secret"),
    ("domain", "cognito_domain", "HOST", "its hosted sign-in pages; otherwise the pool is asked"),
    ("oidc-issuer", "cognito_oidc_issuer", "URL", "any OpenID Connect issuer, https or this machine"),
    ("oidc-client-id", "cognito_oidc_client_id", "ID", "a client there for installed programs"),
    ("oidc-client-secret", "cognito_oidc_client_secret", "SOURCE", "where its secret is, if it has one"),
    ("oidc-scopes", "cognito_oidc_scopes", "LIST", "what to ask for; openid email offline_access"),
    ("sign-in", "cognito_sign_in", "WAY", "browser (default), device or password"),
    ("first-factor", "cognito_first_factor", "WHAT", "for password: password, sms, email or choice"),
    ("redirect-ports", "cognito_redirect_ports", "LIST", "loopback ports registered for the client"),
    ("login-provider", "cognito_login_provider", "NAME", "login provider name, where it is not the issuer's"),
    ("login-store", "cognito_login_store", "WHERE", "keyring (default), or file: plain, only for you"),
)
_NO_LOGIN: Final = "none"
"""The answer that makes a profile one of guests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a profile is to be."""

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


def add_sign_in_options(options: Options) -> None:
    """Add the options that say how people sign in."""
    group = options.group("options of a profile that people sign in to")
    for name, key, metavar, text in _OPTIONS:
        group.add(f"--{name}", dest=key, metavar=metavar, help=text)


def given_sign_in(options: argparse.Namespace) -> dict[str, str]:
    """Return what these options say, by the keys of a profile; empty text removes one."""
    given = vars(options)
    return {key: given[key] for _, key, _, _ in _OPTIONS if given[key] is not None}


def ask_all(
    terminal: Terminal, answers: Answers, current_of: Callable[[str], Mapping[str, str]], *, is_named: bool
) -> Answers:
    """
    Ask for whatever the options did not say.

    Args:
        current_of: Returns what a profile has now, by its keys; raises ConfigurationError for one that
            cannot be written.
        is_named: Whether the options name the profile.

    Raises:
        EOFError: There are no more answers.
    """
    if not is_named:

        def check(answer: str) -> Answers:
            section_header(answer)
            return replace(answers, profile=answer, current=current_of(answer))

        answers = _ask(terminal, "Profile", answers.profile, check)
    current = answers.current
    settings = dict(answers.settings)
    pool_id = _ask(terminal, "Identity pool ID", current.get("cognito_identity_pool_id", ""), _pool_id)
    settings["identity_pool_id"] = pool_id
    region = answers.region
    if region is None:
        region = _ask(terminal, "Region", current.get("region") or pool_id.partition(":")[0], _region)
    answers = replace(answers, settings=settings, region=region)
    return answers if answers.logins is not None or answers.sign_in else _ask_login(terminal, answers)


def _ask_login(terminal: Terminal, answers: Answers) -> Answers:
    """Ask how users sign in: one question, whose answer's form says which of four ways it is."""
    current = answers.current
    written = current.get("cognito_logins", "")
    is_alone = names_its_provider(written)
    logins = written if is_alone else ", ".join(f"{name}={text}" for name, text in nested(written).items())
    shown = logins or current.get("cognito_user_pool_id") or current.get("cognito_oidc_issuer") or _NO_LOGIN
    terminal.say(
        "Who signs in where? The ID of a user pool; an issuer, https://…; PROVIDER=SOURCE for tokens from "
        "elsewhere, such as accounts.google.com=file:/run/token; developer:https://… for a back end of your "
        "own; none for guest access."
    )
    no_sign_in = {key: "" for _, key, _, _ in _OPTIONS if key in current}

    def check(answer: str) -> Answers:
        if answer == shown and answer != _NO_LOGIN:
            return answers
        if answer.lower() == _NO_LOGIN:
            return replace(answers, logins={}, sign_in=no_sign_in)
        key = _sign_in_key(answer)
        if key is None:
            return replace(answers, logins=_logins(answer), sign_in=no_sign_in)
        if key == "cognito_oidc_issuer":
            from ..sign_in.issuers.discovery import checked_issuer

            checked_issuer(answer, "the issuer")
        return replace(answers, logins={}, sign_in={**no_sign_in, key: answer})

    answers = _ask(terminal, "Login", shown, check)
    more = {
        key: _ask(terminal, question, current.get(key, preset), check)
        for key, question, preset, check in _more_questions(answers.sign_in)
    }
    return replace(answers, sign_in={**answers.sign_in, **more})


def with_ports(answers: Answers) -> Answers:
    """Add the callback ports that `ask_all` proposes, where people sign in to a user pool in the browser."""
    asked, current = answers.sign_in, answers.current
    is_user_pool = asked.get("cognito_user_pool_id")
    way = asked.get("cognito_sign_in") or current.get("cognito_sign_in") or "browser"
    if not is_user_pool or way != "browser" or "cognito_redirect_ports" in {**current, **asked}:
        return answers
    return replace(answers, sign_in={**asked, "cognito_redirect_ports": DEFAULT_PORTS})


def callback_urls(ports: str) -> list[str]:
    """Return the callback URLs of a list of ports, as they are to be registered for the app client."""
    return [f"http://127.0.0.1:{port.strip()}/callback" for port in ports.split(",") if port.strip()]


def _sign_in_key(answer: str) -> str | None:
    """Return the key that takes a user pool's id or an issuer; None for an answer that is neither."""
    if is_user_pool_id(answer):
        return "cognito_user_pool_id"
    if answer.startswith(("https://", "http://")) and "=" not in answer:
        return "cognito_oidc_issuer"
    return None


def _logins(answer: str) -> dict[str | None, str]:
    from ..pool.logins import sources_of
    from ..settings.settings import ConfiguredLogins

    logins = read_logins([answer])
    sources_of(ConfiguredLogins(origin="the answer", sources=logins), {})
    return logins


def _more_questions(
    sign_in: Mapping[str, str],
) -> tuple[tuple[str, str, str, Callable[[str], str]], ...]:
    """Return what signing in there needs beside: key, question, what an empty answer means, and its check."""
    if sign_in.get("cognito_user_pool_id"):
        ports = "Callback ports, registered for it as http://127.0.0.1:PORT/callback"
        return (
            ("cognito_client_id", "App client ID", "", _client_id),
            ("cognito_redirect_ports", ports, DEFAULT_PORTS, _ports),
        )
    is_issuer = sign_in.get("cognito_oidc_issuer")
    return (("cognito_oidc_client_id", "Client ID", "", _client_id),) if is_issuer else ()


def _ask(terminal: Terminal, question: str, current: str, check: Callable[[str], T]) -> T:
    """Ask until *check* takes the answer."""
    while True:
        try:
            return check(terminal.ask(question, current))
        except ConfigurationError as error:  # noqa: PERF203  (a person is slower)
            terminal.say(line(error.message, error.hint))


def _pool_id(answer: str) -> str:
    from ..settings.checks import pool_id

    return pool_id(answer, "the identity pool ID")


def _client_id(answer: str) -> str:
    from ..sign_in.checks import client_id

    return client_id(answer, "the client ID")


def _ports(answer: str) -> str:
    from ..sign_in.checks import ports

    ports(answer, "the answer")
    return answer


def _region(answer: str) -> str:
    if not is_region(answer):
        raise ConfigurationError(f"'{clean(answer, 40)}' is no region", hint="It is such as us-east-1")
    return answer
