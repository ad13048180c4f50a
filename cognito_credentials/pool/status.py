"""What is known of a pool's identity and credentials without the network, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..awaiting import one_operation
from .signing_in import sign_ins

if TYPE_CHECKING:
    from datetime import datetime

    from ..logins import Logins
    from ..sign_in.kept.account import Account
    from .parts import Parts


_OF_CREDENTIALS: Final = (
    *("access_key_id_last4", "account_id", "expiration", "refresh_at", "seconds_left", "clock_offset"),
)
"""What `CredentialsRecord.shown` returns."""


class Status(NamedTuple):
    """What is known without the network; None stands for what is not known."""

    identity_pool_id: str
    """The pool, as it was configured."""
    profile: str | None
    """The profile in effect."""
    principal: str
    """``guest``, ``user 'name'``, or which logins."""
    signed_in_as: str | None
    """
    The name of the user who is signed in.

    None for nobody, where sign-ins are not kept here, and where their place cannot be read: then
    `store_problem` and `unknown_because` say so.
    """
    login_store: str | None
    """Where that sign-in is kept: ``keyring``, ``file``, ``memory``, or ``app`` for a store of the app's."""
    sign_in_has_ended: bool
    """Whether the issuer said, when it was last asked, that the user must sign in again."""
    identity_id: str | None
    """The identity id; None before the first credentials, or as `unknown_because` says."""
    unknown_because: str | None
    """
    Why identity and credentials cannot be found offline: only a login token names the user, nobody is signed
    in, or who is signed in cannot be read.
    """
    store: str
    """Where identity and credentials are kept: ``file``, ``memory`` or ``redis``."""
    location: str
    """Its directory or address; ``this process`` for memory."""
    store_problem: str | None
    """Why nothing can be stored there, or why it cannot be read who is signed in."""
    access_key_id_last4: str | None
    """The last four characters of the access key id."""
    account_id: str | None
    """The AWS account, 12 digits, as far as it is known."""
    expiration: datetime | None
    """The end of the credentials, in UTC."""
    refresh_at: datetime | None
    """When new ones are asked for, in UTC."""
    seconds_left: int | None
    """Seconds until they end."""
    retry_in: int | None
    """Seconds until the service is asked again after a failure."""
    last_error: str | None
    """What that failure was, in a line."""
    clock_offset: int | None
    """The service's time minus this machine's, in seconds, when the credentials were received."""


def status_of(parts: Parts) -> Status:
    """Gather what is known without asking the network, or a login source that is a program."""
    with one_operation():
        return _status_of(parts)


def _status_of(parts: Parts) -> Status:
    settings, logins, store, clock = parts.settings, parts.logins, parts.store, parts.clock
    known = parts.refresher.known()
    record, state = known.credentials, known.state
    account = _account(logins)
    # Whoever takes a locked database for an empty one has a person sign in who is signed in.
    unreadable = _problem(logins) if account is None else None
    retry_in = 0 if state is None else round(state.retry_at - clock.wall())
    shown: dict[str, Any] = dict.fromkeys(_OF_CREDENTIALS) | {"account_id": settings.account_id}
    if record is not None:
        shown = record.shown(clock)
    return Status(
        identity_pool_id=settings.identity_pool_id,
        profile=settings.profile,
        principal=logins.title(),
        signed_in_as=None if account is None else account.shown,
        login_store=None if account is None else account.store,
        sign_in_has_ended=account is not None and _has_ended(logins),
        identity_id=known.identity_id,
        unknown_because=unreadable or (logins.why_unknown() if known.principal is None else None),
        store=store.name,
        location=store.location,
        store_problem=store.problem() or unreadable,
        retry_in=retry_in if retry_in > 0 else None,
        last_error=state.message if state is not None and retry_in > 0 else None,
        **shown,
    )


def _has_ended(logins: Logins) -> bool:
    return any(source.has_ended() for source in sign_ins(logins))


def _problem(logins: Logins) -> str | None:
    """Say why it cannot be told who is signed in."""
    return next((found for source in sign_ins(logins) if (found := source.problem()) is not None), None)


def _account(logins: Logins) -> Account | None:
    """Return the account that is signed in here, as its file says."""
    return next((found for source in sign_ins(logins) if (found := source.account()) is not None), None)
