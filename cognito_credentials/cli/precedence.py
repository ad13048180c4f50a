"""
What other programs use in place of the configured identity pool: keys, roles, another program.

boto3, the AWS CLI and the SDKs look in several places, and the first that has credentials wins. Such a place
makes a profile work here and not there, without any error. This file finds it and names what to correct.

Source: https://docs.aws.amazon.com/boto3/latest/guide/credentials.html and
https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import program_name, sentences
from ..regions import is_region, near_regions
from ..settings.aws_config import DEFAULT_PROFILE, config_files, profiles_with_keys, read_config
from .own_command import files_of, is_ours
from .terminal import printable
from .words import command_line

if TYPE_CHECKING:
    from ..settings.settings import Settings

_ROLE_SOURCES = ("source_profile", "credential_source", "web_identity_token_file")
_SSO = ("sso_session", "sso_start_url", "login_session")


class Note(NamedTuple):
    """What other programs do, and what to do about it; both without a full stop at the end."""

    what: str
    fix: str

    def __str__(self) -> str:
        return sentences(self.what, self.fix)


def what_wins(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """
    Say what other programs use in place of the identity pool of *settings*, or why they do not use that.

    Args:
        settings: Of a profile, or of a pool that the environment names; of a command line's pool there is
            nothing to say.

    Returns:
        A sentence or two for each, without a full stop at the end.
    """
    notes = [
        *other_sources(settings, environ, places_with_keys(environ)),
        *region_problem(settings, environ),
        *process_problem(settings, environ),
    ]
    return [str(note) for note in notes]


def used_instead(
    settings: Settings, environ: Mapping[str, str], with_keys: Sequence[tuple[str, set[str]]]
) -> list[str]:
    """Say what `other_sources` finds, in a sentence or two for each."""
    return [str(note) for note in other_sources(settings, environ, with_keys)]


def other_sources(
    settings: Settings, environ: Mapping[str, str], with_keys: Sequence[tuple[str, set[str]]]
) -> list[Note]:
    """
    Find what other programs use in place of the identity pool: keys, a role, another program.

    Args:
        with_keys: `places_with_keys`, which reads files, once for many profiles.
    """
    if not _is_seen(settings, environ):
        return []
    name, values = settings.profile, settings.profile_settings
    shown = f"profile '{printable(name or '', 80)}'"
    found = [] if name is None else _keys_of_profile(name, with_keys)
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        found.append(
            Note(
                "AWS_ACCESS_KEY_ID is set: programs that are not told a profile use that key and not the "
                "identity pool",
                "Unset it",
            )
        )
    elif environ.get("AWS_ACCESS_KEY_ID"):
        found.append(
            Note(
                "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY: boto3 and the AWS CLI fail on that "
                "where they are not told a profile",
                "Unset it",
            )
        )
    elif environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        found.append(
            Note(
                "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set: programs that are not told a profile "
                "use that role and not the identity pool",
                "Unset both",
            )
        )
    if name is None:
        return found
    sso = next((key for key in _SSO if key in values), None)
    role = "role_arn" if any(key in values for key in _ROLE_SOURCES) and "role_arn" in values else None
    found += [
        Note(f"{shown} has {key}: SDKs use that and not the identity pool", "Remove it")
        for key in (role, sso)
        if key
    ]
    line = values.get("credential_process")
    if isinstance(line, str) and not is_ours(line):
        configure = command_line("configure", name)
        found.append(
            Note(f"credential_process of {shown} runs another program: SDKs use that one", f"Run {configure}")
        )
    return found


def region_problem(settings: Settings, environ: Mapping[str, str]) -> list[Note]:
    """Find a region of the profile that is none."""
    name, region = settings.profile, settings.profile_settings.get("region")
    if name is None or not _is_seen(settings, environ) or not isinstance(region, str) or is_region(region):
        return []
    near = " or ".join(near_regions(region)) or "us-east-1, for example"
    shown = f"profile '{printable(name, 80)}'"
    return [Note(f"{shown} has the region '{printable(region, 40)}', which is none", f"Write {near}")]


def process_problem(settings: Settings, environ: Mapping[str, str]) -> list[Note]:
    """Find why SDKs do not get credentials of this profile by its ``credential_process``."""
    name = settings.profile
    if name is None or not _names_pool_itself(settings):
        return []
    found = _process_problem(name, settings.profile_settings, environ)
    return [] if found is None else [Note(found, f"Run {command_line('configure', name)}")]


def what_wins_over_endpoint(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """
    Say what SDKs prefer to the container-credentials endpoint of `serve`.

    They look at environment and files first, and in these at the profile that the environment names.

    Args:
        settings: Of the pool that the endpoint serves.
        environ: Of the programs that ask the endpoint.

    Returns:
        A sentence or two for each, without a full stop at the end.
    """
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or DEFAULT_PROFILE
    endpoint = "the endpoint"
    found = [str(note) for note in _keys_of_profile(name, places_with_keys(environ), endpoint)]
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        found.append(f"AWS_ACCESS_KEY_ID is set: SDKs use that key and not {endpoint}. Unset it")
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        found.append(
            "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set: SDKs use that role and not "
            f"{endpoint}. Unset both"
        )
    if environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):  # as in every task of Amazon ECS with a role
        found.append(
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set: SDKs use the container's role and not "
            f"{endpoint}. Unset it"
        )
    values = read_config(environ)["profiles"].get(name, {})
    line = values.get("credential_process")
    is_same = name == (settings.profile or DEFAULT_PROFILE) and isinstance(line, str) and is_ours(line)
    found += [
        f"profile '{printable(name, 80)}' has {key}: SDKs use that and not {endpoint}. Remove it"
        for key in (*_ROLE_SOURCES, *_SSO, "credential_process")
        if key in values and not (is_same and key == "credential_process")
    ]
    return found


def places_with_keys(environ: Mapping[str, str]) -> list[tuple[str, set[str]]]:
    """Return the credentials file, then the config file, each with the profiles that have keys there."""
    config, credentials = config_files(environ)
    return [(path, profiles_with_keys(path)) for path in (credentials, config)]


def _keys_of_profile(
    name: str, with_keys: Sequence[tuple[str, set[str]]], instead: str = "the identity pool"
) -> list[Note]:
    return [
        Note(
            f"profile '{printable(name, 80)}' has keys in {printable(path)}: boto3, the AWS CLI and other "
            f"SDKs use those keys and not {instead}",
            "Remove them there",
        )
        for path, profiles in with_keys
        if name in profiles
    ]


def _is_seen(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Tell whether other programs can see the pool: a profile or the environment names it."""
    return _names_pool_itself(settings) or settings.origins.get("identity_pool_id", "") in environ


def _names_pool_itself(settings: Settings) -> bool:
    name = settings.profile
    return name is not None and settings.origins.get("identity_pool_id") == f"profile '{name}'"


def _process_problem(name: str, values: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    line = values.get("credential_process")
    shown = f"profile '{printable(name, 80)}'"
    if not isinstance(line, str):
        return f"{shown} has no credential_process: the AWS CLI and other SDKs do not use it"
    if not is_ours(line):
        return None  # `other_sources` has said it
    for word, path in files_of(line, environ):
        if path is None:
            return f"credential_process of {shown} runs {program_name(word)}, which is not there"
    words = shlex.split(line, posix=os.name != "nt")
    given = [after for word, after in itertools.pairwise(words) if word == "--profile"]
    given += [word.partition("=")[2] for word in words if word.startswith("--profile=")]
    other = given[-1].strip('"') if given else None
    if other is None and name != DEFAULT_PROFILE and not _names_pool(words):
        return (
            f"credential_process of {shown} names no profile: a program that is given this one gets the "
            "credentials of the default profile, or none"
        )
    if other is None or other == name:
        return None
    there = "" if other in read_config(environ)["profiles"] else ", which does not exist"
    return f"credential_process of {shown} gives the credentials of profile '{printable(other, 80)}'{there}"


def _names_pool(words: list[str]) -> bool:
    return any(word.partition("=")[0] == "--identity-pool-id" for word in words)
