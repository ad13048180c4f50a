"""
What an identity pool is made of: settings, wire, cache and policy, joined.

Imports `settings`, `exchange`, `cache`, `identities`, `recovery`, `refresh`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..cache.file import FileStore
from ..cache.memory import MemoryStore
from ..cache.records import Records
from ..exchange.client import CognitoClient
from ..refresh.exchanger import Exchanger
from ..refresh.identification import Identification
from ..refresh.identities import Identities
from ..refresh.owners import OwnerWatch
from ..refresh.refresher import Refresher

if TYPE_CHECKING:
    from ..cache.store import Store
    from ..clock import Clock
    from ..logins import Logins
    from ..refresh.identities import Who
    from ..settings.settings import Settings

_log = logging.getLogger(__name__)


class Shortcut(NamedTuple):
    """Where these credentials are kept; for `cli.fast`."""

    directory: str
    credentials_key: str


class Parts:
    """
    What a pool is made of, once its settings are known.

    Args:
        settings: Of the pool.
        logins: Of its user.
        clock: This machine's clocks.
        environ: Environment variables.
    """

    def __init__(self, settings: Settings, logins: Logins, clock: Clock, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.logins = logins
        self.clock = clock
        self.environ = environ
        self.records = Records(open_store(settings), clock)
        self.exchanger = Exchanger(
            settings,
            logins,
            CognitoClient(settings, clock, environ),
            Identities(settings, self.records, clock),
            clock,
        )
        owners = OwnerWatch(logins, clock)
        self.refresher = Refresher(self.exchanger, self.records, owners, clock, random.SystemRandom())
        self.identification = Identification(self.exchanger, self.refresher)

    def shortcut(self) -> Shortcut | None:
        """Say where the credentials are kept; None when a later process could not know whose they are."""
        who = self.who()
        if who is None or self.records.store.name != "file" or self.settings.cache_dir is None:
            return None
        return Shortcut(self.settings.cache_dir, who.credentials_key)

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """Say which files (``file``) and variables (``env``) decide whose credentials these are."""
        return self.logins.depends()

    def who(self) -> Who | None:
        """Who it is, as far as that can be told without asking for a login token."""
        return self.exchanger.identify_offline() or self.exchanger.last_known

    def with_logins(self, logins: Logins) -> Parts:
        """Return the parts of the same pool for somebody else."""
        return Parts(self.settings, logins, self.clock, self.environ)


def open_store(settings: Settings) -> Store:
    """Open the place to remember things in."""
    if settings.cache == "file" and settings.cache_dir is None:
        _log.warning(
            "there is no home directory to keep the cache in, so a guest is another one with each start and "
            "each session; set AWS_COGNITO_CACHE_DIR"
        )
    if settings.cache == "memory" or settings.cache_dir is None:
        return MemoryStore()
    return FileStore(
        settings.cache_dir, strict=settings.cache_is_explicit, warn=lambda line: _log.warning("%s", line)
    )
