"""
The account file: who is signed in. It has no secret.

A user is signed in as long as the file exists. So a cache hit needs no keyring, and every process sees at
once that somebody signs out, or that another user signs in. The subject in the file was verified at the
sign-in, and only this user can write the file: so it decides whose cached credentials are used.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from ...digest import digest
from ...errors import clean
from ...importing import PROGRAM
from ...logins.claims import unverified_subject
from ...settings.aws_config import config_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .place import SignInPlace

VERSION: Final = 1
TEXT_LIMIT: Final = 2048
_NAMES: Final = ("issuer", "client_id", "subject", "name", "store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One signed-in user of one issuer."""

    issuer: str
    """``iss`` of the ID token."""
    client_id: str
    subject: str
    """``sub`` of the verified ID token."""
    name: str
    """The user's e-mail address or name, for people; empty when the token had none."""
    store: str
    """Where the refresh token is stored: ``keyring``, ``file``, ``memory`` or ``app``."""
    signed_in_at: int
    """Seconds since the epoch."""
    config: str = ""
    """`config_of` the profile that signed in; empty for a sign-in by a program or an early version."""

    @property
    def principal(self) -> str:
        """The user, as cached credentials are keyed; a token file of the same user gives the same value."""
        return principal_of(self.issuer, self.subject)

    @property
    def shown(self) -> str:
        """The user, for people."""
        return self.name or self.subject

    @property
    def shown_with_issuer(self) -> str:
        """The user and the issuer, for people."""
        return f"{self.shown} at {clean(self.issuer, 120)}"

    def encode(self) -> bytes:
        """Write it as one line of JSON."""
        values = {"v": VERSION, **asdict(self)}
        if not self.config:
            del values["config"]  # the form of early versions, which did not have it
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return text.encode("ascii") + b"\n"


def mark_of_this_program(account: Account) -> bytes:
    """Return what says that *account* was made in this program: in this process, or in a fork of it."""
    return account.encode() + PROGRAM.encode("ascii") + b"\n"


def config_of(environ: Mapping[str, str]) -> str:
    """Hash the paths of the AWS config files: two of them may have different profiles of the same name."""
    return digest("config", *config_files(environ))


def principal_of(issuer: str, subject: str) -> str:
    """Hash issuer and subject as a token has them; the scheme of the issuer does not count."""
    return "subject:" + digest(*(unverified_subject({"iss": issuer, "sub": subject}) or ("", subject)))


def account_at(place: SignInPlace) -> Account | None:
    """
    Read the account file; None when nobody is signed in.

    Raises:
        CacheError: The directory cannot be used.
    """
    data = place.read("sign-in")
    return None if data is None else decode(data)


def decode(data: bytes) -> Account | None:
    """Read what `Account.encode` wrote; None if anything in it is wrong."""
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
    # Only the form that `encode` writes: files are compared byte by byte elsewhere.
    return account if account.encode() == data and account.subject and account.issuer else None
