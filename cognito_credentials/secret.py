"""
A secret that does not show itself when it is printed, logged or formatted.

`Secret` is not a subclass of `str`: botocore signs with ``f"AWS4{key}"``, and a string that hides itself in
``format()`` would silently make wrong signatures. Code that needs the text calls `Secret.reveal`.

A cache hit of the command line loads this file: it imports nothing, not even typing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

REDACTED = "<redacted>"


class Secret:
    """A text that must not be printed, logged or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            # The message leaves the value out: it may be the secret in a wrong type (bytes, dict).
            raise TypeError(f"a secret must be text (str), not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """
        Return the text. Search for this name to see where secrets go.
        """
        return self._text

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # a cache hit holds secrets, never compares them, and must not pay for this import

        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret refuses to be pickled or copied into another process")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
