"""
Where a sign-in's refresh token is kept: the keyring, or a plain file where that was chosen.

Never from the one to the other by itself (reliability.md T15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from .file_store import PlainFileStore
from .keyring_store import TIMEOUT_SECONDS, KeyringStore

if TYPE_CHECKING:
    from ...secret import Secret
    from .place import Place

STORES: Final = ("keyring", "file")


class SecretStore(Protocol):
    """One secret of one sign-in. Every method may raise `CacheError`; call them with its lock held."""

    @property
    def name(self) -> str:
        """What settings call it."""

    @property
    def location(self) -> str:
        """Where it is, for people."""

    def check(self) -> None:
        """Make sure that it works."""

    def load(self) -> Secret | None:
        """Return the secret; None when there is none."""

    def store(self, secret: Secret) -> None:
        """Keep it, whole or not at all."""

    def delete(self) -> bool:
        """Forget it; False when there was none."""


def open_store(name: str, place: Place, timeout_seconds: float = TIMEOUT_SECONDS) -> SecretStore:
    """
    Open the store that settings call *name*.

    Args:
        name: One of `STORES`.
        place: Of the sign-in.
        timeout_seconds: What a keyring may take.
    """
    return PlainFileStore(place) if name == "file" else KeyringStore(place, timeout_seconds)
