"""What signing out did: of a login source, and of an identity pool."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """
    What signing out did. Adding two joins them. All texts are for people.

    A login source fills the first six fields, `IdentityPool.sign_out` the others, too.
    """

    users: tuple[str, ...] = ()
    """The users whose sign-ins were ended."""
    revoked: bool = False
    """Whether an issuer revoked a refresh token."""
    problems: tuple[str, ...] = ()
    """Why refresh tokens were not revoked; they are removed from this machine all the same."""
    is_unreached: bool = False
    """Whether a later try may do more: an issuer did not answer or throttled, or a sign-in was in use."""
    left: tuple[str, ...] = ()
    """Why keys are left in the keyring; the files that they open are removed."""
    kept: tuple[str, ...] = ()
    """Earlier sign-ins of the same profile that were not ended, and why."""
    others: tuple[str, ...] = ()
    """Login sources that have no sign-in here: the user signs out where the token comes from."""
    scope: str = "login"
    """``credentials``, ``login`` or ``identity``."""
    had_credentials: bool = False
    """Whether credentials were removed; those handed out stay valid until they expire."""
    identity_id: str | None = None
    """The identity that this machine has forgotten; None for none."""

    def __add__(self, other: SignedOut) -> SignedOut:
        return replace(
            self,
            users=self.users + other.users,
            revoked=self.revoked or other.revoked,
            problems=self.problems + other.problems,
            is_unreached=self.is_unreached or other.is_unreached,
            left=self.left + other.left,
            kept=self.kept + other.kept,
            others=self.others + other.others,
        )
