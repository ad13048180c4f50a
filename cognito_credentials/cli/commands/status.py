"""``status``: what this machine knows of one profile; offline."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...cache.file import NOTHING_KEPT
from ...clock import span
from ...logins.mapping import NOBODY
from ..command import Command, Invocation, Options
from ..pool_options import open_pool, region_for
from ..tables import as_json, listing, moment
from ..terminal import printable
from ..words import clock_difference, command_line, sign_in_place, time_left

if TYPE_CHECKING:
    from ...logins import Logins
    from ...pool.parts import Parts
    from ...pool.status import Status
    from ...settings.settings import Settings


def add_options(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, for programs")


def run(invocation: Invocation) -> int:
    """Print what is known."""
    from ...pool.pool import parts_of

    pool = open_pool(invocation)
    status, parts = pool.status(), parts_of(pool)
    region = region_for(invocation, parts.settings)
    if invocation.options.json:
        invocation.terminal.write(as_json(_facts(status, parts, region)))
    else:
        invocation.terminal.write(listing(_rows(status, parts, region)))
    return 0


def _facts(status: Status, parts: Parts, region: str) -> dict[str, Any]:
    """Return everything by names that stay from release to release."""
    facts = dataclasses.asdict(status)
    facts["identity_pool_id_origin"] = parts.settings.origins.get("identity_pool_id")
    facts |= {"region": region, "flow": parts.settings.flow, "logins": parts.logins.describe()}
    return facts


def _rows(status: Status, parts: Parts, region: str) -> list[tuple[str, object]]:
    left = time_left(status.seconds_left)
    credentials = "none"
    if left is not None and status.expiration is not None:
        credentials = f"…{status.access_key_id_last4}, {left} (until {moment(status.expiration)})"
    refresh = None if status.refresh_at is None else f"after {moment(status.refresh_at)}"
    offset = status.clock_offset
    waits = status.retry_in is not None and not status.sign_in_has_ended  # that needs a person, not time
    retry = f"; next try in {span(status.retry_in or 0)}" if waits else ""
    error = None if status.last_error is None else f"{status.last_error}{retry}"
    return [
        ("Profile", status.profile),
        ("Identity pool", f"{status.identity_pool_id}{_elsewhere(parts.settings)}"),
        ("Flow", parts.settings.flow),
        ("Region", region),
        ("Login", status.principal if _signs_in(parts.logins) else None),
        ("Signed in", _signed_in(status, parts.logins)),
        ("Identity", status.identity_id or _unknown(status)),
        ("Account", status.account_id),
        ("Credentials", credentials),
        ("Next refresh", refresh),
        ("Kept in", f"{status.store}: {status.location}"),
        ("Not kept", None if status.store_problem is None else f"{status.store_problem}; {NOTHING_KEPT}"),
        ("Last error", error),
        ("Clock", f"this machine is {clock_difference(offset)}" if offset else None),
    ]


def _elsewhere(settings: Settings) -> str:
    """Say where the pool's id comes from, if not from the profile shown."""
    origin = settings.origins.get("identity_pool_id", "")
    return "" if not origin or origin.startswith("profile ") else f" (from {origin})"


def _unknown(status: Status) -> str:
    because = status.unknown_because
    if because is None:
        return "not known yet"
    return because if because == NOBODY else f"cannot be told whose: {because}"


def _signs_in(logins: Logins) -> bool:
    return any(source.is_sign_in for _, source in logins.sources)


def _signed_in(status: Status, logins: Logins) -> str:
    """Say who is signed in and where that is kept; for logins from elsewhere, where they come from."""
    login = command_line("login", status.profile)
    if status.signed_in_as is not None:
        end = f"; the sign-in has ended: run {login}" if status.sign_in_has_ended else ""
        return f"{printable(status.signed_in_as)}, kept in {sign_in_place(status.login_store)}{end}"
    return f"nobody; {login} signs in" if _signs_in(logins) else status.principal


COMMAND = Command(
    name="status",
    group="inspect",
    summary="show identity, time left and where they are kept; offline",
    details="""
Asks neither the network nor a login source that is a program. Exits with 0 whenever the profile is in
order, also when there are no credentials yet.""",
    example="""
$ cognito-credentials status --profile guest
Profile        guest
Identity pool  us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70
Signed in      guest
Identity       us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
Credentials    …W5MQ, 43 min left (until 2026-01-31T12:00:00Z)
Kept in        file: /home/ada/.aws/cognito/cache""",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
