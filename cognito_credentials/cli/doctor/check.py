"""
What a check is and what it finds; running checks, each within a time limit, with one finding for each cause.
"""

from __future__ import annotations

import os
import re
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ...errors import CognitoCredentialsError, sentences
from ..command import PROGRAM
from ..terminal import printable

if TYPE_CHECKING:
    from .setup import Setup

OK, WARNING, ERROR, SKIPPED = "ok", "warning", "error", "skipped"

LIMIT_SECONDS: Final = 4.5
"""How long a check may take; with starting and reporting it, nobody waits longer than 5 s for one."""
TEXT_LIMIT: Final = 1000

_IDENTITY: Final = re.compile(r"\b([a-z]{2,}(?:-[a-z]+)+-\d):[0-9a-f-]{32}([0-9a-f]{4})\b", re.IGNORECASE)
"""The id of an identity, or of a pool."""
_GUID_DIGITS: Final = 32


class Result(NamedTuple):
    """What one check found."""

    status: str
    what: str
    """What is so, and where it was set; a sentence or several, without the full stop at the end."""
    fix: str = ""
    """The one thing to do; never empty for a warning or an error."""


class Finding(NamedTuple):
    """A `Result` with the name of its check: what is reported."""

    name: str
    status: str
    what: str
    fix: str


class Check(NamedTuple):
    """
    A check: looks at one thing, and at nothing that another check looks at.

    Where a check that it needs finds an error, this one is not run: what it would find has that cause.
    """

    name: str
    look: Callable[[Setup], Iterable[Result]]
    """Returns or yields one `Result` or several; a `CognitoCredentialsError` that it raises is an error."""
    needs: tuple[str, ...] = ()
    """Names of checks further up in the list that must not have found an error, nor be skipped."""
    asks: str = ""
    """Whom it asks, with an article: "the network"; empty where it looks at this machine alone."""


def ok(what: str) -> Result:
    """Nothing is wrong."""
    return Result(OK, what)


def warning(what: str, fix: str) -> Result:
    """Credentials are to be had, but something is not as it should be."""
    return Result(WARNING, what, fix)


def error(what: str, fix: str) -> Result:
    """Nobody gets credentials like that, or not those that are meant."""
    return Result(ERROR, what, fix)


def skipped(why: str) -> Result:
    """There is nothing to look at, or no way to."""
    return Result(SKIPPED, why)


def run_checks(
    checks: Sequence[Check],
    setup: Setup,
    *,
    offline: bool,
    limit: float = LIMIT_SECONDS,
    begun: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """
    Run *checks*, one after the other.

    Args:
        offline: Whether to leave out those that ask somebody.
        limit: Seconds for each.
        begun: Called with the name of each check that begins.

    Returns:
        What they found, in their order; at least one for each.
    """
    findings: list[Finding] = []
    failed: set[str] = set()
    for check in checks:
        blocking = next((name for name in check.needs if name in failed), None)
        if blocking is not None:
            results = [skipped(f"'{blocking}' must be right first")]
        elif offline and check.asks:
            results = [skipped(f"it asks {check.asks}, and --offline asks nobody")]
        else:
            begun(check.name)
            results = _within(limit, check, setup)
            # Where something is wrong, the check is not all right, whatever else it has looked at.
            bad = [result for result in results if result.status in (WARNING, ERROR)]
            results = bad or results
        if any(result.status in (ERROR, SKIPPED) for result in results):
            failed.add(check.name)
        findings += [_finding(check.name, result, setup) for result in results]
    return findings


def _within(limit: float, check: Check, setup: Setup) -> list[Result]:
    """Run a check in a thread of its own, which is left behind when the time is over."""
    found: list[list[Result]] = []
    thread = threading.Thread(target=lambda: found.append(_guarded(check, setup)), daemon=True)
    thread.start()
    thread.join(limit)
    if found:
        return found[0]
    return [
        error(
            f"this check has not ended within {limit:g} s",
            "See whether a disk, a network drive or a program that it needs hangs",
        )
    ]


def _guarded(check: Check, setup: Setup) -> list[Result]:
    """Run a check; a bug in it must not hide what the others find."""
    try:
        return list(check.look(setup)) or [ok("nothing to be seen")]
    except CognitoCredentialsError as failure:
        return [error(failure.message, failure.hint or f"Correct that, then run '{PROGRAM} doctor' again")]
    except Exception as bug:  # noqa: BLE001
        # Its type and place only: the text of an unknown exception may hold a secret.
        place = traceback.extract_tb(bug.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}, line {place.lineno}"
        return [
            error(
                f"unexpected {type(bug).__name__} in {where}: this is a bug of the check",
                "Report this line; what the other checks found holds",
            )
        ]


def _finding(name: str, result: Result, setup: Setup) -> Finding:
    return Finding(
        name,
        result.status,
        *(
            pasteable(text, setup.pool_ids(), setup.identity_ids()).removesuffix(".")
            for text in (result.what, result.fix)
        ),
    )


def pasteable(text: str, pool_ids: Iterable[str] = (), identity_ids: Iterable[str] = ()) -> str:
    """
    Make a line that can be shown to everybody: of an identity's id only the end is left.

    Whoever has a guest's identity id can be that guest. A pool's id is in every app.

    Args:
        pool_ids: Ids that are those of pools.
        identity_ids: What is given as the id of an identity, perhaps without its region.
    """
    known = set(pool_ids)
    shown = _IDENTITY.sub(lambda id_: id_[0] if id_[0] in known else f"{id_[1]}:…{id_[2]}", text)
    for given in identity_ids:
        if len(given) >= _GUID_DIGITS:  # or it is none, and may be any word
            shown = shown.replace(given, f"…{given[-4:]}")
    return printable(shown, TEXT_LIMIT)


def line_of(finding: Finding) -> str:
    """Word a finding for people, in one line."""
    said = sentences(finding.what, finding.fix)
    return f"{finding.status}: {finding.name}: {said}" + ("" if said.endswith((".", "?", "!", "…")) else ".")
