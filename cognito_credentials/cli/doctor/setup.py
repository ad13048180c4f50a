"""
What the checks look at; each part is read when the first check asks for it, and only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...clock import Clock
from ...settings.aws_config import choose_profile, read_config
from ...settings.load import NAMES, load

if TYPE_CHECKING:
    from ...pool.parts import Parts
    from ...settings.settings import Settings

_POOL = NAMES["identity_pool_id"]


class Setup:
    """
    The profile that is meant, and its surroundings.

    Args:
        environ: The environment.
        profile: The profile that was asked for; None for that of the environment.
        clock: Tests give their own.
    """

    def __init__(
        self, environ: Mapping[str, str], profile: str | None = None, *, clock: Clock | None = None
    ) -> None:
        self.environ = environ
        self.asked_for = profile
        self.clock = clock or Clock()

    @cached_property
    def config(self) -> dict[str, Any]:
        """
        What is in the AWS config and credentials files, as `read_config` returns it.

        Raises:
            ConfigurationError: One of them cannot be read.
        """
        return read_config(self.environ)

    @cached_property
    def chosen(self) -> tuple[str | None, dict[str, Any]]:
        """
        The profile in effect, and its settings; None and no settings where there is none.

        Raises:
            ConfigurationError: It does not exist.
        """
        return choose_profile(self.config, self.environ, self.asked_for, may_be_missing=False)

    @property
    def profile(self) -> str | None:
        """The name of the profile in effect."""
        return self.chosen[0]

    @cached_property
    def settings(self) -> Settings:
        """
        The checked settings.

        Raises:
            ConfigurationError: One is wrong.
            CacheError: The file cache is set, and there is no directory for it.
        """
        return load({}, environ=self.environ, config=self.config, profile=self.asked_for)

    @cached_property
    def parts(self) -> Parts:
        """
        Logins, store, wire and policy of the pool.

        Raises:
            ConfigurationError: A login of the profile is malformed.
        """
        from ...pool.pool import parts_of, pool_of

        return parts_of(pool_of(self.settings, clock=self.clock, environ=self.environ))

    def pool_ids(self) -> set[str]:
        """Return what is given as the id of a pool, in the environment and in every profile."""
        found = {self.environ.get(_POOL.environment or "", "").strip()}
        config = self.__dict__.get("config")  # as far as it has been read
        if config is not None and _POOL.profile_key is not None:
            found |= {str(values.get(_POOL.profile_key)).strip() for values in config["profiles"].values()}
        return found
