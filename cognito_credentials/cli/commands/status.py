"""``status``: what this machine knows of one profile; offline."""

from __future__ import annotations

import os

from ...cache.file import NOTHING_KEPT
from ...cache.records import decode_identity, decode_state
from ...clock import Clock, span
from .. import fast
from ..command import Command, Invocation, Options
from ..failures import UsageError
from ..looks import EMPTY, FULL, GREEN, HALF, MAGENTA
from ..pool_options import facts_of, given_region, open_pool, selection
from ..tables import Painted, as_json, listing, moment
from ..terminal import printable
from ..words import clock_difference, command_line, sign_in_place, time_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final

    from ...pool.parts import Parts
    from ..looks import Look


_BAR: Final = 36
"""Columns; twice as many, as some terminals for East Asia draw it, still fit."""
_LEGEND: Final = 75
"""Columns that the words below the bar need, at most, with the margin."""
_NOTE: Final = "note-"
_FILE: Final = "file-"
_SEARCHED: Final = "searched"
"""The ``PATH`` on which the program was found that ``credential_process`` names without a folder."""


def add_options(options: Options) -> None:
    options.add("--fleet", action="store_true", help="show all hosts that share the profile's Redis")
    form = options.exclusive()
    form.add("--json", action="store_true", help="print JSON, for programs")
    form.add("--openmetrics", action="store_true", help="with --fleet: print what Prometheus reads")


def answer(invocation: Invocation) -> int | None:
    """Print what is known of a guest with fresh credentials and no failure."""
    if invocation.options.fleet or invocation.options.openmetrics:
        return None
    hit = fast.find(selection(invocation), invocation.environ)
    if hit is None or "guest" not in hit.facts or not _are_there(hit.facts, invocation.environ):
        return None
    clock, facts = Clock(), hit.facts
    data = hit.store.load("state", hit.record.key)
    state = None if data is None else decode_state(hit.record.key, data)
    data = hit.store.load("identity", facts["identity_key"])
    identity = None if data is None else decode_identity(facts["identity_key"], data)
    if identity is None or (state is not None and state.retry_at > clock.wall()):
        return None
    return _show(
        invocation,
        {
            **_FACTS,
            **hit.record.shown(clock),
            "identity_pool_id": facts["identity_pool_id"],
            "profile": facts["profile"] or None,
            "principal": facts["guest"],
            "sign_in_has_ended": False,
            "identity_id": facts.get("identity_id", identity.identity_id),
            "store": hit.store.name,
            "location": hit.store.location,
            "store_problem": hit.store.problem(),
            "identity_pool_id_origin": facts.get("identity_pool_id_origin"),
            "region": given_region(invocation) or facts["region"],
            "flow": facts["flow"],
            "logins": [],
            "notes": [note for name, note in facts.items() if name.startswith(_NOTE)],
        },
        has_sign_in=False,
        issued_at=hit.record.issued_at,
    )


def run(invocation: Invocation) -> int:
    """Print what is known."""
    if invocation.options.fleet:
        from ..fleet import show_fleet

        return show_fleet(invocation)
    if invocation.options.openmetrics:
        raise UsageError("--openmetrics is only with --fleet", "Add --fleet, or use --json")
    from ...awaiting import one_operation
    from ...pool.pool import parts_of
    from ..precedence import what_wins

    argv, environ = selection(invocation), invocation.environ
    key = fast.inputs(argv, environ)
    pool = open_pool(invocation)
    lines = fast.depends(pool, environ)
    parts, found = parts_of(pool), facts_of(pool, environ)
    notes = what_wins(parts.settings, environ)
    facts = {
        **pool.status()._asdict(),
        "identity_pool_id_origin": parts.settings.origins.get("identity_pool_id"),
        "region": given_region(invocation) or found["region"],
        "flow": parts.settings.flow,
        "logins": parts.logins.describe(),
        "notes": notes,
    }
    files = _files(parts, environ)
    if parts.logins.is_guest and facts["seconds_left"] is not None and files is not None:
        found |= _for_answer(parts) | files | {f"{_NOTE}{number}": note for number, note in enumerate(notes)}
        fast.remember(argv, environ, pool, found, key=key, lines=lines)
    record = None
    if invocation.terminal.shows_results and not invocation.options.json:
        with one_operation():
            record = parts.refresher.known().credentials
    return _show(
        invocation,
        facts,
        has_sign_in=any(source.is_sign_in for _, source in parts.logins.sources),
        issued_at=None if record is None else record.issued_at,
    )


def _files(parts: Parts, environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the files of the profile's ``credential_process``, for `_are_there`; None if one is missing."""
    from ..own_command import files_of, is_ours

    line = parts.settings.profile_settings.get("credential_process")
    if not isinstance(line, str) or not is_ours(line):
        return {}
    found: dict[str, str] = {}
    for number, (word, path) in enumerate(files_of(line, environ)):
        if path is None:
            return None
        found[f"{_FILE}{number}"] = path
        if path != word:
            found[_SEARCHED] = environ.get("PATH", os.defpath)
    return found


def _are_there(facts: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Tell whether the files of the ``credential_process`` are where they were when *facts* were kept."""
    if facts.get(_SEARCHED) not in (None, environ.get("PATH", os.defpath)):
        return False
    return all(os.path.isfile(path) for name, path in facts.items() if name.startswith(_FILE))


def _for_answer(parts: Parts) -> dict[str, str]:
    """Return what `answer` needs of the settings of a guest, beside `facts_of`."""
    settings, principal = parts.settings, parts.refresher.principal()
    facts = {
        "guest": parts.logins.title(),
        "identity_key": None if principal is None else principal.identity_key,
        "identity_id": settings.identity_id,
        "flow": settings.flow,
        "identity_pool_id_origin": settings.origins.get("identity_pool_id"),
    }
    return {name: value for name, value in facts.items() if value is not None}


_FACTS: Final = dict.fromkeys(
    (
        *("identity_pool_id", "profile", "principal", "signed_in_as", "login_store", "sign_in_has_ended"),
        *("identity_id", "unknown_because", "store", "location", "store_problem", "access_key_id_last4"),
        *("account_id", "expiration", "refresh_at", "seconds_left", "retry_in", "last_error", "clock_offset"),
        *("identity_pool_id_origin", "region", "flow", "logins", "notes"),
    )
)
"""
Names that stay from release to release: those of `pool.status.Status`, then four of the settings; ``notes``
says what wins over the profile in other programs, a sentence each.
"""


def _show(
    invocation: Invocation, facts: Mapping[str, Any], *, has_sign_in: bool, issued_at: int | None
) -> int:
    """Print *facts*, which are named as in `_FACTS`; on a screen also the life of credentials *issued_at*."""
    look = invocation.terminal.look
    if invocation.options.json:
        text = as_json(facts)
    else:
        life = _life(facts, issued_at, look) if look.is_screen and issued_at is not None else []
        text = listing(_rows(facts, life, has_sign_in=has_sign_in), look.width)
    invocation.terminal.write(text)
    return 0


def _life(facts: Mapping[str, Any], issued_at: int, look: Look) -> list[tuple[str, Painted]]:
    """Draw how much of the life of credentials is over, and when they are renewed."""
    left = facts["seconds_left"]
    if left is None or facts["expiration"] is None or facts["refresh_at"] is None:
        return []
    ends_at = facts["expiration"].timestamp()
    age = max(ends_at - left - issued_at, 0)
    fresh = max(min(left - (ends_at - facts["refresh_at"].timestamp()), left), 0)
    rest = max(left - fresh, 0)
    parts = [(age, EMPTY, ""), (fresh, FULL, GREEN), (rest, HALF, MAGENTA)]
    words = [
        f"{span(age)} old",
        f"refresh in {span(fresh)}",
        f"then {span(rest)} more" if fresh else f"refresh due, {span(rest)} left",
    ]
    said = [
        f"{look.paint(look.sign(character), *filter(None, [colour]))} {text}"
        for (length, character, colour), text in zip(parts, words, strict=True)
        if length
    ]
    # On a narrow screen, each on a line.
    lines = ["  ".join(said)] if (look.width or _LEGEND) >= _LEGEND else said
    return [("", Painted(line)) for line in (look.bar(parts, _BAR), *lines)]


def _rows(
    facts: Mapping[str, Any], life: Sequence[tuple[str, object]], *, has_sign_in: bool
) -> list[tuple[str, object]]:
    left = time_left(facts["seconds_left"])
    credentials = "none"
    if left is not None and facts["expiration"] is not None:
        credentials = f"…{facts['access_key_id_last4']}, {left} (until {moment(facts['expiration'])})"
    refresh = None if facts["refresh_at"] is None else f"after {moment(facts['refresh_at'])}"
    offset = facts["clock_offset"]
    waits = facts["retry_in"] is not None and not facts["sign_in_has_ended"]  # that needs a person, not time
    retry = f"; next try in {span(facts['retry_in'] or 0)}" if waits else ""
    error = None if facts["last_error"] is None else f"{facts['last_error']}{retry}"
    problem = facts["store_problem"]
    return [
        ("Profile", facts["profile"]),
        ("Identity pool", f"{facts['identity_pool_id']}{_elsewhere(facts['identity_pool_id_origin'])}"),
        ("Flow", facts["flow"]),
        ("Region", facts["region"]),
        ("Login", "none (guest)" if facts["principal"] == "guest" else facts["principal"]),
        ("Signed in", _signed_in(facts) if has_sign_in else None),
        ("Identity", facts["identity_id"] or _unknown(facts["unknown_because"])),
        ("Account", facts["account_id"]),
        ("Credentials", credentials),
        *life,
        ("Next refresh", refresh),
        ("Kept in", f"{facts['store']}: {facts['location']}"),
        ("Not kept", None if problem in (None, facts["unknown_because"]) else _not_kept(facts)),
        ("Last error", error),
        ("Clock", f"this machine is {clock_difference(offset)}" if offset else None),
        *(("Note", f"{note}.") for note in facts["notes"]),
    ]


def _not_kept(facts: Mapping[str, Any]) -> str:
    what = NOTHING_KEPT if facts["store"] == "file" else "each process asks AWS by itself"
    return f"{facts['store_problem']}; {what}"


def _elsewhere(origin: str | None) -> str:
    """Say where the pool's id comes from, if not from the profile shown."""
    return "" if not origin or origin.startswith("profile ") else f" (from {origin})"


def _unknown(because: str | None) -> str:
    from ...logins.mapping import NOBODY

    if because is None:
        return "not known yet"
    return because if because == NOBODY else f"cannot be told whose: {because}"


def _signed_in(facts: Mapping[str, Any]) -> str:
    """Say who is signed in and where that is kept."""
    login = command_line("login", facts["profile"])
    if facts["signed_in_as"] is not None:
        end = f"; the sign-in has ended: run {login}" if facts["sign_in_has_ended"] else ""
        return f"{printable(facts['signed_in_as'])}, kept in {sign_in_place(facts['login_store'])}{end}"
    if facts["store_problem"] is not None:
        from ...logins.mapping import NOBODY

        if (because := facts["unknown_because"]) not in (None, NOBODY):
            return f"cannot be told: {because}"
    return f"nobody; {login} signs in"


COMMAND = Command(
    details="""
Asks neither the network nor a login source that is a program. Exits with 0 whenever the profile is in
order, also when there are no credentials yet.

With --fleet it asks the Redis of the profile for the figures of all hosts: users of the last hour, requests
of the last minute, and all else of the last ten.""",
    example="""
$ cognito-credentials status --profile guest
Profile        guest
Identity pool  us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70
Login          none (guest)
Identity       us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
Credentials    …W5MQ, 43 min left (until 2026-01-31T12:00:00Z)
Kept in        file: /home/ada/.aws/cognito/cache""",
    answer=answer,
    run=run,
    doing="reading what is known",
    add_options=add_options,
    takes_pool=True,
)
