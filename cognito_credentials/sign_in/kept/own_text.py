"""
The text of a sign-in in an app's own place: one line that holds everything of one sign-in.

It is a secret: the refresh token is in it in clear. The app keeps it as it is. What comes back is checked to
the last character. Another program's text, one that was changed or cut, one of another version, and one of
another login are an error each, and never "nobody is signed in".
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from ...digest import digest
from ...errors import CacheError, clean
from ...secret import Secret
from . import account
from .stored_tokens import StoredTokens

FORMAT: Final = "cognito-credentials sign-in"
VERSION: Final = 1
_REPLACE: Final = "Nothing was overwritten; signing in again replaces it"


class Belonging(NamedTuple):
    """What a sign-in belongs to."""

    key: str
    """`key_of` issuer, client, endpoint and user."""
    issuer: str
    client_id: str


class Kept(NamedTuple):
    """A sign-in."""

    account: bytes
    """`Account.encode`; no secret."""
    tokens: Secret
    """`StoredTokens.encode`."""


def encode(kept: Kept, belonging: Belonging) -> Secret:
    """Write a sign-in as the text that an app keeps."""
    values = {
        "format": FORMAT,
        "version": VERSION,
        **belonging._asdict(),
        "account": json.loads(kept.account),
        "tokens": json.loads(kept.tokens.reveal()),
    }
    return Secret(_line({**values, "sha256": digest(_line(values))}))


def decode(text: Secret, belonging: Belonging, where: str) -> Kept:
    """
    Read what `encode` wrote.

    Args:
        where: Who gave it, for messages: "load() of EntryStore".

    Raises:
        CacheError: It is something else, damaged, of another version, or of another login.
    """
    found = _read(text, belonging)
    if isinstance(found, str):
        # Raised here and not where it is found, since the frame there has the tokens in clear.
        raise CacheError(f"{where} gave {found}", hint=_REPLACE, topic="E-SIGN-IN-STORE")
    return found


def _read(text: Secret, belonging: Belonging) -> Kept | str:
    """Return the sign-in in a text, or what the text is instead."""
    values = _object(text)
    if values is None or values.get("format") != FORMAT:
        return "a text that is no sign-in of cognito-credentials"
    version = values.get("version")
    if type(version) is int and version != VERSION:
        age = "a later" if version > VERSION else "an earlier"
        return f"a sign-in of {age} version of cognito-credentials (form {version})"
    checksum = values.pop("sha256", None)
    if checksum != digest(_line(values)) or _line({**values, "sha256": checksum}) != text.reveal():
        return "a sign-in that was changed or cut since save()"
    own = belonging._asdict()
    if any(values.get(name) != own[name] for name in own):
        return f"the sign-in of another login: {_login(values)}, not {_login(own)}"
    kept = Kept(
        _line(values.get("account")).encode("ascii") + b"\n", Secret(json.dumps(values.get("tokens")))
    )
    who, tokens = account.decode(kept.account), StoredTokens.decode(kept.tokens)
    if who is None or tokens is None or tokens.principal != who.principal:
        return "a sign-in that makes no sense"
    return kept


def _object(text: Secret) -> dict[str, Any] | None:
    try:
        values = json.loads(text.reveal())
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _line(values: object) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def _login(values: dict[str, Any]) -> str:
    """Name a login for people. Where issuer and client are the same, it is another user's or endpoint's."""
    names = [clean(str(values.get(name)), 120) for name in ("client_id", "issuer")]
    return f"client {names[0]} at {names[1]} ({clean(str(values.get('key')), 8)})"
