"""
Where a refresh token is stored: in the keyring, in a plain file where the user chose that, or in an app's own
place.

A keyring that fails is never replaced by a file without being asked: the file is not encrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...secret import Secret
from .keyring_store import TIMEOUT_SECONDS, KeyringStore

if TYPE_CHECKING:
    from .place import SignInPlace


class SecretStore(Protocol):
    """
    The secret of one sign-in. Call a method with the lock of the sign-in held; each may raise `CacheError`.
    """

    @property
    def name(self) -> str:
        """``keyring`` or ``file``, as in the settings; ``app`` or ``memory`` in a place of the app's."""

    @property
    def kind(self) -> str:
        """Which part of the place has the secret, encrypted or not."""

    @property
    def location(self) -> str:
        """Where the secret is, for people."""

    def check(self) -> None:
        """Make sure that a secret can be stored and read back. Nothing that is in use is replaced."""

    @property
    def has_made_a_key(self) -> bool:
        """Whether `check` has made something that `abandon` undoes."""

    def abandon(self) -> None:
        """Undo what `check` did, unless a secret that was stored since needs it."""

    def load(self) -> Secret | None:
        """Return the secret; None if nothing is stored."""

    def sealed(self, secret: Secret) -> bytes:
        """Return what the part of `kind` holds for *secret*."""

    def store(self, secret: Secret) -> None:
        """Store the secret, whole or not at all."""

    def delete(self) -> bool:
        """Delete the secret; False when there was none."""


class PlainStore:
    """
    A part that holds the secret in clear: a file of mode 0600 in a directory of mode 0700, or in the app's
    text.

    Args:
        name: ``file``, or the name of the app's place.
    """

    kind = "secret"
    has_made_a_key = False

    def __init__(self, place: SignInPlace, name: str = "file") -> None:
        self._place = place
        self.name = name

    @property
    def location(self) -> str:
        """The path of the file, or where the app keeps it."""
        return self._place.path("secret")

    def check(self) -> None:
        """Do nothing: the secret is first written when somebody has signed in."""

    def abandon(self) -> None:
        """Do nothing."""

    def load(self) -> Secret | None:
        """
        Return the secret; None if nothing is stored.

        Raises:
            CacheError: The place cannot be used.
        """
        data = self._place.read("secret")
        try:
            return Secret(data.decode("utf-8")) if data else None
        except UnicodeDecodeError:
            return None

    def sealed(self, secret: Secret) -> bytes:
        """Return the secret in clear."""
        return secret.reveal().encode("utf-8")

    def store(self, secret: Secret) -> None:
        """
        Write the secret, whole or not at all.

        Raises:
            CacheError: It cannot be written.
        """
        self._place.write("secret", self.sealed(secret))

    def delete(self) -> bool:
        """
        Delete the secret; False when there was none.

        Raises:
            CacheError: It cannot be removed.
        """
        return self._place.remove("secret")


def open_store(name: str, place: SignInPlace, timeout_seconds: float = TIMEOUT_SECONDS) -> SecretStore:
    """
    Open a store.

    Args:
        name: ``keyring`` or ``file``, as in the settings; or the name of the app's place.
        timeout_seconds: How long the keyring may take.
    """
    return KeyringStore(place, timeout_seconds) if name == "keyring" else PlainStore(place, name)
