"""
What the checks look at; each part is read when the first check asks for it, and only once.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...clock import Clock
from ...settings.aws_config import choose_profile, read_config
from ...settings.load import NAMES, Names, load
from ..pool_options import ORIGIN

if TYPE_CHECKING:
    from ...exchange.actions import Failure
    from ...exchange.client import CognitoClient
    from ...logins.mapping import ResolvedLogins
    from ...pool.parts import Parts
    from ...settings.settings import Settings

_POOL, _IDENTITY = NAMES["identity_pool_id"], NAMES["identity_id"]
T = TypeVar("T")

ASKING_SECONDS: Final = 4.0
"""For whatever is asked, so that what is said of it is said before the check is given up."""

_COMMAND_SECONDS: Final = 3.5
"""For a login command, so that it is named."""


class Setup:
    """
    The profile that is meant, and its surroundings.

    Args:
        environ: The environment.
        profile: The profile that was asked for; None for that of the environment.
        details: Whether the pool is read with the developer's credentials, too.
        clock: Tests give their own.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        profile: str | None = None,
        *,
        details: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.environ = environ
        self.asked_for = profile
        self.details = details
        self.clock = clock or Clock()
        self.exchanged: tuple[Failure | None] | None = None
        """How a request for the credentials of the identity that is known ended; None before it."""
        self.rng = random.Random()  # noqa: S311  (it only spreads retries)

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
        return load({}, environ=self.environ, config=self.config, profile=self.asked_for, origin=ORIGIN)

    @cached_property
    def parts(self) -> Parts:
        """
        Logins, store, wire and policy of the pool.

        Raises:
            ConfigurationError: A login of the profile is malformed.
        """
        from ...pool.pool import parts_of, pool_of

        return parts_of(pool_of(self.settings, clock=self.clock, environ=self.environ))

    @cached_property
    def client(self) -> CognitoClient:
        """The wire to the pool; what it has seen of the service's time stays here."""
        from ...exchange.client import CognitoClient

        return CognitoClient(self.settings, self.clock, self.environ, rng=self.rng)

    @cached_property
    def resolved(self) -> ResolvedLogins:
        """
        The tokens of all login sources, each asked for once.

        Raises:
            CognitoCredentialsError: One has none, or takes too long.
        """
        from ...errors import replaced
        from ...exchange.actions import Failure
        from ...logins.command import CommandSource

        logins = self.parts.logins
        sources = tuple(
            (provider, source.within(_COMMAND_SECONDS) if isinstance(source, CommandSource) else source)
            for provider, source in logins.sources
        )
        hurried = dataclasses.replace(logins, sources=sources)
        with replaced(Failure, by=lambda failure: failure.error):
            return self.bounded(lambda: hurried.resolve(self.now()))

    def now(self) -> float:
        """Return the service's time where it has been seen, and otherwise this machine's."""
        client = self.__dict__.get("client")  # as far as it has asked
        seen = None if client is None else client.seen
        return self.clock.wall() if seen is None else self.clock.wall() + seen.offset

    def bounded(self, function: Callable[[], T]) -> T:
        """
        Run *function* for a few seconds at most.

        Raises:
            Failure: It takes longer; or what it raises.
        """
        from ...exchange.deadline import with_deadline

        return with_deadline(function, ASKING_SECONDS)

    def pool_ids(self) -> set[str]:
        """Return what is given as the id of a pool, in the environment and in every profile."""
        return self._given(_POOL)

    def identity_ids(self) -> set[str]:
        """Return what is given as the id of an identity, likewise."""
        return self._given(_IDENTITY) - self.pool_ids()

    def _given(self, names: Names) -> set[str]:
        found = {self.environ.get(names.environment or "", "").strip()}
        config = self.__dict__.get("config")  # as far as it has been read
        if config is not None and names.profile_key is not None:
            found |= {
                str(values[names.profile_key]).strip()
                for values in config["profiles"].values()
                if names.profile_key in values
            }
        return found - {""}
