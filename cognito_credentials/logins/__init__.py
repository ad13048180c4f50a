"""
Who the user is, as the identity pool sees it: login provider names, and where their tokens come from.

`Logins` holds a *source* for each provider and asks it for a token only when one is needed. Sources:
a given token or a function (`static`), a file, an environment variable, a command. What a source gives
is looked into for hints only (`claims`): nothing here verifies a token, Cognito does.

Imports `errors`, `secret` and `regions` only.
"""

from __future__ import annotations

from .binding import TOKEN_BOUND
from .command import CommandSource
from .environment import EnvironmentSource
from .file import FileSource
from .mapping import Logins, ResolvedLogins
from .registry import parse_source
from .source import LoginSource
from .static import CallableSource, TokenSource

__all__ = [
    "TOKEN_BOUND",
    "CallableSource",
    "CommandSource",
    "EnvironmentSource",
    "FileSource",
    "LoginSource",
    "Logins",
    "ResolvedLogins",
    "TokenSource",
    "parse_source",
]
