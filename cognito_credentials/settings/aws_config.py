"""
The AWS config file: its place, its content, and the profile in effect.

It is parsed, and the profiles of the credentials file are merged in, as botocore does it, so that a profile
means the same here as in boto3; a test compares the two. botocore passes over a file that cannot be read, and
its errors quote lines of the file, which may hold a key; here both are one error that quotes none.
"""

from __future__ import annotations

import configparser
import contextlib
import logging
import os
import re
import shlex
import stat
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError, clean, near, replaced
from ..home import expand_user, home_directory
from ..regions import is_pool_id

DEFAULT_PROFILE = "default"
_COMMENT = re.compile(r"\s([#;])")
_SHOWN = 8
"""Profiles that a message names."""
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
"""In botocore's order, so that the same profile is in effect here as in boto3."""

_SECRET_KEYS = frozenset(
    ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token")
)
"""Keys that are left out of what is read: no setting of ours, and secret."""

_log = logging.getLogger(__name__)
_KINDS = (("profile", "profiles"), ("sso-session", "sso_sessions"), ("services", "services"))
"""What the sections of a kind begin with, and the key of that kind."""
_NO_SECTIONS = frozenset(("profiles", "services", "sso_sessions"))
"""The keys of all kinds, beside the sections that are of none."""


def read_config(environ: Mapping[str, str]) -> dict[str, Any]:
    """
    Read the AWS config file, and the credentials file's profiles over it.

    Args:
        environ: ``AWS_CONFIG_FILE``, ``AWS_SHARED_CREDENTIALS_FILE``, and ``HOME`` for their defaults
            (``USERPROFILE`` on Windows).

    Returns:
        ``{"profiles": {name: {key: text or nested dict}}, "services": {...}, ...}``; empty profiles
        where there is no file.

    Raises:
        ConfigurationError: The config file cannot be read, or either file is not UTF-8 or malformed.
    """
    config: dict[str, Any] = {"profiles": {}, "services": {}}
    path = _path(environ, "AWS_CONFIG_FILE", "config")
    if path and _is_readable(path, is_explicit=path != _default_path(environ, "config")):
        config = _by_kind(_parse(path))
        _log.debug("config file %s: %d profiles", path, len(config["profiles"]))
    else:
        _log.debug("config file %s: not there", path)
    profiles = config["profiles"]
    for name, values in _credentials_profiles(environ).items():
        profiles[name] = {**profiles.get(name, {}), **values}
    for name, values in profiles.items():
        profiles[name] = {key: value for key, value in values.items() if key not in _SECRET_KEYS}
    return config


def choose_profile(
    config: Mapping[str, Any], environ: Mapping[str, str], profile: str | None, *, may_be_missing: bool
) -> tuple[str | None, dict[str, Any]]:
    """
    Choose the profile: the one asked for, or ``AWS_PROFILE``, or ``default``.

    Args:
        config: As `read_config` returns it.
        environ: ``AWS_DEFAULT_PROFILE``, ``AWS_PROFILE``; empty is not set.
        profile: The one asked for explicitly, if any.
        may_be_missing: Whether a profile of ``AWS_PROFILE`` that does not exist is no error.

    Returns:
        Its name and its settings; None and no settings if no profile applies.

    Raises:
        ConfigurationError: The profile does not exist; the message names near ones.
    """
    profiles = config.get("profiles") or {}
    variable = next((name for name in PROFILE_VARIABLES if environ.get(name)), "")
    name = profile or environ.get(variable) or DEFAULT_PROFILE
    if name in profiles:
        return name, dict(profiles[name])
    if name == DEFAULT_PROFILE or (profile is None and may_be_missing):
        return None, {}
    origin = "" if profile else f" (from {variable})"
    bare = [key for key, value in config.items() if isinstance(value, Mapping) and key not in _NO_SECTIONS]
    if name in bare:
        shown = clean(name, 60)
        raise ConfigurationError(
            f"profile '{shown}'{origin} does not exist in the AWS config file: found [{shown}]",
            hint=f"In this file it must be [profile {shown}]",
            topic="E-PROFILE",
        )
    meant = near(name, profiles, most=3, cutoff=0.5)
    if is_pool_id(name):
        hint = "It is the id of an identity pool: give it as identity_pool_id, or --identity-pool-id"
    elif meant:
        hint = "Did you mean " + " or ".join(f"'{clean(n, 60)}'" for n in meant) + "?"
    elif profiles:
        more = ", …" if len(profiles) > _SHOWN else ""
        hint = "There are: " + ", ".join(clean(n, 60) for n in sorted(profiles)[:_SHOWN]) + more
    else:
        hint = _no_profile(environ, bare)
    raise ConfigurationError(
        f"profile '{clean(name, 80)}'{origin} does not exist", hint=hint, topic="E-PROFILE"
    )


def _no_profile(environ: Mapping[str, str], bare: list[str]) -> str:
    path = _path(environ, "AWS_CONFIG_FILE", "config")
    if path is None:
        return "There is no home directory, and so no AWS config file: set HOME or AWS_CONFIG_FILE"
    if not os.path.exists(path):
        return f"There is no file {clean(path)}: 'cognito-credentials configure' makes it"
    if bare:
        return f"In {clean(path)} write [profile {clean(bare[0], 60)}] in place of [{clean(bare[0], 60)}]"
    return f"There is no profile in {clean(path)}: 'cognito-credentials configure' adds one"


def about_comment(error: ConfigurationError, written: object) -> ConfigurationError | None:
    """
    Say that what looks like a comment is part of the value, where that is why the value is wrong.

    Args:
        error: The error of the value.
        written: The value as a profile has it.

    Returns:
        The error with another hint; None where the value has no comment behind it.
    """
    mark = _COMMENT.search(written) if isinstance(written, str) else None
    if mark is None:
        return None
    hint = f"What follows '{mark[1]}' is part of the value: a comment has a line of its own"
    return ConfigurationError(error.message, hint=hint, topic=error.topic)


def profiles_with_keys(path: str) -> set[str]:
    """
    Name the profiles that have an access key in the config or credentials file at *path*.

    Raises:
        ConfigurationError: The file is not UTF-8 or is malformed.
    """
    sections = _parse(path) if path and os.path.isfile(path) else {}
    return {
        name.partition(" ")[2].strip("'\" ") if name.startswith("profile ") else name
        for name, values in sections.items()
        if "aws_access_key_id" in values and not name.startswith(("sso-session ", "services "))
    }


def config_files(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the real paths of the config and credentials files; empty for none."""
    config = _path(environ, "AWS_CONFIG_FILE", "config")
    credentials = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    return os.path.realpath(config) if config else "", os.path.realpath(credentials) if credentials else ""


def _path(environ: Mapping[str, str], variable: str, default_name: str) -> str | None:
    given = environ.get(variable)
    if given:
        return expand_user(os.path.expandvars(given), environ)
    return _default_path(environ, default_name)


def _default_path(environ: Mapping[str, str], name: str) -> str | None:
    home = home_directory(environ)
    return os.path.join(home, ".aws", name) if home else None


def _is_readable(path: str, *, is_explicit: bool) -> bool:
    """Tell whether there is a file; one that cannot be used is an error."""
    has_been_found = False
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            return False  # /dev/null stands for "none"; a FIFO would block
        has_been_found = True
        with open(path, "rb"):
            return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        # In another user's home (sudo keeps HOME) there may be no file at all.
        if isinstance(error, PermissionError) and not has_been_found and not is_explicit:
            return False
        why = error.strerror
    except ValueError:
        why = "the path holds a null character"
    raise ConfigurationError(
        f"the AWS config file {clean(path)} cannot be read: {why}",
        hint="Correct its permissions, or point AWS_CONFIG_FILE at another file",
        topic="E-PROFILE",
    )


def _credentials_profiles(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    path = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    # A file that cannot be read counts as absent, as for botocore: no setting of ours has to be in it.
    return _parse(path) if path and os.path.isfile(path) else {}


def _parse(path: str) -> dict[str, dict[str, Any]]:
    """Read the sections of a file; a value that begins with a line break is nested, ``{key: value}``."""
    sections: dict[str, dict[str, Any]] = {}
    with replaced(configparser.Error, UnicodeDecodeError, by=lambda error: _what_is_wrong(path, error)):
        sections = _read_sections(path)
    for values in sections.values():
        for key, value in values.items():
            if value.startswith("\n"):
                lines = [line.strip() for line in value.splitlines()]
                if any(line and "=" not in line for line in lines):
                    raise _without_equals(path)
                pairs = [line.partition("=") for line in lines if line]
                values[key] = {name.strip(): text.strip() for name, _, text in pairs}
                if len(values[key]) < len(pairs) and key.startswith("cognito_"):
                    # The last one would win, and which login counts must not be left to that.
                    raise _malformed(path, None, f"names a provider twice in {key}", "Give one source for it")
    return sections


def _read_sections(path: str) -> dict[str, dict[str, Any]]:
    parser = configparser.RawConfigParser()
    parser.read([path])  # nothing, if it is not there any more, or no file
    return {
        section: {key: parser.get(section, key) for key in parser.options(section)}
        for section in parser.sections()
    }


def _by_kind(sections: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Sort sections into profiles, services and sso_sessions, each by its name; others stay beside these."""
    kinds: dict[str, dict[str, Any]] = {"profiles": {}, "sso_sessions": {}, "services": {}}
    others: dict[str, Any] = {}
    for section, values in sections.items():
        # As botocore has it: the beginning of the first word decides, and only two words are a name.
        kind = next((kind for word, kind in _KINDS if section.startswith(word)), None)
        if kind is not None:
            try:
                words = shlex.split(section)
            except ValueError:
                continue
            if len(words) == 2:
                kinds[kind][words[1]] = values
        elif section == DEFAULT_PROFILE:
            kinds["profiles"][section] = values
        else:
            others[section] = values
    return {**others, **kinds}


def _what_is_wrong(path: str, cause: Exception) -> ConfigurationError:
    """Make our error, with names of sections and numbers of lines only: a line may hold a key."""
    if isinstance(cause, configparser.DuplicateSectionError):
        return _twice(path, cause)
    if isinstance(cause, UnicodeDecodeError):
        return _malformed(path, None, "is not UTF-8", "Save it as UTF-8 without a byte order mark")
    line = getattr(cause, "lineno", None)
    errors = getattr(cause, "errors", None)
    if line is None and errors:
        line = errors[0][0]
    if isinstance(cause, configparser.DuplicateOptionError):
        key, section = clean(str(cause.option), 60), clean(str(cause.section), 60)
        return _malformed(path, line, f"has {key} a second time in [{section}]", "Remove one of the two")
    if isinstance(cause, configparser.MissingSectionHeaderError) and cause.line.startswith("\ufeff"):
        what = "begins with a byte order mark, which boto3 cannot read"
        return _malformed(path, None, what, "Save it as UTF-8 without a byte order mark")
    hint = f"Correct it{' there' if line else ''}: '[profile NAME]', then 'key = value' lines"
    return _malformed(path, line, "is malformed", hint)


def _without_equals(path: str) -> ConfigurationError:
    """Make the error of a nested value, and find its line, which the parser does not say."""
    found: int | None = None
    # The file may have changed since it was parsed, or be gone: then no line is named.
    with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
        texts = [text for values in _read_sections(path).values() for text in values.values()]
        nested = [line.strip() for text in texts if text.startswith("\n") for line in text.splitlines()]
        wrong = {line for line in nested if line and "=" not in line}
        with open(path, encoding="utf-8") as file:
            lines = (
                number for number, line in enumerate(file, 1) if line[0].isspace() and line.strip() in wrong
            )
            found = next(lines, None)
    what = "has an indented line without '='"
    return _malformed(path, found, what, "Write nested settings as '  name = value'")


def _malformed(path: str, line: int | None, what: str, hint: str) -> ConfigurationError:
    where = f", line {line}" if line else ""
    return ConfigurationError(
        f"the AWS config file {clean(path)}{where} {what}", hint=hint, topic="E-PROFILE"
    )


def _twice(path: str, cause: configparser.DuplicateSectionError) -> ConfigurationError:
    section = clean(str(cause.section), 60)
    header = f"[{cause.section}]"
    lines: list[int] = []
    with contextlib.suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as file:
        lines = [number for number, line in enumerate(file, 1) if line.strip().startswith(header)]
    where = f"lines {' and '.join(map(str, lines[:3]))}" if len(lines) > 1 else f"line {cause.lineno}"
    return ConfigurationError(
        f"the AWS config file {clean(path)} has [{section}] more than once: {where}",
        hint="Join them into one, or rename one",
        topic="E-PROFILE",
    )
