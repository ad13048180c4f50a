"""
The refresh token in a file as it is, 0600 in a directory of 0700: only where that was chosen.

Imports `place`, `secret`, `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...secret import Secret

if TYPE_CHECKING:
    from .place import Place


class PlainFileStore:
    """
    A file that holds the secret.

    Args:
        place: Of the sign-in.
    """

    name = "file"

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def location(self) -> str:
        """The file."""
        return self._place.path("secret")

    def check(self) -> None:
        """Nothing to check before there is something to write."""

    def load(self) -> Secret | None:
        """
        Read the secret; None when there is none.

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
            CacheError: It cannot be written.
        """
        self._place.write("secret", secret.reveal().encode("utf-8"))

    def delete(self) -> bool:
        """Remove it; False when there was none."""
        return self._place.remove("secret")
