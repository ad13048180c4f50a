"""
Who is signed in: a file without any secret.

Its presence says "signed in", and what is in it says who; so a cache hit needs no keyring, and a sign-out or
another user's sign-in is noticed at once. The subject in it was verified when the person signed in, and only
this user can write the file: that is why it may name the principal (design.md decision 5).

Imports `configuration` and `logins.claims`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from ...digest import digest
from ...logins.claims import unverified_issuer
from ...settings.aws_config import config_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .place import Place

VERSION: Final = 1
TEXT_LIMIT: Final = 2048
_NAMES: Final = ("issuer", "client_id", "subject", "name", "store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One signed-in user of one issuer."""

    issuer: str
    """As its tokens say it, exactly."""
    client_id: str
    subject: str
    """Whom the verified ID token was about."""
    name: str
    """For people: an e-mail address or user name; empty when the token had none."""
    store: str
    """Where the refresh token is: ``keyring`` or ``file``."""
    signed_in_at: int
    """Seconds since the epoch."""
    config: str = ""
    """`config_of` the profile that signed in; empty where that was not noted, or it was no profile's."""

    @property
    def principal(self) -> str:
        """Whose credentials are kept under it; the same that a token file of this user would give."""
        return principal_of(self.issuer, self.subject)

    @property
    def shown(self) -> str:
        """What people call this user."""
        return self.name or self.subject

    def encode(self) -> bytes:
        """Write it as one line of JSON."""
        values = {"v": VERSION, **asdict(self)}
        if not self.config:
            del values["config"]  # as it was written before this was noted
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return text.encode("ascii") + b"\n"


def config_of(environ: Mapping[str, str]) -> str:
    """Hash which files profiles are read from: a project with its own may have one of the same name."""
    return digest("config", *config_files(environ))


def principal_of(issuer: str, subject: str) -> str:
    """Hash issuer and subject to a principal."""
    bare = unverified_issuer({"iss": issuer}) or ""
    return "subject:" + digest(bare, subject)


def account_at(place: Place) -> Account | None:
    """
    Read who is signed in; None for nobody.

    Raises:
        CacheError: The directory cannot be used.
    """
    data = place.read("sign-in")
    return None if data is None else decode(data)


def decode(data: bytes) -> Account | None:
    """Read what `Account.encode` wrote; None at any doubt."""
    try:
        values = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or type(values.pop("v", None)) is not int:
        return None
    signed_in_at = values.pop("signed_in_at", None)
    if set(values) - {"config"} != set(_NAMES) or type(signed_in_at) is not int or signed_in_at < 0:
        return None
    if not all(isinstance(value, str) and len(value) <= TEXT_LIMIT for value in values.values()):
        return None
    account = Account(**values, signed_in_at=signed_in_at)
    # In no other form than ours, so that two files never mean the same.
    return account if account.encode() == data and account.subject and account.issuer else None
