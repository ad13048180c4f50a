"""
Config files and the profile: which pool is meant, what wins over it, and whether its settings are right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...errors import clean, near, shell_word
from ...settings.aws_config import PROFILE_VARIABLES, config_files
from ...settings.load import NAMES, SIGN_IN_KEYS, near_variables
from ..config_text import is_portable
from ..precedence import other_sources, places_with_keys, region_problem
from ..terminal import printable
from .check import Result, error, ok, skipped, warning
from .exposure import mode_of, others_can_write

if TYPE_CHECKING:
    from .setup import Setup

_OURS: Final = tuple(names.profile_key for names in NAMES.values() if names.profile_key) + SIGN_IN_KEYS
_PROCESS: Final = "credential_process"
_GUID_LENGTH: Final = 36
_WITHOUT_PREFIX: Final = ("cognito_identity_pool_id", "cognito_user_pool_id", "cognito_logins")
"""What no other program has in a profile, with or without our prefix."""


def config(setup: Setup) -> Iterator[Result]:
    """Both AWS files can be read; botocore parses them as `read_config` does."""
    count = len(setup.config["profiles"])
    there = [path for path in config_files(setup.environ) if path and os.path.isfile(path)]
    for path in there:
        if others_can_write(path):
            yield error(
                f"everybody can write {printable(path)} (mode {mode_of(path)}), and have programs run as you",
                f"Run: chmod 600 {shell_word(path)}",
            )
        if not os.access(path, os.R_OK):  # of the config file, `read_config` says so
            yield warning(
                f"{printable(path)} cannot be read, so programs take it for absent", "Correct its permissions"
            )
    said = " and ".join(map(printable, there)) or "there is no AWS config file"
    yield ok(f"{said}: {count} profile{'s' * (count != 1)}")


def profile(setup: Setup) -> Iterator[Result]:
    """The profile that is meant exists, and all programs mean the same one."""
    name = setup.profile
    given = [setup.environ.get(variable) for variable in PROFILE_VARIABLES]
    if not setup.asked_for and all(given) and given[0] != given[1]:
        yield warning(
            f"AWS_DEFAULT_PROFILE is '{clean(given[0] or '', 60)}' and AWS_PROFILE is "
            f"'{clean(given[1] or '', 60)}': boto3 uses the first, and other SDKs the second",
            "Unset AWS_DEFAULT_PROFILE",
        )
    for empty in PROFILE_VARIABLES:
        if setup.environ.get(empty) == "":
            yield warning(
                f"{empty} is set to nothing: boto3 and the AWS CLI look for a profile without a name",
                "Unset it",
            )
    if name is None:
        yield ok("no profile is meant")
        return
    if not is_portable(name):
        yield warning(
            f"not every SDK finds a profile of the name '{printable(name, 80)}'",
            "Rename it: letters, digits and _ . @ : / + - are read by all",
        )
    variable = next((each for each in PROFILE_VARIABLES if setup.environ.get(each)), None)
    origin = "from --profile" if setup.asked_for else f"from {variable}" if variable else "by default"
    yield ok(f"profile '{printable(name, 80)}', {origin}")


def settings(setup: Setup) -> Iterator[Result]:
    """There is a pool, every setting and login source has the right form, and they go together."""
    found = setup.settings
    logins = setup.parts.logins
    origin = found.origins.get("identity_pool_id", "nowhere")
    guid = found.identity_pool_id.partition(":")[2]
    if len(guid) != _GUID_LENGTH:
        yield error(
            f"identity_pool_id from {origin} has {len(guid)} characters after its region, and a pool's has "
            f"{_GUID_LENGTH}",
            "Copy the whole id from the page of the identity pool in the AWS console",
        )
    who = "guest" if logins.is_guest else f"{len(logins.sources)} login{'s' * (len(logins.sources) > 1)}"
    yield ok(f"identity pool {found.identity_pool_id} from {origin}, {found.flow} flow, {who}")


def variables(setup: Setup) -> Iterator[Result]:
    """No variable takes the place of what the profile says, and none is misspelt."""
    _, values = setup.chosen
    for name, names in NAMES.items():
        variable, key = names.environment, names.profile_key
        given = setup.environ.get(variable or "", "").strip()
        if given and key in values and given != str(values[key]).strip():
            shown = f"profile '{printable(setup.profile or '', 80)}'"
            yield warning(
                f"{variable} is set and wins over {key} of {shown}, which has another {name}",
                f"Unset {variable}, or remove {key}",
            )
    for variable, meant in near_variables(setup.environ):
        yield warning(f"{clean(variable, 60)} is set, which is not a setting", f"Did you mean {meant}?")
    yield ok("environment and profile do not contradict each other")


def spelling(setup: Setup) -> Iterator[Result]:
    """Every key of the profile that looks like one of ours is one."""
    name, values = setup.chosen
    where = f"in profile '{printable(name or '', 80)}'"
    for key in values:
        shown = clean(key, 60)
        if key in _OURS or key == _PROCESS:
            continue
        if key.startswith("cognito"):
            meant = near(key.removeprefix("cognito_"), [each.removeprefix("cognito_") for each in _OURS])
            fix = f"Did you mean cognito_{meant[0]}?" if meant else "Remove it, or look its name up"
            # `load` refuses a key that is nearly ours.
            make = error if near(key, _OURS, cutoff=0.8) else warning
            yield make(f"{shown} {where} is not a setting", fix)
        elif f"cognito_{key}" in _WITHOUT_PREFIX and f"cognito_{key}" not in values:
            yield error(f"{shown} {where} is not a setting", f"Write cognito_{key}")
        elif _PROCESS not in values and near(key, [_PROCESS], cutoff=0.8):
            yield error(f"{shown} {where} is not a setting: SDKs run nothing", f"Write {_PROCESS}")
    yield ok("every key of ours is spelt right")


def precedence(setup: Setup) -> Iterator[Result]:
    """Other programs use the pool too, and no other keys, role or program."""
    notes = other_sources(setup.settings, setup.environ, places_with_keys(setup.environ))
    for note in notes:
        yield warning(*note)
    yield ok("other programs find no other credentials than the pool's")


def region(setup: Setup) -> Iterator[Result]:
    """The regions that SDKs take from environment and profile are regions."""
    from ...regions import is_region, near_regions

    if setup.profile is None and not setup.environ.get("AWS_REGION"):
        yield skipped("there is no profile, and so none of its region")
        return
    for note in region_problem(setup.settings, setup.environ):
        yield warning(*note)
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        given = setup.environ.get(variable)
        if given and not is_region(given):
            near_ones = " or ".join(near_regions(given)) or "us-east-1, for example"
            yield warning(f"{variable} is '{clean(given, 40)}', which is no region", f"Write {near_ones}")
    yield ok("the region of the profile is one")
