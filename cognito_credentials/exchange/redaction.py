"""Takes the secrets of a request out of the words of a service that repeats them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final
from urllib.parse import quote, quote_plus

from ..secret import REDACTED, Secret

_SHORTEST_PART: Final = 8
"""Characters. Shorter parts are words that a service may say for other reasons."""


def without(secrets: Iterable[Secret], text: str) -> str:
    """
    Remove *secrets* from a service's words, whole or in parts of 8 characters or more.

    Args:
        secrets: The secrets of the request. One that is shorter than 8 characters stays.
    """
    parts: set[str] = set()
    for value in (secret.reveal() for secret in secrets):
        for spelled in (value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")):
            parts.update(spelled[at : at + _SHORTEST_PART] for at in range(len(spelled) - _SHORTEST_PART + 1))
    is_secret = [False] * len(text)
    for at in range(len(text) - _SHORTEST_PART + 1):
        if text[at : at + _SHORTEST_PART] in parts:
            is_secret[at : at + _SHORTEST_PART] = [True] * _SHORTEST_PART
    runs = groupby(range(len(text)), key=is_secret.__getitem__)
    return "".join(REDACTED if hidden else "".join(text[at] for at in run) for hidden, run in runs)
