"""Taking over a sign-in that was made elsewhere: its refresh token -> verified tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import LoginRejectedError, ServiceError, replaced
from ..issuers.tokens import SignInEnded

if TYPE_CHECKING:
    from ...clock import Clock
    from ...secret import Secret
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Verified

PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between the tries to fetch the issuer's keys: by then the refresh token may be used up."""


def redeem(issuer: Issuer, refresh_token: Secret, clock: Clock) -> Verified:
    """
    Exchange *refresh_token* once, and verify what comes.

    Raises:
        LoginRejectedError: The issuer does not take the token, or its answer is not valid.
        LoginRequiredError: The answer has no ID token.
        ServiceError: The issuer does not answer.
    """
    with replaced(SignInEnded, by=_rejected):
        tokens = issuer.refresh(refresh_token)
    for pause in PAUSES:
        try:
            verified = issuer.verified(tokens)
            break
        except ServiceError:
            clock.sleep(pause)
    else:
        verified = issuer.verified(tokens)
    # An issuer that does not rotate refresh tokens gives no new one.
    return verified._replace(refresh_token=verified.refresh_token or refresh_token)


def _rejected(ended: SignInEnded) -> LoginRejectedError:
    why = f": {ended.why}" if ended.why else ""
    return LoginRejectedError(
        f"the issuer does not take this refresh token{why}",
        hint="It is of another client, has been used or has ended: have the user sign in",
    )
