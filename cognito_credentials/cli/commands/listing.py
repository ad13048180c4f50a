"""``list``: every profile with an identity pool, and every identity that no profile names. Offline."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...clock import Clock
from ...configuration import read_config
from ...errors import CognitoCredentialsError
from ..command import Command, Invocation
from ..tables import as_json, moment, table
from .status import time_left

if TYPE_CHECKING:
    from ...cache.records import Records

_HEADS: Final = ("Profile", "Pool", "Login", "Identity ID", "Expires")
_POOL_KEY: Final = "cognito_identity_pool_id"
_ENVIRONMENT: Final = "(environment)"
_NO_PROFILE: Final = "(no profile)"
_PLACES: Final = ("AWS_COGNITO_CACHE", "AWS_COGNITO_CACHE_DIR")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(invocation: Invocation) -> int:
    """Print one row for each."""
    environ = invocation.environ
    rows = _configured(environ)
    rows += _left_over(environ, {row["identity_id"] for row in rows})
    if invocation.options.json:
        invocation.terminal.write(as_json(rows))
    elif rows:
        invocation.terminal.write(table(_HEADS, [_cells(row) for row in rows]))
    else:
        invocation.terminal.notice(f"No profile has {_POOL_KEY}; 'cognito-credentials configure' writes one.")
    return 0


def _configured(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    config = read_config(environ)
    # What the environment sets would be set in every profile, and all rows would be one.
    bare = {
        name: value
        for name, value in environ.items()
        if not name.startswith("AWS_COGNITO_") or name in _PLACES
    }
    bare.pop("AWS_PROFILE", None)
    names = [name for name, values in config["profiles"].items() if _POOL_KEY in values]
    rows = [_row(name, name, bare, config) for name in sorted(names)]
    if environ.get("AWS_COGNITO_IDENTITY_POOL_ID"):
        rows.insert(0, _row(_ENVIRONMENT, None, environ, config))
    return rows


def _row(
    shown: str, profile: str | None, environ: Mapping[str, str], config: Mapping[str, Any]
) -> dict[str, Any]:
    from ...pool import IdentityPool
    from ...settings import require

    row: dict[str, Any] = dict.fromkeys(
        ("identity_pool_id", "login", "identity_id", "expiration", "expires", "store", "location", "error")
    )
    row = {"profile": shown, **row}
    try:
        settings = require({}, environ=environ, config=config, profile=profile)
        status = IdentityPool.from_settings(settings, environ=environ).status()
    except CognitoCredentialsError as error:
        # One profile that is wrong must not hide the others.
        return {**row, "error": error.message}
    return {
        **row,
        "identity_pool_id": status.identity_pool_id,
        "login": status.principal,
        "identity_id": status.identity_id,
        "expiration": status.expiration,
        "expires": time_left(status),
        "store": status.store,
        "location": status.location,
    }


def _left_over(environ: Mapping[str, str], named: set[str | None]) -> list[dict[str, Any]]:
    """Find the identities on disk that no row has."""
    from ...cache.file import FileStore
    from ...cache.records import Records
    from ...settings import cache_directory

    directory = cache_directory(environ)
    if directory is None:
        return []
    store = FileStore(directory, strict=False, warn=lambda _: None)
    records = Records(store, Clock())
    ends = _ends(records)
    found = (records.identity(key) for key in store.keys("identity"))
    return [
        {
            "profile": _NO_PROFILE,
            "identity_pool_id": record.identity_pool_id,
            # Of a user, only a hash is kept.
            "login": "guest" if record.principal == "guest" else "signed in",
            "identity_id": record.identity_id,
            "expiration": None,
            "expires": ends.get(record.identity_id),
            "store": store.name,
            "location": store.location,
            "error": None,
        }
        for record in found
        if record is not None and record.identity_id not in named
    ]


def _ends(records: Records) -> dict[str, str]:
    """Say until when each identity on disk has credentials."""
    found = (records.credentials(key) for key in records.store.keys("credentials"))
    kept = sorted((r for r in found if r is not None), key=lambda r: r.credentials.expires_at)
    return {record.identity_id: moment(record.credentials.expiration) for record in kept}


def _cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    if row["error"] is not None:
        return row["profile"], None, None, None, f"error: {row['error']}"
    return row["profile"], row["identity_pool_id"], row["login"], row["identity_id"], row["expires"]


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
)
