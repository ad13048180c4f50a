"""``list``: every profile with an identity pool, and every identity that no profile names. Offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import CognitoCredentialsError
from ...settings.aws_config import PROFILE_VARIABLES, read_config
from .. import cache_directory
from ..command import Command, Invocation, Options
from ..precedence import places_with_keys, used_instead
from ..tables import as_json, indented, table
from ..terminal import printable
from ..words import time_left

_HEADS: Final = ("Profile", "Pool", "Login", "Identity ID", "Expires")
_INDENT: Final = 2
_POOL_KEY: Final = "cognito_identity_pool_id"
_ENVIRONMENT: Final = "(environment)"
_NO_PROFILE: Final = "(no profile)"
_POOL_VARIABLE: Final = "AWS_COGNITO_IDENTITY_POOL_ID"
_KEYS: Final = (
    *("profile", "identity_pool_id", "identity_pool_id_origin", "login", "identity_id", "expiration"),
    *("seconds_left", "store", "location", "error", "notes"),
)
_NOTHING: Final = {**dict.fromkeys(_KEYS), "notes": ()}


def add_options(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, for programs")


def run(invocation: Invocation) -> int:
    """Print one row for each profile, and for each other identity."""
    environ, terminal = invocation.environ, invocation.terminal
    rows = _configured(environ)
    named = {row["identity_id"] for row in rows}
    kept = cache_directory.identities(environ)
    rows += [{**_NOTHING, **each} for each in kept if each["identity_id"] not in named]
    if invocation.options.json:
        terminal.write(as_json(rows))
    elif rows:
        width = terminal.look.width
        below = [f"{_called(row)}: {row['error']}" for row in rows if row["error"] is not None]
        below += dict.fromkeys(f"Note: {note}." for row in rows for note in row["notes"])
        drawn = table(_HEADS, [_cells(row) for row in rows], width)
        notes = "".join(f"{indented(text, _INDENT, width)}\n" for text in below)
        terminal.write(drawn + "\n" * bool(below) + notes)
    else:
        terminal.notice(f"No profile has {_POOL_KEY}; 'cognito-credentials configure' writes one.")
    if environ.get(_POOL_VARIABLE):
        terminal.notice(f"{_POOL_VARIABLE} is set: it wins over the pool of every profile.")
    return 0


def _configured(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    config = read_config(environ)
    # As `status --profile NAME` shows them: a variable wins over the profile in both.
    rest = {name: value for name, value in environ.items() if name not in PROFILE_VARIABLES}
    names = [name for name, values in config["profiles"].items() if _names_a_pool(values)]
    with_keys = places_with_keys(environ)
    rows = [_row(name, rest, config, with_keys) for name in sorted(names)]
    if environ.get(_POOL_VARIABLE):
        rows.insert(0, _row(None, environ, config, with_keys))
    return rows


def _names_a_pool(values: Mapping[str, Any]) -> bool:
    """Tell whether a profile names a pool, also by a mistyped key: its row says what is wrong."""
    from ...settings.load import meant_key

    return _POOL_KEY in values or any(meant_key(key) == _POOL_KEY for key in values)


def _row(
    profile: str | None,
    environ: Mapping[str, str],
    config: Mapping[str, Any],
    with_keys: list[tuple[str, set[str]]],
) -> dict[str, Any]:
    from ...pool.pool import pool_of
    from ...settings.load import load

    try:
        settings = load({}, environ=environ, config=config, profile=profile)
        status = pool_of(settings, environ=environ).status()
    except CognitoCredentialsError as error:
        # One profile that is wrong must not hide the others.
        return {**_NOTHING, "profile": profile, "error": str(error)}
    return {
        "profile": profile,
        "identity_pool_id": status.identity_pool_id,
        "identity_pool_id_origin": settings.origins.get("identity_pool_id"),
        "login": status.principal,
        "identity_id": status.identity_id,
        "expiration": status.expiration,
        "seconds_left": status.seconds_left,
        "store": status.store,
        "location": status.location,
        "error": None,
        "notes": used_instead(settings, environ, with_keys),
    }


def _called(row: Mapping[str, Any]) -> str:
    if row["profile"] is not None:
        return printable(row["profile"])
    return _NO_PROFILE if row["identity_pool_id_origin"] is None else _ENVIRONMENT


def _cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    if row["error"] is not None:
        return _called(row), None, None, None, "error, see below"
    left = time_left(row["seconds_left"])
    # Of a kept identity without a profile nobody knows whether its user is signed in still.
    login = "with a login" if row["login"] == cache_directory.WITH_LOGINS else row["login"]
    return _called(row), row["identity_pool_id"], login, row["identity_id"], left


COMMAND = Command(
    details="""
Below the table it says where other programs use something else than the identity pool: keys, a role.
'cognito-credentials status' says more of one profile.""",
    example="""
$ cognito-credentials list
Profile  Pool                 Login  Identity ID          Expires
guest    us-east-1:0b8d4f1c…  guest  us-east-1:7c0d5b1e…  43 min left""",
    run=run,
    doing="reading the cache",
    add_options=add_options,
    takes_profile=False,
)
