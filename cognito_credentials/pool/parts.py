"""
What an identity pool is made of, for one user: settings, logins, store, wire and policy, joined.
"""

from __future__ import annotations

import dataclasses
import logging
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..cache.file import FileStore
from ..cache.memory import MemoryStore
from ..cache.records import Records
from ..errors import ConfigurationError
from ..exchange.client import CognitoClient
from ..importing import IMPORTING
from ..logins import Logins
from ..refresh.exchanger import Exchanger
from ..refresh.held import Memory
from ..refresh.identities import Identities
from ..refresh.memories import Memories
from ..refresh.owners import OwnerWatch
from ..refresh.refresher import Refresher

if TYPE_CHECKING:
    from ..budget.budget import Budget
    from ..cache.store import Store
    from ..clock import Clock
    from ..settings.settings import Settings

_log = logging.getLogger(__name__)


class Parts:
    """
    The parts of one identity pool as one user has it.

    Which parts there are does not change: when the pool becomes another user's, it gets other `Parts`.

    A process may have many users, so these objects are small. All parts of one pool share its store, and all
    parts of one user what this process holds of that user. Who a person is that signs in on this machine, the
    files of the sign-in say anew at each use; what is held of that person is with these parts alone.

    Args:
        settings: Which pool and flow, and which cache.
        logins: The user's login sources; none for a guest.
        clock: Tests give their own.
        environ: Says where CA bundles are, and whether FIPS and dual stack endpoints are wanted.
        like: Parts of the same pool, for another user.
    """

    __slots__ = (
        *("_environ", "_memories", "_records", "_rng"),
        *("budget", "clock", "logins", "refresher", "settings"),
    )

    def __init__(
        self,
        settings: Settings,
        logins: Logins,
        clock: Clock,
        environ: Mapping[str, str],
        *,
        like: Parts | None = None,
    ) -> None:
        if like is not None and like.logins.outage:
            logins = dataclasses.replace(logins, outage=like.logins.outage)
        self.settings = settings
        self.logins: Logins = logins
        self.clock = clock
        self._environ = environ
        if like is None:
            # It keeps no state that a forked child would share with its parent.
            self._rng: random.Random = random.SystemRandom()
            store = open_store(settings, clock, environ)
            self.budget: Budget | None = open_budget(store, settings, clock)
            self._records = Records(store, clock)
            self._memories = Memories(settings.users_in_memory, self._new_memory)
        else:
            self._rng, self._records, self._memories = like._rng, like._records, like._memories  # noqa: SLF001
            self.budget = like.budget
        memory = self._memory()
        identities = Identities(settings, self._records, clock, memory.identity_ids)
        client = CognitoClient(settings, clock, environ, rng=self._rng, budget=self.budget)
        self.refresher = Refresher(
            Exchanger(settings, logins, client, identities, clock),
            identities,
            self._records,
            OwnerWatch(logins, clock),
            memory,
            clock,
            self._rng,
            None if self.budget is None else self.budget.counts,
        )

    @property
    def store(self) -> Store:
        """Where identities and credentials are remembered."""
        return self._records.store

    def _memory(self) -> Memory:
        """Return what this process holds of the user."""
        logins = self.logins
        if logins.user is None or logins.has_sign_in:
            return self._new_memory()
        name = logins.principal()
        assert name is not None  # noqa: S101  (for the type checker: the user's name is the principal)
        return self._memories.of(self.settings.credentials_key(name, logins.providers))

    def _new_memory(self) -> Memory:
        return Memory(self._records, self.clock, self._rng)

    def place_on_disk(self) -> tuple[str, str] | None:
        """
        Return the cache directory, and the key of the credentials in it.

        Returns:
            None where the cache is not on disk, or where only a login token tells the key.
        """
        principal = self.refresher.principal()
        directory = self.settings.cache_dir
        if principal is None or directory is None or self.store.name != "file":
            return None
        return directory, principal.credentials_key

    def with_logins(self, logins: Logins) -> Parts:
        """Return the parts of the same pool with other logins, for the user whom they name."""
        return Parts(self.settings, logins, self.clock, self._environ, like=self)

    def for_user(self, user: str, logins: Logins | None) -> Parts:
        """
        Return the parts of the same pool for another user, without any login or identity of these.

        Args:
            user: The user's name, checked.
            logins: The user's own; none in it for a guest. None only where these parts are a guest's, too.

        Raises:
            ConfigurationError: *logins* is None, and these parts have logins or a fixed identity.
        """
        settings = self.settings
        if logins is None:
            own = "logins" if not self.logins.is_guest else "identity_id" if settings.identity_id else None
            if own is not None:
                raise ConfigurationError(
                    f"this pool's {own} cannot be those of another user",
                    hint="Give for_user the logins of that user; {} makes a guest",
                    topic="E-ARGUMENT",
                )
            logins = Logins()
        settings = dataclasses.replace(settings, user=user, logins=None, identity_id=None)
        return Parts(
            settings, logins.of_user(user, settings.sign_in_dir), self.clock, self._environ, like=self
        )

    def as_guest(self) -> Parts:
        """Return the parts that the same user has as a guest: with the same store, and no fixed identity."""
        settings = self.settings
        if self.logins.is_guest and settings.identity_id is None:
            return self
        if settings.identity_id is not None:
            settings = dataclasses.replace(settings, identity_id=None)
        guest = Logins().of_user(self.logins.user)
        return Parts(settings, guest, self.clock, self._environ, like=self)


def open_store(settings: Settings, clock: Clock, environ: Mapping[str, str]) -> Store:
    """
    Open the place to remember credentials and identities in.

    Without a home directory it is in memory. `cache/__init__.py` says what happens when the directory cannot
    be written or used.

    Raises:
        CacheError: The settings of a Redis lead to nothing that can be used.
    """
    if settings.shared_cache is not None:
        with IMPORTING:
            from .shared_store import open_shared_store

        return open_shared_store(settings.shared_cache, clock, environ)
    if settings.cache == "file" and settings.cache_dir is None:
        _log.warning(
            "there is no home directory to keep the cache in, so a guest is another one with each start and "
            "each session; set AWS_COGNITO_CACHE_DIR"
        )
    if settings.cache == "memory" or settings.cache_dir is None:
        return MemoryStore(clock.elapsed)
    return FileStore(
        settings.cache_dir, explicit=settings.cache_is_explicit, warn=lambda line: _log.warning("%s", line)
    )


def open_budget(store: Store, settings: Settings, clock: Clock) -> Budget | None:
    """Return what keeps the requests of all hosts that share *store* under the quotas; None for no Redis."""
    if settings.shared_cache is None or store.name != "redis":
        return None
    with IMPORTING:
        from .shared_store import open_shared_budget

        return open_shared_budget(store, settings, clock)


def load_for_refreshes() -> None:
    """
    Import what a refresh needs and a cache hit does not.

    A program does so at its first use of a pool. Otherwise all processes of a machine would do so at the
    moment at which their credentials are due, and while they hold the machine's lock.

    A command does not call this, and imports under that lock on purpose. It does not fork, so no child can
    keep the lock. Where many start at once, all but one find what that one wrote, and would import in vain.
    """
    with IMPORTING:
        import difflib  # noqa: F401  (for the error that names the region that was meant)
        import xml.parsers.expat  # noqa: F401  (for the answers of STS)

        from ..cache import lock  # noqa: F401
        from ..exchange import service  # noqa: F401
