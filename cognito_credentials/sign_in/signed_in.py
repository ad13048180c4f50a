"""The account that a person has signed in to, for the program that had them sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import clean
from ..logins.claims import provider_of

if TYPE_CHECKING:
    from .issuers.tokens import Verified

_LIMIT = 320
"""Characters of a claim that are kept; the longest e-mail address has 320."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """
    Whose account a person has signed in to, as the verified ID token says. It holds no secret.

    ``str(account)`` is the user for people, as `IdentityPool.sign_in` returns it.
    """

    subject: str
    """``sub``: stays the same while the account exists, and no other account of the issuer has it."""
    username: str
    """The name at the issuer (``cognito:username`` or ``preferred_username``); empty where there is none."""
    email: str
    """The e-mail address; empty where the token has none. The issuer may not have verified it."""
    name: str
    """The e-mail address or another name, for people; empty where the token has none."""
    issuer: str
    """``iss``: the address of the issuer or user pool."""
    provider: str
    """The login provider name, which is the key of `IdentityPool`'s logins."""

    def __str__(self) -> str:
        return self.name or self.subject


def signed_in(verified: Verified, provider: str | None = None) -> SignedIn:
    """
    Return whose account the tokens are for.

    Args:
        provider: The configured login provider name; by default that of the token's issuer.
    """
    claims = verified.claims

    def text(*names: str) -> str:
        found = (claims.get(name) for name in names)
        return next((clean(one, _LIMIT) for one in found if isinstance(one, str) and one.strip()), "")

    return SignedIn(
        subject=claims["sub"],
        username=text("cognito:username", "preferred_username"),
        email=text("email"),
        name=verified.name,
        issuer=claims["iss"],
        provider=provider or provider_of(claims["iss"]),
    )
