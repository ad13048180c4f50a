"""
The options that select an identity pool, and what they lead to: settings, the pool, a region, credentials.

A login is named by its source and never given itself: other users of the machine can read command lines.
"""

from __future__ import annotations

import os
import time

from ..errors import ClockSkewError, ConfigurationError, clean
from . import fast
from .command import PROGRAM
from .failures import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Container, Mapping
    from typing import Any, Final

    from ..credentials import TemporaryCredentials
    from ..pool.pool import IdentityPool
    from ..settings.settings import ConfiguredLogins, Settings
    from .command import Invocation, Options

ORIGIN: Final = "the command line"
GETTING: Final = "getting credentials"
"""What a person is told whom it takes too long."""
FILE_PREFIX: Final = "file://"
_POLICY_FILE_LIMIT: Final = 64 * 1024

_REASONS: Final = {
    "recovered": "the service refused the old one",
    "adopted": "the service, or another process, has the new one for this login",
    "switched": "another person has signed in",
}
"""Reasons of `IdentityPool.on_identity_changed`, in words."""

_OPTIONS: Final = (
    ("identity_pool_id", "ID", "the identity pool, REGION:GUID"),
    ("identity_id", "ID", "a known identity of the pool: it is used as it is"),
    ("account_id", "ID", "the AWS account of the credentials, 12 digits, to be put on them"),
    ("user", "NAME", "name of the user, where the login does not tell"),
    ("developer_headers", "SOURCE", "headers for a login developer:URL; SOURCE as of --login, no PROVIDER="),
    ("flow", "FLOW", "enhanced (default) or basic"),
    ("custom_role_arn", "ARN", "enhanced flow: the role, where the logins allow several"),
    ("role_arn", "ARN", "basic flow: the role to assume"),
    ("role_session_name", "NAME", "basic flow: name of the session"),
    ("duration_seconds", "SECONDS", "basic flow: how long the credentials live, 900 to 43200"),
    ("policy", "JSON", "basic flow: session policy, as text or file://PATH"),
    ("cache", "WHERE", "file (default), memory, or the URL of a Redis: redis://HOST:PORT"),
    ("endpoint_url", "URL", "address of Cognito Identity, https or this machine"),
)
"""Settings that can be options, in the order of the help."""


def add_pool_options(options: Options, *, hidden: Container[str] = ()) -> None:
    """
    Add the options of a command that needs an identity pool.

    Args:
        hidden: Settings that the command refuses: their options are not in its help.
    """
    from argparse import SUPPRESS

    group = options.group("options that select the identity pool")
    for name, metavar, text in _OPTIONS:
        group.add(_option(name), metavar=metavar, help=SUPPRESS if name in hidden else text)
    group.add(
        "--login",
        metavar="[PROVIDER=]SOURCE",
        action="append",
        help="PROVIDER=SOURCE, where SOURCE gives a login token: file:PATH, env:NAME or command:ARGV; may be "
        "repeated; or developer:URL, the app's own back end",
    )


def refuse_selection(options: argparse.Namespace, what: str) -> None:
    """
    Refuse options that select a pool beside ``--all``.

    Raises:
        UsageError: One is given.
    """
    for name in ("profile", *(name for name, _, _ in _OPTIONS), "login"):
        if vars(options)[name] is not None:
            raise UsageError(
                f"--all is of every {what}, and {_option(name)} selects one",
                "Give one of the two: --all, or the pool",
            )


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """
    Return the settings given as options but the logins, by the names of `IdentityPool`'s arguments.

    Raises:
        ConfigurationError: The file of the policy cannot be read.
    """
    given = vars(options)
    settings = {name: given[name] for name, _, _ in _OPTIONS if given[name] is not None}
    if "policy" in settings:
        settings["policy"] = _policy(settings["policy"])
    return settings


def given_logins(options: argparse.Namespace) -> ConfiguredLogins:
    """
    Return the logins given as options.

    Raises:
        ConfigurationError: One is not PROVIDER=SOURCE.
    """
    from ..settings.settings import ConfiguredLogins

    headers = options.developer_headers
    return ConfiguredLogins(
        origin=ORIGIN,
        sources=read_logins(options.login),
        developer_headers=(headers, ORIGIN) if headers else None,
    )


def read_logins(texts: list[str]) -> dict[str | None, str]:
    """
    Take ``PROVIDER=SOURCE`` texts apart.

    Returns:
        Login provider name to source; None stands for what the source's own tokens name, ``developer:URL``.

    Raises:
        ConfigurationError: One is no such text. It is not shown: it may be a token.
    """
    from ..logins.schemes import FORMS, names_its_provider, one_of

    logins: dict[str | None, str] = {}
    for text in texts:
        if names_its_provider(text):
            if len(texts) > 1:
                raise ConfigurationError(
                    f"--login from {ORIGIN} gives developer:URL beside another login",
                    hint="Name its provider, too: --login cognito-identity.amazonaws.com=developer:URL",
                    topic="E-LOGIN-SOURCE",
                )
            return {None: text.strip()}
        provider, equals, source = text.partition("=")
        provider = provider.strip()
        # A token ends in "=" at times. No provider is as long as one, and every source has a colon.
        if equals and 0 < len(provider) <= 128 and source.strip("= ") and ":" not in source:
            raise ConfigurationError(
                f"--login from {ORIGIN}: what follows {clean(provider, 80)}= is no source",
                hint=f"Write {one_of(FORMS)}, never a token itself",
                topic="E-LOGIN-SOURCE",
            )
        if not equals or not provider or len(provider) > 128 or ":" not in source:
            raise ConfigurationError(
                f"--login from {ORIGIN} is not PROVIDER=SOURCE",
                hint="Write --login accounts.google.com=file:/path/of/the/token, never a token itself",
                topic="E-LOGIN-SOURCE",
            )
        if provider in logins:
            raise ConfigurationError(
                f"--login from {ORIGIN} names {clean(provider, 80)} twice",
                hint="Give one source for it",
                topic="E-LOGIN-SOURCE",
            )
        logins[provider] = source.strip()
    return logins


def open_pool(invocation: Invocation) -> IdentityPool:
    """
    Return the identity pool that the invocation selects.

    Raises:
        ConfigurationError: A setting is missing or malformed.
        CacheError: The user set the file cache, and there is no directory to put it in.
    """
    from ..pool.pool import pool_of
    from ..settings.load import load

    options, environ = invocation.options, invocation.environ
    arguments = given_settings(options)
    if options.login:
        arguments["logins"] = given_logins(options)
    settings = load(arguments, environ=environ, profile=options.profile, origin=ORIGIN)
    pool = pool_of(settings, environ=environ)
    pool.on_identity_changed(lambda *change: _announce(invocation, *change))
    return pool


def _announce(invocation: Invocation, old: str | None, new: str, reason: str) -> None:
    """Say that the identity is another one, since files and records under the old one are out of reach."""
    if reason != "created":
        why = _REASONS.get(reason, reason)
        invocation.terminal.say(f"{PROGRAM}: the identity is {new} now and was {old}: {why}.")


def find_ready(invocation: Invocation) -> tuple[TemporaryCredentials, dict[str, str]] | None:
    """Return what `get_ready` does, if `fast` finds fresh credentials in the cache."""
    hit = fast.find(selection(invocation), invocation.environ)
    return None if hit is None else (hit.record.credentials, hit.facts)


def get_ready(invocation: Invocation) -> tuple[TemporaryCredentials, dict[str, str]]:
    """
    Return the credentials that the invocation selects, with `facts_of`. `find_ready` finds them next time.

    Raises:
        CognitoCredentialsError: There are none that an SDK would take for valid.
    """
    argv, environ = selection(invocation), invocation.environ
    key = fast.inputs(argv, environ)
    pool = open_pool(invocation)
    lines = fast.depends(pool, environ)
    credentials, facts = usable_credentials(pool), facts_of(pool, environ)
    if not str(invocation.options.policy or "").startswith(FILE_PREFIX):
        # The shortcut does not notice that a policy file has changed.
        fast.remember(argv, environ, pool, facts, key=key, lines=lines)
    return credentials, facts


def facts_of(pool: IdentityPool, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what commands show of the settings: ``profile``, ``identity_pool_id``, ``region``."""
    settings = pool.settings
    return {
        "profile": settings.profile or "",
        "identity_pool_id": settings.identity_pool_id,
        "region": configured_region(settings, environ),
    }


def selection(invocation: Invocation) -> list[str]:
    """Return the arguments without the command that ``exec`` runs, which selects nothing."""
    child = vars(invocation.options).get("child")
    return invocation.argv[: -len(child)] if child else invocation.argv


def first_credentials(invocation: Invocation) -> Callable[[IdentityPool], object]:
    """Return `usable_credentials` for a server, which shows that it is at work."""

    def check(pool: IdentityPool) -> TemporaryCredentials:
        with invocation.terminal.working(GETTING):
            return usable_credentials(pool)

    return check


def usable_credentials(pool: IdentityPool) -> TemporaryCredentials:
    """
    Return credentials that an SDK will take for valid.

    Raises:
        ClockSkewError: By this machine's clock, which SDKs go by, they have expired.
        CognitoCredentialsError: The pool gives no credentials.
    """
    from .words import clock_difference

    credentials = pool.credentials()
    if time.time() < credentials.expires_at:
        return credentials
    offset = pool.status().clock_offset or 0
    off = f"{clock_difference(offset)}'s" if offset else "wrong"
    raise ClockSkewError(
        f"this machine's clock is {off}: by it, credentials that are valid have expired",
        hint="Set the clock, then repeat the command",
    )


def given_region(invocation: Invocation) -> str | None:
    """
    Return the region of ``--region``; None where it is not given.

    Raises:
        ConfigurationError: It is no region.
    """
    given: str | None = invocation.options.region
    if given is None:
        return None
    from ..regions import is_region, near_regions

    if not is_region(given):
        near = near_regions(given)
        raise ConfigurationError(
            f"region from {ORIGIN} is no region: '{clean(given, 40)}'",
            hint=f"Did you mean {' or '.join(near)}?" if near else "It is such as us-east-1",
        )
    return given


def configured_region(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the region that environment or profile name for what uses the credentials, or the pool's."""
    from ..regions import is_region

    candidates = (environ.get("AWS_REGION"), environ.get("AWS_DEFAULT_REGION"))
    configured = settings.profile_settings.get("region")
    for candidate in (*candidates, configured):
        # One that is malformed is the SDKs' to refuse; into a shell's line it must not get.
        if isinstance(candidate, str) and is_region(candidate):
            return candidate
    return settings.region


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _policy(text: str) -> str:
    if not text.startswith(FILE_PREFIX):
        return text
    path = os.path.expanduser(text[len(FILE_PREFIX) :])
    try:
        with open(path, "rb") as file:
            return file.read(_POLICY_FILE_LIMIT).decode("utf-8")
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
    raise ConfigurationError(
        f"policy from {ORIGIN}: {clean(path, 120)} cannot be read: {why}",
        hint="Write --policy file:///path/of/policy.json, or the JSON itself",
    )
