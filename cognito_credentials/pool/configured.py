"""
The pool that a profile or the environment names, for an SDK that looks for credentials in several places.

Such a chain asks us in our turn. The answer is None where no pool is named, or where another source of
credentials comes first: then the chain goes on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..settings.aws_config import read_config
from ..settings.load import is_configured, load
from .pool import IdentityPool

if TYPE_CHECKING:
    from collections.abc import Mapping

PROCESS: Final = "credential_process"
OTHER_SOURCES: Final = frozenset(
    {PROCESS, "role_arn", "source_profile", "sso_session", "sso_start_url", "login_session"}
)
"""Profile keys by which the SDKs get credentials in another way."""


def configured_pool(
    *, environ: Mapping[str, str], profile: str | None, outage: tuple[type[BaseException], ...] = ()
) -> IdentityPool | None:
    """
    Return the pool that *profile* and *environ* name; None where they name none.

    Args:
        environ: The environment, which also says where the config files are.
        profile: The profile asked for explicitly, if any.
        outage: As `IdentityPool` takes it.

    Raises:
        ConfigurationError: A pool is named, and a setting is wrong.
    """
    config = read_config(environ)
    if not is_configured(environ=environ, config=config, profile=profile):
        return None
    settings = load({}, environ=environ, config=config, profile=profile)
    if settings.origins.get("identity_pool_id") in os.environ:
        # A pool that only the environment names does not replace the source that the profile itself names.
        own = OTHER_SOURCES.intersection(settings.profile_settings)
        if own and "cognito_identity_pool_id" not in settings.profile_settings:
            return None
    pool = IdentityPool(profile_name=profile, environ=environ, outage=outage)
    _ = pool.settings  # what is wrong is said now
    return pool
