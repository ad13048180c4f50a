"""
Login sources as a profile or a command line names them: ``file:PATH``, ``env:NAME``, ``command:ARGV``,
``developer:URL``. `_MAKERS`, at the end of this file, is the table of the schemes.

Only text that the user configured is read this way. A token that a program hands over is not: whoever
supplies the token of a request could have a command run.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ..errors import ConfigurationError, clean
from ..home import expand_user
from ..importing import IMPORTING
from .command import CommandSource
from .environment import EnvironmentSource
from .file import FileSource
from .source import LOGIN_TOKEN, Source

DEVELOPER: Final = "developer"
"""The scheme of an app's own back end. Its class is above this folder; its maker is in `pool/logins.py`."""
_HOLDS: Final = MappingProxyType(
    {
        "cognito_developer_headers": "developer headers",
        "cognito_oidc_client_secret": "client secret",
        "cognito_cache": "cache URL",
        "cognito_cache_key": "cache key",
    }
)
"""What the source of a setting holds, where that is not a login token."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Setting(NamedTuple):
    """The setting that names a source."""

    where: str
    """Its name and where it was set, for messages."""
    holds: str
    """What the source holds, for messages."""
    provider: str | None
    """The login provider name; None where the token names it."""
    environ: Mapping[str, str] | None
    """Where ``env:`` and ``~`` look; None for this process's environment."""


Maker = Callable[[str, Setting], Source]
"""Makes a source of the text after the scheme and its colon."""


def names_source(text: str) -> bool:
    """Tell whether *text* begins like a source rather than a token. ``keyring:`` names one elsewhere."""
    return text.partition(":")[0] in (*SCHEMES, "keyring") and ":" in text


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
        text: A scheme of `FORMS` or of *others*, a colon, and what the scheme's maker takes.
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
    makers = {name: maker for name, (_, maker) in _MAKERS.items()} | dict(others or {})
    if not colon or scheme not in makers:
        holds = _HOLDS.get(setting)
        raise ConfigurationError(
            f"{where}: the value is no {'login source' if holds is None else f'source of a {holds}'}",
            hint=f"Write {one_of(FORMS)}, never {'a token' if holds is None else f'the {holds}'} itself",
            topic="E-LOGIN-SOURCE",
        )
    if not rest:
        raise ConfigurationError(
            f"{where}: {scheme}: names nothing", hint=f"Write {one_of(FORMS)}", topic="E-LOGIN-SOURCE"
        )
    return makers[scheme](rest, Setting(where, _HOLDS.get(setting, LOGIN_TOKEN), provider, environ))


def one_of(texts: Sequence[str]) -> str:
    """Join *texts* by commas and "or"."""
    return f"{', '.join(texts[:-1])} or {texts[-1]}"


def _file(text: str, setting: Setting) -> Source:
    path = expand_user(text, os.environ if setting.environ is None else setting.environ)
    if not os.path.isabs(path):
        # Relative to the current directory, the file would depend on where the program is started.
        raise ConfigurationError(
            f"{setting.where}: file:{clean(path, 80)} is not an absolute path",
            hint="Begin it with / or ~/",
            topic="E-LOGIN-SOURCE",
        )
    return FileSource(path, setting.holds)


def _variable(text: str, setting: Setting) -> Source:
    if not _VARIABLE.fullmatch(text):
        raise ConfigurationError(
            f"{setting.where}: what follows env: is no name of an environment variable",
            hint="Write env:NAME, without $",
            topic="E-LOGIN-SOURCE",
        )
    return EnvironmentSource(text, setting.environ, setting.holds)


def _command(text: str, setting: Setting) -> Source:
    try:
        if os.name == "nt":
            with IMPORTING:
                from botocore.compat import compat_shell_split  # botocore splits credential_process so there

            argv: list[str] = compat_shell_split(text)
        else:
            argv = shlex.split(text)
    except ValueError:
        argv = []
    if not argv or not argv[0]:
        raise ConfigurationError(
            f"{setting.where}: the command has an open quote or no program",
            hint='Quote it as for a shell: command:"/opt/my tools/get-token" --audience app',
            topic="E-LOGIN-SOURCE",
        )
    return CommandSource(argv, holds=setting.holds)


_MAKERS: Final[Mapping[str, tuple[str, Maker]]] = MappingProxyType(
    {
        "file": ("file:PATH", _file),
        "env": ("env:NAME", _variable),
        "command": ("command:ARGV", _command),
    }
)
"""Scheme -> its form, for messages and help, and its maker."""
FORMS: Final = tuple(form for form, _ in _MAKERS.values())
SCHEMES: Final = (*_MAKERS, DEVELOPER)
