"""
Where a refresh token is stored: in the keyring, or in a plain file where the user chose that.

A keyring that fails is never replaced by a file without being asked: the file is not encrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...secret import Secret
from .keyring_store import TIMEOUT_SECONDS, KeyringStore

if TYPE_CHECKING:
    from .place import Place


class SecretStore(Protocol):
    """
    The secret of one sign-in. Call a method with the lock of the sign-in held; each may raise `CacheError`.
    """

    @property
    def name(self) -> str:
        """``keyring`` or ``file``, as in the settings."""

    @property
    def kind(self) -> str:
        """Which file of `Place` has the secret, encrypted or not."""

    @property
    def location(self) -> str:
        """Where the secret is, for people."""

    def check(self) -> None:
        """Make sure that a secret can be stored and read back. Nothing that is in use is replaced."""

    def abandon(self) -> None:
        """Undo what `check` did, unless a secret that was stored since needs it."""

    def load(self) -> Secret | None:
        """Return the secret; None if nothing is stored."""

    def store(self, secret: Secret) -> None:
        """Store the secret, whole or not at all."""

    def delete(self) -> bool:
        """Delete the secret; False when there was none."""


class PlainFileStore:
    """A file that holds the secret in clear: mode 0600, in a directory of mode 0700."""

    name = "file"
    kind = "secret"

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def location(self) -> str:
        """The path of the file."""
        return self._place.path("secret")

    def check(self) -> None:
        """Do nothing: the file is first written when somebody has signed in."""

    def abandon(self) -> None:
        """Do nothing."""

    def load(self) -> Secret | None:
        """
        Return the secret; None if nothing is stored.

        Raises:
            CacheError: The directory cannot be used.
        """
        data = self._place.read("secret")
        try:
            return Secret(data.decode("utf-8")) if data else None
        except UnicodeDecodeError:
            return None

    def store(self, secret: Secret) -> None:
        """
        Write the secret, whole or not at all.

        Raises:
            CacheError: The file cannot be written.
        """
        self._place.write("secret", secret.reveal().encode("utf-8"))

    def delete(self) -> bool:
        """
        Delete the file; False when there was none.

        Raises:
            CacheError: The file cannot be removed.
        """
        return self._place.remove("secret")


def open_store(name: str, place: Place, timeout_seconds: float = TIMEOUT_SECONDS) -> SecretStore:
    """
    Open a store.

    Args:
        name: ``keyring`` or ``file``, as in the settings.
        timeout_seconds: How long the keyring may take.
    """
    return PlainFileStore(place) if name == "file" else KeyringStore(place, timeout_seconds)
