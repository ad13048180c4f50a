"""
Login sources as a profile or a command line names them: ``file:PATH``, ``env:NAME``, ``command:ARGV``,
``developer:URL``.

Only text that the user configured is read this way. A token that a program hands over is not: whoever
supplies the token of a request could have a command run.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ..errors import ConfigurationError, clean
from ..home import expand_user
from .command import CommandSource
from .environment import EnvironmentSource
from .file import FileSource
from .source import LOGIN_TOKEN, Source

DEVELOPER: Final = "developer"
"""The scheme of an app's own back end; `developer.login` makes its sources, which lies above this folder."""
SCHEMES: Final = ("file", "env", "command", "keyring", DEVELOPER)
_FORMS = "file:PATH, env:NAME or command:ARGV"
Maker = Callable[[str, str | None], Source]
"""Makes a source of the text behind the scheme and the login provider name; None where the token names it."""
_HOLDS = MappingProxyType(
    {"cognito_developer_headers": "developer headers", "cognito_oidc_client_secret": "client secret"}
)
"""What the source of a setting holds, where it is no login token."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names_source(text: str) -> bool:
    """Tell whether *text* begins like a source rather than a token."""
    return text.partition(":")[0] in SCHEMES and ":" in text


def names_its_provider(text: str) -> bool:
    """Tell whether the source that *text* names needs no login provider name, since its tokens have it."""
    return text.strip().startswith(f"{DEVELOPER}:")


def parse_source(
    text: str,
    *,
    provider: str | None = None,
    origin: str,
    environ: Mapping[str, str] | None = None,
    others: Mapping[str, Maker] | None = None,
    setting: str = "cognito_logins",
) -> Source:
    """
    Make the login source that *text* names.

    Args:
        text: ``file:PATH``, ``env:NAME`` or ``command:ARGV``, or of a scheme in *others*.
        provider: The login provider name; None where the token names it.
        origin: Where it was written, for messages.
        environ: Where ``env:`` and ``~`` look; None for this process's environment.
        others: Scheme -> maker, for sources of classes above this folder.
        setting: What it was written for, for messages.

    Raises:
        ConfigurationError: *text* names no source. It is not shown, since it may be a token.
    """
    where = f"{setting} from {origin}"
    scheme, colon, rest = text.strip().partition(":")
    rest = rest.strip()
    if not colon or scheme not in SCHEMES:
        raise ConfigurationError(
            f"{where}: the value is no login source",
            hint=f"Write {_FORMS}, never a token itself",
        )
    if not rest:
        raise ConfigurationError(f"{where}: {scheme}: names nothing", hint=f"Write {_FORMS}")
    if others and scheme in others:
        return others[scheme](rest, provider)
    holds = _HOLDS.get(setting, LOGIN_TOKEN)
    if scheme == "file":
        return FileSource(_path(rest, where, environ), holds)
    if scheme == "env":
        if not _VARIABLE.fullmatch(rest):
            raise ConfigurationError(
                f"{where}: what follows env: is no name of an environment variable",
                hint="Write env:NAME, without $",
            )
        return EnvironmentSource(rest, environ, holds)
    if scheme == "command":
        return CommandSource(_argv(rest, where), holds=holds)
    raise ConfigurationError(f"{where}: {scheme}: is not available in this version", hint=f"Use {_FORMS}")


def _path(text: str, where: str, environ: Mapping[str, str] | None) -> str:
    text = expand_user(text, os.environ if environ is None else environ)
    if not os.path.isabs(text):
        # Relative to the current directory, the file would depend on where the program is started.
        raise ConfigurationError(
            f"{where}: file:{clean(text, 80)} is not an absolute path",
            hint="Begin it with / or ~/",
        )
    return text


def _argv(text: str, where: str) -> list[str]:
    try:
        if os.name == "nt":
            from botocore.compat import compat_shell_split  # botocore splits credential_process so there

            argv: list[str] = compat_shell_split(text)
        else:
            argv = shlex.split(text)
    except ValueError:
        argv = []
    if not argv or not argv[0]:
        raise ConfigurationError(
            f"{where}: the command has an open quote or no program",
            hint='Quote it as for a shell: command:"/opt/my tools/get-token" --audience app',
        )
    return argv
