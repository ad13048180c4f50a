"""
Tokens that have expired: asked for once more, and not sent.

Imports `errors`, `secret`, `claims`, `binding` and `source`.
"""

from __future__ import annotations

from typing import Any

from ..errors import LoginRequiredError, clean
from ..secret import Secret
from .binding import reject
from .claims import unverified_claims, unverified_expiry
from .source import LoginSource, ask, describe


def unexpired(source: LoginSource, provider: str | None, now: float) -> tuple[Secret, dict[str, Any] | None]:
    """Ask *source*, and once more where what it gave has expired: it may only now notice."""
    earlier: Secret | None = None
    while True:
        token = ask(source, provider)
        claims = unverified_claims(token.reveal())
        expiry = unverified_expiry(claims) if claims else None
        if expiry is None or expiry > now:
            return token, claims
        if earlier is not None:
            break
        earlier = token
        reject(source, token)
    if token != earlier:
        # A source that makes new tokens, and they are expired: then it is this machine's clock that is
        # wrong. The service judges, and tells the time.
        return token, claims
    del claims  # no frame that the error passes through holds what a token says of its user
    raise LoginRequiredError(
        f"the login token{f' for {clean(provider, 80)}' if provider else ''} "
        f"from {describe(source)} expired {_span(now - expiry)} ago",
        hint="Sign in again, or have its source give a new token",
    )


def _span(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "seconds"
