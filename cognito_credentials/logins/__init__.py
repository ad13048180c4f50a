"""
The user as the identity pool sees it: login provider names, and sources of their tokens.

    source.py         Source: all that a login source can be asked; asking one -> a checked token or our error
    program.py        a token, a function or an object of the program -> Source
    schemes.py        text of a profile or command line, file:PATH … -> Source
    file.py           a token in a file -> FileSource
    environment.py    a token in an environment variable -> EnvironmentSource
    command.py        the output of a command -> CommandSource
    mapping.py        Logins: the sources of one user -> principal; tokens, ready to be sent
    providers.py      login provider name, and a token for it -> checked, or the error that says what is meant
    claims.py         JSON Web Token -> its claims, unverified
    signed_out.py     SignedOut: what signing out did

A token is asked for only when one is needed. Nothing here verifies a token; Cognito does.
"""

from __future__ import annotations

from .command import CommandSource
from .environment import EnvironmentSource
from .file import FileSource
from .mapping import Logins, ResolvedLogins
from .program import CallableSource, TokenSource
from .schemes import parse_source
from .source import TOKEN_BOUND, LoginSource, Source

__all__ = [
    "TOKEN_BOUND",
    "CallableSource",
    "CommandSource",
    "EnvironmentSource",
    "FileSource",
    "LoginSource",
    "Logins",
    "ResolvedLogins",
    "Source",
    "TokenSource",
    "parse_source",
]
