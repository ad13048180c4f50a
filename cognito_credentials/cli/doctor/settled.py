"""
Config files and the profile: which pool is meant, and whether its settings are right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...settings.aws_config import PROFILE_VARIABLES, config_files
from .check import Result, ok

if TYPE_CHECKING:
    from .setup import Setup


def config(setup: Setup) -> Iterator[Result]:
    """Both AWS files can be read by us and by botocore."""
    count = len(setup.config["profiles"])
    there = [path for path in config_files(setup.environ) if path and os.path.exists(path)]
    yield ok(f"{' and '.join(there) or 'no AWS config file'}: {count} profile{'s' * (count != 1)}")


def profile(setup: Setup) -> Iterator[Result]:
    """The profile that is meant exists."""
    name = setup.profile
    if name is None:
        yield ok("no profile is meant")
        return
    variable = next((each for each in PROFILE_VARIABLES if setup.environ.get(each)), None)
    origin = "from --profile" if setup.asked_for else f"from {variable}" if variable else "by default"
    yield ok(f"profile '{name}', {origin}")


def settings(setup: Setup) -> Iterator[Result]:
    """There is a pool, and every setting has the right form."""
    found = setup.settings
    origin = found.origins.get("identity_pool_id", "nowhere")
    yield ok(f"identity pool {found.identity_pool_id} from {origin}, {found.flow} flow")
