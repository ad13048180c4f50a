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
from typing import TYPE_CHECKING, Any

from ..regions import is_region, near_regions
from ..settings.aws_config import DEFAULT_PROFILE, config_files, profiles_with_keys, read_config
from .own_command import files_of, is_ours
from .terminal import printable
from .words import command_line

if TYPE_CHECKING:
    from ..settings.settings import Settings

_ROLE_SOURCES = ("source_profile", "credential_source", "web_identity_token_file")
_SSO = ("sso_session", "sso_start_url")


def what_wins(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """
    Say what other programs use in place of the identity pool of *settings*, or why they do not use that.

    Args:
        settings: Of a profile, or of a pool that the environment names; of a command line's pool there is
            nothing to say.

    Returns:
        A sentence or two for each, without a full stop at the end.
    """
    found = used_instead(settings, environ, places_with_keys(environ))
    name, values = settings.profile, settings.profile_settings
    if name is None or not _is_seen(settings, environ):
        return found
    region = values.get("region")
    if isinstance(region, str) and not is_region(region):
        near = " or ".join(near_regions(region)) or "us-east-1, for example"
        shown = f"profile '{printable(name, 80)}'"
        found.append(f"{shown} has the region '{printable(region, 40)}', which is none. Write {near}")
    if _names_pool_itself(settings):
        found.append(_process_problem(name, values, environ))
    return [note for note in found if note]


def used_instead(
    settings: Settings, environ: Mapping[str, str], with_keys: Sequence[tuple[str, set[str]]]
) -> list[str]:
    """
    Say what other programs use in place of the identity pool: keys, a role, another program.

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
            "AWS_ACCESS_KEY_ID is set: programs that are not told a profile use that key and not the "
            "identity pool. Unset it"
        )
    if name is None:
        return found
    sso = next((key for key in _SSO if key in values), None)
    role = "role_arn" if any(key in values for key in _ROLE_SOURCES) and "role_arn" in values else None
    found += [
        f"{shown} has {key}: SDKs use that and not the identity pool. Remove it" for key in (role, sso) if key
    ]
    line = values.get("credential_process")
    if isinstance(line, str) and not is_ours(line):
        configure = command_line("configure", name)
        found.append(
            f"credential_process of {shown} runs another program: SDKs use that one. Run {configure}"
        )
    return found


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
    found = _keys_of_profile(name, places_with_keys(environ), endpoint)
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        found.append(f"AWS_ACCESS_KEY_ID is set: SDKs use that key and not {endpoint}. Unset it")
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
) -> list[str]:
    return [
        f"profile '{printable(name, 80)}' has keys in {printable(path)}: boto3, the AWS CLI and other SDKs "
        f"use those keys and not {instead}. Remove them there"
        for path, profiles in with_keys
        if name in profiles
    ]


def _is_seen(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Tell whether other programs can see the pool: a profile or the environment names it."""
    return _names_pool_itself(settings) or settings.origins.get("identity_pool_id", "") in environ


def _names_pool_itself(settings: Settings) -> bool:
    name = settings.profile
    return name is not None and settings.origins.get("identity_pool_id") == f"profile '{name}'"


def _process_problem(name: str, values: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Say what is wrong with the profile's ``credential_process``; empty for nothing."""
    line = values.get("credential_process")
    shown, configure = f"profile '{printable(name, 80)}'", command_line("configure", name)
    if not isinstance(line, str):
        return f"{shown} has no credential_process: the AWS CLI and other SDKs do not use it. Run {configure}"
    if not is_ours(line):
        return ""  # `used_instead` has said it
    for word, path in files_of(line, environ):
        if path is None:
            return (
                f"credential_process of {shown} runs {printable(word)}, which is not there. Run {configure}"
            )
    words = shlex.split(line, posix=os.name != "nt")
    given = [after for word, after in itertools.pairwise(words) if word == "--profile"]
    given += [word.partition("=")[2] for word in words if word.startswith("--profile=")]
    other = given[-1].strip('"') if given else None
    if other is None and name != DEFAULT_PROFILE and not _names_pool(words):
        return (
            f"credential_process of {shown} names no profile: a program that is given this one gets the "
            f"credentials of the default profile, or none. Run {configure}"
        )
    if other is None or other == name:
        return ""
    there = "" if other in read_config(environ)["profiles"] else ", which does not exist"
    return (
        f"credential_process of {shown} gives the credentials of profile '{printable(other, 80)}'{there}. "
        f"Run {configure}"
    )


def _names_pool(words: list[str]) -> bool:
    return any(word.partition("=")[0] == "--identity-pool-id" for word in words)
