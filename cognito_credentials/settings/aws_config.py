"""
The AWS config file: its place, its content, and the profile in effect.

botocore's own parser reads it, and the profiles of the credentials file are merged in as botocore's session
does, so that a profile means the same here as in boto3. botocore passes over a file that cannot be read, and
its errors quote lines of the file, which may hold a key; here both are one error that quotes none. botocore
is imported only where there is a file to parse.
"""

from __future__ import annotations

import configparser
import contextlib
import difflib
import logging
import os
import stat
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError, clean, replaced
from ..home import expand_user, home_directory
from ..regions import is_pool_id

DEFAULT_PROFILE = "default"
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
"""In botocore's order, so that the same profile is in effect here as in boto3."""

_SECRET_KEYS = frozenset(
    ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token")
)
"""Keys that are left out of what is read: no setting of ours, and secret."""

_log = logging.getLogger(__name__)
_NO_SECTIONS = frozenset(("profiles", "services", "sso_sessions"))
"""Keys that botocore's parser adds beside the sections that it does not know."""


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
        from botocore.configloader import build_profile_map

        config = build_profile_map(_parse(path))
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
    if isinstance(config.get(name), Mapping) and name not in _NO_SECTIONS:
        shown = clean(name, 60)
        raise ConfigurationError(
            f"profile '{shown}'{origin} does not exist in the AWS config file: found [{shown}]",
            hint=f"In this file it must be [profile {shown}]",
        )
    near = difflib.get_close_matches(name, profiles, n=3, cutoff=0.5)
    if is_pool_id(name):
        hint = "It is the id of an identity pool: give it as identity_pool_id, or --identity-pool-id"
    elif near:
        hint = "Did you mean " + " or ".join(f"'{clean(n, 60)}'" for n in near) + "?"
    elif profiles:
        hint = "There are: " + ", ".join(clean(n, 60) for n in sorted(profiles)[:8])
    else:
        hint = f"There is no profile at all in {_path(environ, 'AWS_CONFIG_FILE', 'config') or 'any file'}"
    raise ConfigurationError(f"profile '{clean(name, 80)}'{origin} does not exist", hint=hint)


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
    )


def _credentials_profiles(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    path = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    # A file that cannot be read counts as absent, as for botocore: no setting of ours has to be in it.
    return _parse(path) if path and os.path.isfile(path) else {}


def _parse(path: str) -> dict[str, dict[str, Any]]:
    from botocore.configloader import raw_config_parse
    from botocore.exceptions import ConfigNotFound, ConfigParseError

    wrong = replaced(ConfigParseError, by=lambda error: _what_is_wrong(path, error.kwargs.get("error")))
    with contextlib.suppress(ConfigNotFound), wrong:
        parsed: dict[str, dict[str, Any]] = raw_config_parse(path)
        return parsed
    return {}  # it is not there any more, or no file


def _what_is_wrong(path: str, cause: object) -> ConfigurationError:
    """Make our error, with names of sections and numbers of lines only: a line may hold a key."""
    if isinstance(cause, configparser.DuplicateSectionError):
        return _twice(path, cause)
    line = getattr(cause, "lineno", None)
    errors = getattr(cause, "errors", None)
    if line is None and errors:
        line = errors[0][0]
    if type(cause) is ValueError:
        line = _line_without_equals(path)
    where = f", line {line}" if line else ""
    if isinstance(cause, UnicodeDecodeError):
        what, hint = "is not UTF-8", "Save it as UTF-8 without a byte order mark"
    elif type(cause) is ValueError:
        what, hint = "has an indented line without '='", "Write nested settings as '  name = value'"
    else:
        what, hint = (
            "is malformed",
            f"Correct it{' there' if line else ''}: '[profile NAME]', then 'key = value' lines",
        )
    return ConfigurationError(f"the AWS config file {clean(path)}{where} {what}", hint=hint)


def _line_without_equals(path: str) -> int | None:
    """Find the line of a nested value that botocore refused; its error does not say which."""
    from botocore.configloader import raw_config_parse
    from botocore.exceptions import BotoCoreError

    # The file may have changed since botocore refused it, or be gone: then no line is named.
    with contextlib.suppress(BotoCoreError, OSError, UnicodeDecodeError):
        sections = raw_config_parse(path, parse_subsections=False).values()
        nested = [value for section in sections for value in section.values() if value.startswith("\n")]
        refused = {line.strip() for value in nested for line in value.splitlines() if "=" not in line} - {""}
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line[0].isspace() and line.strip() in refused:
                    return number
    return None


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
    )
