"""``list``: every profile with an identity pool, and every identity that no profile names. Offline."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...clock import Clock
from ...errors import CognitoCredentialsError
from ...settings.aws_config import PROFILE_VARIABLES, read_config
from ..command import Command, Invocation
from ..tables import as_json, table
from ..terminal import printable
from .status import time_left

if TYPE_CHECKING:
    from ...cache.records import Records

_HEADS: Final = ("Profile", "Pool", "Login", "Identity ID", "Expires")
_POOL_KEY: Final = "cognito_identity_pool_id"
_ENVIRONMENT: Final = "(environment)"
_NO_PROFILE: Final = "(no profile)"
_POOL_VARIABLE: Final = "AWS_COGNITO_IDENTITY_POOL_ID"
_KEYS: Final = (
    *("profile", "identity_pool_id", "identity_pool_id_origin", "login", "identity_id", "expiration"),
    *("seconds_left", "store", "location", "error"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(invocation: Invocation) -> int:
    """Print one row for each."""
    environ, terminal = invocation.environ, invocation.terminal
    rows = _configured(environ)
    rows += _left_over(environ, {row["identity_id"] for row in rows})
    if invocation.options.json:
        terminal.write(as_json(rows))
    elif rows:
        # A file or another program takes lines of any length.
        width = shutil.get_terminal_size().columns if terminal.shows_results else None
        wrong = [f"{_called(row)}: {row['error']}\n" for row in rows if row["error"] is not None]
        drawn = table(_HEADS, [_cells(row) for row in rows], width)
        terminal.write(drawn + ("\n" if wrong else "") + "".join(wrong))
    else:
        terminal.notice(f"No profile has {_POOL_KEY}; 'cognito-credentials configure' writes one.")
    if environ.get(_POOL_VARIABLE):
        terminal.notice(f"{_POOL_VARIABLE} is set: it wins over the pool of every profile.")
    return 0


def _configured(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    config = read_config(environ)
    # Each as `status --profile NAME` has it: what the environment sets wins there, and so it does here.
    rest = {name: value for name, value in environ.items() if name not in PROFILE_VARIABLES}
    names = [name for name, values in config["profiles"].items() if _POOL_KEY in values]
    rows = [_row(name, rest, config) for name in sorted(names)]
    if environ.get(_POOL_VARIABLE):
        rows.insert(0, _row(None, environ, config))
    return rows


def _row(profile: str | None, environ: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, Any]:
    from ...pool.pool import IdentityPool
    from ...settings.settings import require

    try:
        settings = require({}, environ=environ, config=config, profile=profile)
        status = IdentityPool.from_settings(settings, environ=environ).status()
    except CognitoCredentialsError as error:
        # One profile that is wrong must not hide the others.
        return {**dict.fromkeys(_KEYS), "profile": profile, "error": str(error)}
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
    }


def _left_over(environ: Mapping[str, str], named: set[str | None]) -> list[dict[str, Any]]:
    """Find the identities on disk that no row has."""
    from ...cache.file import FileStore
    from ...cache.records import Records
    from ...settings.settings import cache_directory

    directory = cache_directory(environ)
    if directory is None:
        return []
    store = FileStore(directory, strict=False, warn=lambda _: None)
    records = Records(store, Clock())
    ends = _ends(records)
    found = (records.identity(key) for key in store.keys("identity"))
    return [
        {
            **dict.fromkeys(_KEYS),
            "identity_pool_id": record.identity_pool_id,
            # Of a user, only a hash is kept.
            "login": "guest" if record.principal.partition(":")[0] == "guest" else "signed in",
            "identity_id": record.identity_id,
            **ends.get(record.identity_id, {}),
            "store": store.name,
            "location": store.location,
        }
        for record in found
        if record is not None and record.identity_id not in named
    ]


def _ends(records: Records) -> dict[str, dict[str, Any]]:
    """Say until when each identity on disk has credentials."""
    found = (records.credentials(key) for key in records.store.keys("credentials"))
    kept = sorted((r for r in found if r is not None), key=lambda r: r.credentials.expires_at)
    return {
        record.identity_id: {
            "expiration": record.credentials.expiration,
            "seconds_left": int(record.credentials.expires_at - record.seen.now(records.clock)),
        }
        for record in kept
    }


def _called(row: Mapping[str, Any]) -> str:
    if row["profile"] is not None:
        return printable(row["profile"])
    return _NO_PROFILE if row["identity_pool_id_origin"] is None else _ENVIRONMENT


def _cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    if row["error"] is not None:
        return _called(row), None, None, None, "error, see below"
    left = time_left(row["seconds_left"])
    return _called(row), row["identity_pool_id"], row["login"], row["identity_id"], left


COMMAND = Command(
    name="list",
    group="look at them",
    summary="list the profiles with an identity pool, and what is kept; offline",
    example="""
$ cognito-credentials list
Profile  Pool                 Login  Identity ID          Expires
guest    us-east-1:0b8d4f1c…  guest  us-east-1:7c0d5b1e…  43 min left""",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
