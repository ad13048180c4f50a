"""Taking over a sign-in that was made elsewhere: its refresh token -> verified tokens."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ...errors import LoginRejectedError, ServiceError, replaced
from ..issuers.tokens import SignInEnded

if TYPE_CHECKING:
    from ...clock import Clock
    from ...secret import Secret
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Tokens, Verified

PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between the tries to fetch the issuer's keys: by then the refresh token may be used up."""


def redeem(issuer: Issuer, refresh_token: Secret) -> Tokens:
    """
    Exchange *refresh_token* once.

    Raises:
        LoginRejectedError: The issuer does not take the token.
        ServiceError: The issuer does not answer.
    """
    with replaced(SignInEnded, by=_rejected):
        tokens = issuer.refresh(refresh_token)
    # An issuer that does not rotate refresh tokens gives no new one.
    return tokens._replace(refresh_token=tokens.refresh_token or refresh_token)


def verified_by(issuer: Issuer, tokens: Tokens, clock: Clock) -> Verified:
    """
    Verify what came.

    Raises:
        LoginRejectedError: It is not valid.
        LoginRequiredError: It has no ID token.
        ServiceError: The issuer's keys cannot be fetched.
    """
    for pause in PAUSES:
        with contextlib.suppress(ServiceError):
            return issuer.verified(tokens)
        clock.sleep(pause)
    return issuer.verified(tokens)


def _rejected(ended: SignInEnded) -> LoginRejectedError:
    why = f": {ended.why}" if ended.why else ""
    return LoginRejectedError(
        f"the issuer does not take this refresh token{why}",
        hint="It is of another client, has been used or has ended: have the user sign in",
        topic="E-SIGN-IN",
    )
